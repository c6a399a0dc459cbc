"""The simulator's interface: ending and continuing runs, the state after a fault, consistency of the counts."""

from collections.abc import Collection
from dataclasses import replace
from random import Random
from typing import Any

import numpy as np
import pytest

from pentary.asm import assemble_text
from pentary.interpreter import Interpreter
from pentary.isa.program import Fault, Program
from pentary.machine.config import Config, Exceptions, Memory, Units
from pentary.numbers.word import PentaryError
from pentary.randomprogram import random_program
from pentary_sim import events as recorded
from pentary_sim.events import EVENT, NONE, Events
from pentary_sim.simulator import Simulator

SMALL = Config(memory=Memory(words=78125))

LOOP = assemble_text("""
        li p1, 4
next:   addi p1, p1, -1
        push p1
        pop p2
        bgt p1, p0, next
        halt
""")
LOOP_LENGTH = 1 + 4 * 4 + 1


def state(machine: Simulator) -> dict[str, Any]:
    """Return a copy of the architectural state and statistics."""
    arrays = ("registers", "memory", "vectors", "fitness", "factor_a", "factor_b", "sums", "crossbar", "profile")
    return {name: getattr(machine, name).tobytes() for name in arrays} | {
        "pc": machine.pc,
        "flags": machine.flags,
        "accumulator": machine.accumulator,
        "vl": machine.vl,
        "controls": machine.controls,
        "halted": machine.halted,
        "instructions": machine.instructions,
        "cycles": machine.cycles,
        "causes": machine.causes,
        "counts": machine.counts,
    }


def after(program: Program, instructions: int, config: Config = SMALL) -> dict[str, Any]:
    """Return the state of a new machine after the given number of instructions."""
    machine = Simulator(program, config)
    machine.run(max_instructions=instructions)
    return state(machine)


def writebacks(program: Program) -> list[int]:
    machine = Simulator(program, SMALL, trace=True)
    machine.run()
    return machine.take_events().records["writeback"].tolist()


# Ending a run


def test_halt_ends_a_run_and_nothing_comes_after_it() -> None:
    machine = Simulator(LOOP, SMALL)
    assert machine.run() == "halt"
    assert (machine.halted, machine.pc, machine.instructions) == (True, 5, LOOP_LENGTH)
    before = state(machine)
    assert machine.run() == machine.run(max_cycles=1) == machine.run(max_instructions=1, stop_at=[5]) == "halt"
    assert state(machine) == before


def test_a_new_machine_has_done_nothing() -> None:
    machine = Simulator(LOOP, SMALL)
    assert (machine.pc, machine.cycles, machine.instructions, machine.halted) == (0, 0, 0, False)
    assert not any([*machine.causes.values(), *machine.counts.values(), machine.profile.any()])
    golden = Interpreter(LOOP, 78125)
    assert machine.registers.tolist() == golden.registers
    assert (machine.vl, machine.flags, machine.accumulator) == (golden.vl, golden.flags, golden.acc)
    assert machine.controls == golden.controls
    assert machine.memory[: LOOP.text].tolist() == LOOP.image.tolist()
    assert not machine.memory[LOOP.text :].any()


@pytest.mark.parametrize("limit", range(LOOP_LENGTH + 1))
def test_instructions_are_counted_from_the_start(limit: int) -> None:
    machine = Simulator(LOOP, SMALL)
    reason = "halt" if limit == LOOP_LENGTH else "instructions"
    for _ in range(2):  # the second time nothing is executed
        assert machine.run(max_instructions=limit) == reason
        assert machine.instructions == limit


def test_the_first_instruction_that_retires_in_the_last_cycle_or_later_is_the_last() -> None:
    retired = writebacks(LOOP)
    for limit in range(1, retired[-1] + 5):
        machine = Simulator(LOOP, SMALL)
        reason = machine.run(max_cycles=limit)
        last = next((number for number, cycle in enumerate(retired) if cycle >= limit - 1), len(retired) - 1)
        assert machine.instructions == last + 1, limit
        assert machine.cycles == retired[last] + 1
        assert reason == ("halt" if machine.halted else "cycles")
        before = state(machine)
        assert machine.run(max_cycles=limit) == reason
        assert state(machine) == before


