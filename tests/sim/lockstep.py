"""Lockstep of the model with the reference model of its timing, and with the interpreter, which that one executes.

The interpreter has no pipeline and shares no arithmetic with the model, and the reference model none of its timing, so
agreement in the record of every instruction, and in the state at the end, is evidence that the model does what
`architecture/` says.
"""

from collections import Counter
from random import Random
from types import ModuleType
from typing import Any

import numpy as np

from pentary.isa.program import Fault, Program
from pentary.isa.system import CAUSES as TRAPS
from pentary.machine.config import Config
from pentary.randomprogram import INTERRUPTS, random_program
from pentary_sim.events import CAUSES, EVENT, FAULTS
from pentary_sim.simulator import Simulator

COUNTS = [
    *("branches", "mispredictions", "traps", "icache_accesses", "icache_misses", "dcache_accesses", "dcache_misses"),
    *("l2_accesses", "l2_misses", "memory_reads", "memory_writes", "dcache_beats", "l2_beats", "memory_beats"),
    *("lowrank_multiply_cycles", "lowrank_busy_cycles", "vector_busy_cycles", "memory_busy_cycles"),
    "crossbar_busy_cycles",
]


def check(
    reference: ModuleType,
    program: Program,
    config: Config,
    limit: int,
    input: tuple[int, ...] = (),
    interrupts: tuple[int, ...] = (),
) -> Counter[str]:
    """Run a program on all three, and compare every record, all totals and the state at the end.

    Args:
        reference: the module reference_timing.
        program: program that ends within `limit` instructions.
        config: configuration of the machine.
        limit: number of instructions after which to stop.
        input, interrupts: as for `Simulator`.

    Returns:
        How many instructions were executed, and how many traps were taken, by kind; and how the run ended.

    Raises:
        AssertionError: they differ.
    """
    happened: Counter[str] = Counter()
    expected = reference.Machine(program, config, input, interrupts)
    machine = Simulator(program, config, trace=True, input=input, interrupts=interrupts)
    output: list[int] = []
    ending: str | Fault = "events"
    while ending in ("events", "output"):
        ending = _run(machine, limit)
        output += machine.take_output()
        records = machine.take_events().records
        done = records[:-1] if isinstance(ending, Fault) else records
        happened.update(FAULTS[number] for number in done["fault"] if number)
        columns = {name: done[name].tolist() for name in EVENT.names or ()}
        for number in range(len(done)):
            record, causes = expected.step()
            trap = record.pop("trap", 0)
            actual: dict[str, Any] = {name: columns[name][number] for name in record}
            assert actual == record, f"{program.place(record['pc'])}, trap {trap}, charged {causes}"
            fault, cause = FAULTS[columns["fault"][number]], CAUSES[columns["cause"][number]]
            assert TRAPS.get(fault, 0) == trap, program.place(record["pc"])
            assert causes.get(cause, 0) == max(causes.values(), default=0), f"{record}, charged {causes}"
    fault = _fault_of(expected) if isinstance(ending, Fault) else None
    assert _told(fault) == _told(ending)
    assert differences(expected.golden, machine, output) == []
    assert machine.causes == expected.causes
    np.testing.assert_array_equal(machine.profile, expected.profile)
    assert {name: machine.counts[name] for name in COUNTS} == {name: expected.counts[name] for name in COUNTS}
    untraced = Simulator(program, config, input=input, interrupts=interrupts)  # timed by other code if nothing waits
    while _run(untraced, limit) == "output":
        untraced.take_output()
    assert (untraced.cycles, untraced.causes, untraced.counts) == (machine.cycles, machine.causes, machine.counts)
    np.testing.assert_array_equal(untraced.profile, machine.profile)
    np.testing.assert_array_equal(untraced.registers, machine.registers)
    happened[f"ended: {ending.kind if isinstance(ending, Fault) else ending}"] += 1
    happened["instructions"] += machine.instructions
    return happened


def check_random(reference: ModuleType, seed: int, length: int) -> Counter[str]:
    """Check a random program with traps, interrupts, counters and devices on a random machine.

    Args:
        reference: the module reference_timing.
        seed: of the program, the machine and the interrupts.
        length: words of the program's body, about.

    Returns:
        What `check` does.
    """
    rng = Random(seed)
    config = Config.loads(random_settings(rng))
    faults, system = rng.random() < 0.3, rng.random() < 0.8
    program = random_program(seed, length, faults, system, config.absent)
    input = tuple(rng.randrange(0x110000) for _ in range(rng.randrange(20)))
    horizon = rng.choice((2_000, 20_000, 200_000))
    interrupts = tuple(rng.randrange(horizon) for _ in range(rng.randint(0, INTERRUPTS)))
    return check(reference, program, config, program.symbols["BOUND"], input, interrupts)