def test_whatever_is_reached_first_ends_a_run() -> None:
    assert Simulator(LOOP, SMALL).run(max_cycles=10**6, max_instructions=3) == "instructions"
    assert Simulator(LOOP, SMALL).run(max_cycles=3, max_instructions=10**6) == "cycles"
    assert Simulator(LOOP, SMALL).run(max_cycles=10**6, max_instructions=10**6, stop_at=[2]) == "breakpoint"
    assert Simulator(LOOP, SMALL).run(max_cycles=10**6, max_instructions=10**6) == "halt"


def test_a_run_stops_before_a_breakpoint_and_then_steps_over_it() -> None:
    machine = Simulator(LOOP, SMALL)
    for times in range(1, 5):
        assert machine.run(stop_at={1}) == "breakpoint"
        assert (machine.pc, machine.instructions) == (1, 1 + 4 * (times - 1))
    assert machine.run(stop_at={1}) == "halt"


def test_breakpoints_are_those_of_the_call() -> None:
    machine = Simulator(LOOP, SMALL)
    assert machine.run(stop_at=[0, 3]) == "breakpoint"
    assert machine.pc == 3
    assert machine.run(stop_at=[2, 4, 3]) == "breakpoint"
    assert machine.pc == 4
    assert machine.run(stop_at=(5,)) == "breakpoint"
    assert (machine.pc, machine.halted) == (5, False)
    assert machine.run() == "halt"


@pytest.mark.parametrize("outside", [-1, -6, LOOP.text, 10**12, -(10**12)])
def test_addresses_outside_the_program_stop_nothing(outside: int) -> None:
    machine = Simulator(LOOP, SMALL)
    assert machine.run(stop_at=[outside]) == "halt"
    assert machine.run(stop_at=[outside]) == "halt"


def test_records_must_be_taken_before_a_long_run_goes_on() -> None:
    program = assemble_text("li p1, 60000\nnext: addi p1, p1, -1\nbgt p1, p0, next\nhalt")
    machine = Simulator(program, SMALL, trace=True)
    assert machine.run() == "events"
    assert machine.instructions == 100_000
    assert machine.run() == "events"
    first = machine.take_events().records
    assert (len(first), len(machine.take_events().records)) == (100_000, 0)
    assert machine.run() == "halt"
    rest = machine.take_events().records
    assert len(rest) == machine.instructions - 100_000 == 20_002
    assert rest["writeback"][-1] + 1 == machine.cycles
    assert (np.diff(np.concatenate([first, rest])["writeback"]) > 0).all()


def test_without_a_trace_there_are_no_records() -> None:
    machine = Simulator(LOOP, SMALL)
    assert machine.run() == "halt"
    assert len(machine.take_events().records) == 0


# Continuing


@pytest.mark.parametrize("seed", range(4))
def test_a_run_in_pieces_is_the_same_run(seed: int) -> None:
    program = random_program(seed, 150)
    whole, pieces = (Simulator(program, SMALL, trace=True) for _ in range(2))
    whole.run()
    rng, taken = Random(seed), []
    reason = ""
    while reason != "halt":
        stops: Collection[int] = rng.sample(range(program.text), 5)
        match rng.randrange(3):
            case 0:
                reason = pieces.run(max_instructions=pieces.instructions + rng.randint(0, 5), stop_at=stops)
            case 1:
                reason = pieces.run(max_cycles=pieces.cycles + rng.randint(0, 200))
            case 2:
                reason = pieces.run(stop_at=stops)
        taken.append(pieces.take_events())
    assert written(taken) == written([whole.take_events()])
    assert state(pieces) == state(whole)


def written(taken: list[Events]) -> list[tuple[object, ...]]:
    """Return the records with vector indices replaced by the vectors."""
    index = list(EVENT.fields or ()).index("vector")
    rows = [(row, events.vectors) for events in taken for row in events.records.tolist()]
    return [
        (*row[:index], vectors[row[index]].tolist() if row[index] >= 0 else None, *row[index + 1 :])
        for row, vectors in rows
    ]


def test_records_must_be_taken_when_there_are_many_vectors_too() -> None:
    program = assemble_text("li p1, 12000\nnext: vadds v1, v1, p2\ndec p1\nbgt p1, p0, next\nhalt")
    machine = Simulator(program, SMALL, trace=True)
    assert machine.run() == "events"
    first = machine.take_events()
    assert len(first.vectors) == 10_000 and first.records["vector"].max() == 9_999
    assert machine.run() == "halt"
    rest = machine.take_events()
    assert len(first.records) + len(rest.records) == machine.instructions
    assert len(rest.vectors) == 2_000


FAULTS_AND_TWINS = {  # faulting program, and the same without the fault
    "fetch": ("jump . + 9", "jump . + 9" + "\nnop" * 9),
    "illegal instruction": ("mul p1, p1, p1\n.word 0", "mul p1, p1, p1\nnop"),
    "divide": ("li p1, 5\nmul p2, p1, p1\ndiv p3, p2, p0", "li p1, 5\nmul p2, p1, p1\ndiv p3, p2, p1"),
    "operand": ("pop p1\nli p1, 257\nsetvl p1", "pop p1\nli p1, 256\nsetvl p1"),
    "overflow": ("li p1, 4000000\nmul p2, p1, p1\nmul p3, p2, p2", "li p1, 40\nmul p2, p1, p1\nmul p3, p2, p2"),
    "memory": ("div p1, p0, p1\nstore p2, 1(p0)", "div p1, p0, p1\nstore p2, 90(p0)"),
}


@pytest.mark.parametrize("kind", FAULTS_AND_TWINS)
def test_the_instruction_that_faults_is_recorded_as_if_it_did_not_up_to_execute(kind: str) -> None:
    faulty, fine = FAULTS_AND_TWINS[kind]
    prologue = "li sp, 50\nli p1, 3\nli p4, 4\n"
    config = Config.loads("exceptions.overflow_trap = true\nmemory.words = 15625")
    machine = Simulator(assemble_text(prologue + faulty), config, trace=True)
    twin = Simulator(assemble_text(prologue + fine), config, trace=True)
    with pytest.raises(Fault) as caught:
        machine.run()
    before = state(machine), machine.counts, machine.causes, machine.cycles
    records = machine.take_events().records
    twin.run(max_instructions=len(records))
    expected = twin.take_events().records[len(records) - 1]
    stages = [expected[name] for name in ("fetch", "decode", "execute")]
    if kind == "fetch":  # which misses no cache
        stages = [stages[0] + place for place in range(3)]
    assert [records[-1][name] for name in ("fetch", "decode", "execute")] == stages
    later = ("memory", "writeback", "start", "free", "done", "register", "vector")
    assert all(records[-1][name] == NONE for name in later)
    assert recorded.FAULTS[records[-1]["fault"]] == caught.value.kind == kind
    assert records[-1]["pc"] == caught.value.pc
    assert len(records) == machine.instructions + 1
    assert not records[:-1]["fault"].any()
    # Counts and state equal those of the same run without a trace.
    plain = Simulator(assemble_text(prologue + faulty), config)
    with pytest.raises(Fault):
        plain.run()
    assert before == (state(plain), plain.counts, plain.causes, plain.cycles)


@pytest.mark.parametrize("seed", range(2))
def test_machines_are_alike_and_share_nothing(seed: int) -> None:
    program, other = random_program(seed, 150), random_program(seed + 100, 150)
    image = program.image.copy()
    machines = [Simulator(p, SMALL, trace=True) for p in (program, other, program)]
    for limit in range(0, program.symbols["BOUND"], 7):  # in turn
        for machine in machines:
            machine.run(max_instructions=limit)
    for machine in machines:
        assert machine.run() == "halt"
    np.testing.assert_array_equal(program.image, image)
    assert state(machines[0]) == state(machines[2]) != state(machines[1])
    alone = Simulator(other, SMALL, trace=True)
    alone.run()
    assert state(alone) == state(machines[1])
    np.testing.assert_array_equal(machines[0].take_events().records, machines[2].take_events().records)
    np.testing.assert_array_equal(machines[1].take_events().records, alone.take_events().records)


def test_a_trace_changes_nothing() -> None:
    program = random_program(5, 200)
    machines = [Simulator(program, SMALL, trace=trace) for trace in (False, True)]
    for machine in machines:
        machine.run()
    assert state(machines[0]) == state(machines[1])


def test_data_can_be_written_from_outside() -> None:
    program = assemble_text("load p1, x(p0)\nhalt\n.data\nx: .word 5")
    machine = Simulator(program, SMALL)
    machine.memory[program.address("x")] = 7
    machine.run()
    assert machine.registers[1] == 7


# Consistency of the counts