def random_settings(rng: Random) -> str:
    """Return settings of a random machine, as TOML."""
    sets, ways, beats = (1, 1, 5, 25), (1, 2, 3, 8), (1, 5, 25, 125, 625)
    latency = ("", f"latency = {rng.choice((1, 2, 3, 16))}")
    few = ("crossbar", "lowrank"), ("crossbar",), ("lowrank",), ("vector", "crossbar", "lowrank")
    absent = rng.choice(few) if rng.random() < 0.15 else ()
    return f"""
        units = {{{", ".join(f"{unit} = false" for unit in absent)}}}
        pipeline.queue = {rng.choice((1, 2, 3, 4, 8, 64))}
        predictor = {{entries = {rng.choice((0, 1, 5, 25, 125, 999))}, returns = {rng.choice((0, 1, 2, 8, 64))}}}
        exceptions.overflow_trap = {rng.choice(("true", "false"))}
        devices.latency = {rng.choice((0, 1, 10, 100))}
        lowrank = {{lanes = {rng.choice((16, 64, 256))}, rounds_per_cycle = {rng.choice((1, 2, 4, 8))}}}
        [caches]
        line = {rng.choice((5, 25, 125, 625))}
        critical_first = {rng.choice(("true", "false"))}
        enabled = {rng.choice(("true", "true", "true", "true", "false"))}
        [icache]
        sets = {rng.choice(sets)}
        ways = {rng.choice(ways)}
        {rng.choice(latency)}
        [dcache]
        sets = {rng.choice(sets)}
        ways = {rng.choice(ways)}
        beat = {rng.choice(beats)}
        {rng.choice(latency)}
        [l2]
        sets = {rng.choice((1, 5, 25, 125))}
        ways = {rng.choice((1, 2, 4, 16))}
        beat = {rng.choice(beats)}
        {rng.choice(("", "latency = 0", "latency = 3"))}
        [memory]
        words = 78125
        latency = {rng.choice((0, 1, 5, 60, 200))}
        beat = {rng.choice(beats)}
    """


def differences(golden: Any, model: Simulator, output: list[int]) -> list[str]:
    """Return the names of the parts of the architectural state in which the interpreter and the model differ.

    Args:
        golden, model: both, after the same instructions.
        output: what the model's program has written to the console.
    """
    pairs: dict[str, tuple[Any, Any]] = {
        "pc": (golden.pc, model.pc),
        "halted": (golden.halted, model.halted),
        "instructions": (golden.instructions, model.instructions),
        "traps": (golden.traps, model.counts["traps"]),
        "registers": (golden.registers, model.registers),
        "flags": (golden.flags, model.flags),
        "ACC": (golden.acc, model.accumulator),
        "VL": (golden.vl, model.vl),
        "memory": (golden.memory, model.memory),
        "vectors": (golden.vectors, model.vectors),
        "fitness": (golden.fitness, model.fitness),
        "controls": (list(golden.controls.values()), list(model.controls.values())),
        "factor A": (golden.factor_a, model.factor_a),
        "factor B": (golden.factor_b, model.factor_b),
        "sums": ([golden.quantised, *golden.sums], [model.quantised, *model.sums]),
        "crossbar": (golden.crossbar, model.crossbar),
        "csrs": (list(golden.csrs.values()), [model.csrs[name] for name in golden.csrs]),
        "output": (golden.output, output),
        "exit status": (golden.exit_status, model.exit_status),
        "cycles": (sum(model.causes.values()), model.cycles if model.instructions else 0),
    }
    return [name for name, (one, other) in pairs.items() if not np.array_equal(one, other)]


def _run(machine: Simulator, limit: int) -> str | Fault:
    try:
        return machine.run(max_instructions=limit)
    except Fault as fault:
        return fault


def _fault_of(expected: Any) -> Fault | None:
    try:
        expected.step()
    except Fault as fault:
        return fault
    return None


def _told(ending: str | Fault | None) -> tuple[str, int, int | None] | None:
    return (ending.kind, ending.pc, ending.origin) if isinstance(ending, Fault) else None