@pytest.mark.parametrize("seed", range(3))
def test_every_cycle_is_charged_after_every_instruction(seed: int) -> None:
    machine = Simulator(random_program(seed, 150), SMALL, trace=True)
    while not machine.halted:
        before, address = machine.profile.copy(), machine.pc
        machine.run(max_instructions=machine.instructions + 1)
        (event,) = machine.take_events().records
        added = machine.profile - before
        assert added.sum() == added[address].sum() == event["lost"] + 1
        assert added[address, 0] == 1
        assert event["writeback"] + 1 == machine.cycles == sum(machine.causes.values())
        assert machine.profile.sum() == machine.cycles - 4
        assert machine.profile.sum(axis=0).tolist() == list((machine.causes | {"fill": 0}).values())
    assert machine.causes["fill"] == 4
    assert machine.causes["issue"] == machine.profile[:, 0].sum() == machine.instructions


# Memory


def test_a_program_too_large_for_the_memory_is_refused() -> None:
    program = assemble_text("halt\n.data\nx: .space 15624")
    Simulator(program, Config(memory=Memory(words=15625)))
    larger = replace(program, size=15626)
    with pytest.raises(PentaryError, match=r"^the program takes 15626 words, the memory has 15625: set memory\.words"):
        Simulator(larger, Config(memory=Memory(words=15625)))


# Faults

FILL = """
        jump start
bad:    .word 0
start:  li p1, 20
        li p2, 10
        setvl p1
        loadv v1, data(p0)
        loadv v2, data+20(p0)
        popeval f1, v1, v2
        lrset ROWS, p1
        lrset COLS, p1
        lrgen p1
        lrmul p2
        lrmulx v1
        loadx v1, p1
        muli p3, p1, -7
        addhi p4, p0, 7000
        mac p4, p3
        cmp p1, p2
        li p5, -1
        li p6, 256
        li p7, 195313
        li p8, (5**16 - 1) // 2
        li p9, 20
        call next
next:   push p1
        pop p2
"""
DATA = "\n.data\ndata: .word " + ", ".join(str(7 * n - 100) for n in range(60))

FAULTS = [
    ("illegal instruction", "jump bad"),
    ("fetch", "jump 400"),
    ("fetch", "jump -400"),
    ("fetch", "beq p1, p1, data"),
    ("fetch", "mv p31, p5\n ret"),
    ("fetch", "mv p31, p8\n ret"),
    ("fetch", "nop"),
    ("memory", "load p3, -1(p0)"),
    ("memory", "load p3, 0(p30)"),
    ("memory", "load p3, 5(p8)"),
    ("memory", "load p3, -21(p5)"),
    ("memory", "store p3, 1(p30)"),
    ("memory", "store p3, 0(p0)"),
    ("memory", "store p3, next(p0)"),
    ("memory", "pop p3"),
    ("memory", "mv p30, p1\n push p3"),
    ("memory", "mv p30, p0\n push p3"),
    ("memory", "mv p30, p5\n pop p3"),
    ("memory", "mv p30, p8\n pop p30"),
    ("memory", "loadv v1, -19(p30)"),
    ("memory", "loadv v1, -1(p0)"),
    ("memory", "storev v1, -19(p30)"),
    ("memory", "storev v1, next(p0)"),
    ("divide", "div p3, p1, p0"),
    ("divide", "rem p3, p1, p0"),
    ("operand", "setvl p0"),
    ("operand", "setvl p8"),
    ("operand", "vget p3, v1, p1"),
    ("operand", "vget p3, v1, p5"),
    ("operand", "vset v1, p1, p2"),
    ("operand", "vset v1, p5, p2"),
    ("operand", "loadx v1, p6"),
    ("operand", "loadx v1, p5"),
    ("operand", "lrset RANK, p0"),
    ("operand", "lrset GAIN, p8"),
    ("operand", "lrgen p5"),
    ("operand", "lrgen p7"),
    ("operand", "lrmul p9"),
    ("operand", "lrmul p5"),
    ("overflow", "add p3, p8, p1"),
    ("overflow", "sub p3, p5, p8"),
    ("overflow", "adds p3, p8, p1"),
    ("overflow", "subs p3, p5, p8"),
    ("overflow", "mul p3, p8, p1"),
    ("overflow", "mul2 p3, p8"),
    ("overflow", "addi p3, p8, 9"),
    ("overflow", "addhi p3, p8, 39062"),
    ("overflow", "muli p3, p8, -2"),
    ("overflow", "shli p3, p8, 1"),
    ("overflow", "accset p0\n mac p8, p8\n mac p8, p8\n mac p8, p8"),
    ("overflow", "accset p0\n mac p8, p8\n accget p3, 15"),
]


@pytest.mark.parametrize(("kind", "lines"), FAULTS)
def test_a_fault_changes_nothing(kind: str, lines: str) -> None:
    program = assemble_text(FILL + lines + DATA)
    config = replace(SMALL, exceptions=Exceptions(overflow_trap=True))
    golden, machine = Interpreter(program, 78125, overflow_trap=True), Simulator(program, config)
    with pytest.raises(Fault) as expected:
        golden.run(100)
    for _ in range(2):  # continuing leads to the same fault
        with pytest.raises(Fault) as fault:
            machine.run()
        told, due = fault.value, expected.value
        assert (told.kind, told.pc, told.origin) == (kind, due.pc, due.origin) == (due.kind, machine.pc, due.origin)
        assert machine.instructions == golden.instructions
        assert state(machine) == after(program, golden.instructions, config)


@pytest.mark.parametrize("trap", [False, True])
def test_faults_of_random_programs_change_nothing(trap: bool) -> None:
    config = replace(SMALL, exceptions=Exceptions(overflow_trap=trap))
    faults = 0
    for seed in range(25):
        program = random_program(seed, 60, faults=True)
        machine = Simulator(program, config)
        try:
            machine.run()
        except Fault:
            faults += 1
        assert state(machine) == after(program, machine.instructions, config), f"seed {seed}"
    assert faults > 15


def test_what_follows_a_fault_is_as_if_it_had_not_been() -> None:
    # The host may correct the cause of a fault and continue.
    program = assemble_text("li p1, 100\n li p2, 0\n div p3, p1, p2\n mul p4, p3, p3\n halt")
    machine, other = Simulator(program, SMALL, trace=True), Simulator(program, SMALL, trace=True)
    with pytest.raises(Fault):
        machine.run()
    other.run(max_instructions=2)
    for each in (machine, other):
        each.registers[2] = 7
        assert each.run() == "halt"
    assert machine.registers[4] == 14 * 14
    records = machine.take_events().records
    np.testing.assert_array_equal(records[records["fault"] == 0], other.take_events().records)


SCALAR = replace(SMALL, units=Units(vector=False, crossbar=False, lowrank=False))


@pytest.mark.parametrize(
    ("line", "unit"),
    [
        ("vget p3, v1, p1", "the vector unit"),
        ("loadv v1, 400(p0)", "the vector load/store unit"),
        ("loadx v1, p1", "the crossbar"),
        ("lrset RANK, p1", "the low-rank unit"),
    ],
)
def test_an_instruction_of_an_absent_unit_is_as_a_word_that_is_no_instruction(line: str, unit: str) -> None:
    install, handler = "li p1, handler\ncsrw HANDLER, p1\nmul p3, p1, p1\n", "\nhandler: csrr p2, CAUSE\nhalt"
    machine, other = (
        Simulator(assemble_text(install + wrong + handler), SCALAR, trace=True) for wrong in (line, ".word 0")
    )
    assert machine.run() == other.run() == "halt"
    assert machine.registers[2] == 1
    assert machine.take_events().records.tolist() == other.take_events().records.tolist()
    assert (machine.causes, machine.counts) == (other.causes, other.counts)
    program = assemble_text(f"nop\n{line}\nhalt")
    for ended in (Simulator(program, SCALAR).run, lambda: Interpreter(program, 78125, absent=SCALAR.absent).run(3)):
        with pytest.raises(Fault) as caught:
            ended()
        fault, name = caught.value, line.split()[0].upper()
        assert (fault.kind, fault.pc) == ("illegal instruction", 1)
        assert fault.detail == f"{name} needs {unit}, which this machine does not have"


def test_a_machine_runs_what_its_units_execute() -> None:
    program = assemble_text("li p1, 3\nsetvl p1\nvset v1, p0, p1\nvget p2, v1, p0\nsync\nhalt")
    assert Simulator(program, replace(SMALL, units=Units(crossbar=False, lowrank=False))).run() == "halt"
