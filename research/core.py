"""The core's Verilog against the model: programs in lockstep on fifteen machines, a million random instructions.

    python research/core.py     writes core.json and .md in its folder; half an hour

Programs, machines and comparison are those of `pentary verify core`; on one of them come kernels and training. The
speed of Verilator and of the model is that of the same programs in the same run.
"""

import json
import sys
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path
from time import perf_counter
from typing import Any, Final

import sources
from pentary.asm import assemble_text
from pentary.isa.system import CAUSES
from pentary.machine import engines, lockstep
from pentary.machine.engines import Setup
from pentary.programs.benchmarks import SIZES, assembled
from pentary.tasks.digits import Digits
from pentary.tasks.target import Target
from pentary_hdl.bench.core_command import Totals, checked
from pentary_hdl.bench.core_coverage import CoreCoverage
from pentary_hdl.bench.core_presets import CONFIGURATIONS, configuration
from pentary_hdl.engine import core, core_training
from pentary_hdl.tools.toolchain import check_installed
from pentary_sim import training
from pentary_sim.simulator import Simulator

HERE: Final = Path(__file__).parent
RECORD: Final = HERE / "core.json"

INSTRUCTIONS: Final = 1_000_000
WORKERS: Final = 2
"""Machines that are compared at a time."""

FIRST_SEED: Final = 3_000_000
SEEDS: Final = 100_000
"""Seeds kept for each machine."""

WHOLE: Final = "large"
"""Machine on which kernels and training run."""

TRAININGS: Final = (
    (Target(), {"steps": 2}),
    (Target(), {"steps": 2, "perturb": "factored"}),
    (Digits(), {"steps": 1, "population": 64}),
)
"""Tasks, and parameters other than their defaults."""

COUNTED: Final = ("cycles", "instructions")

_LOOP: Final = """
        li      p1, 30000
loop:   mul     p2, p1, p1
        add     p3, p3, p2
        store   p3, 100(zero)
        load    p4, 100(zero)
        div2    p5, p4
        dec     p1
        bnz     p1, loop
        halt
"""
"""Program by which the engines are timed."""


BESIDE: Final = (
    *("pentary.support", "pentary_hdl.tools"),
    *("pentary.cli", "pentary.tasks", "pentary.runs", "pentary.nets", "pentary.es"),
)
"""What is imported for the command line, and has no part in the comparison; digests of trainings are tested by
themselves."""


ENGINES: Final = sources.ROOT / "hdl" / "pentary_hdl" / "engine" / "__init__.py"
"""The engines of trainings, with their help."""


def digest() -> str:
    """Return the digest of what was compared: the core, the model, and the writer of programs."""
    modules = ("pentary_hdl.bench.core_command", "pentary_sim.execution", "pentary.machine.lockstep")
    files = [file for file in sources.imported(modules, but=BESIDE) if file != ENGINES]
    return sources.digest([*files, core.DRIVER])


def compared() -> dict[str, Any]:
    """Return the record: what agreed on each machine, and what happened."""
    before = digest()
    with ProcessPoolExecutor(WORKERS) as pool:
        machines = dict(zip(CONFIGURATIONS, pool.map(machine, range(len(CONFIGURATIONS))), strict=True))
    found = {"machines": machines, "kernels": kernels(), "trainings": trainings(), "speed": timed()}
    if digest() != before:
        sys.exit("the sources have changed in the meantime, so nothing was written")
    return found | {"sources": before}


def machine(number: int) -> dict[str, int]:
    """Return what happened on a machine, by its number in CONFIGURATIONS."""
    name = list(CONFIGURATIONS)[number]
    config, seed = configuration(name), FIRST_SEED + number * SEEDS
    total = Totals(CoreCoverage(config))
    for setup, found in checked(config, seed, -(-INSTRUCTIONS // len(CONFIGURATIONS))):
        if found.difference:
            raise SystemExit(f"{name}, seed {seed}, program {total.programs + 1}: {found.difference}")
        total.add(setup, found)
    if missing := total.coverage.missing:
        told = ", ".join(" ".join(map(str, each)) for each in missing)
        raise SystemExit(f"{name}: bins that were never hit: {told}")
    print(f"{name}: {total.instructions:,} instructions", flush=True)
    counts = {key: getattr(total, key) for key in ("programs", "instructions", "cycles")}
    return counts | {"bins": len(total.coverage.hits)} | {cause: total.traps[cause] for cause in CAUSES}


def kernels() -> dict[str, int]:
    """Return the cycles of each kernel in its middle size, which agree with the model in every record."""
    cycles = {}
    for name, sizes in SIZES.items():
        setup = Setup(assembled(name, sizes[1]), configuration(WHOLE))
        found = lockstep.compare(engines.engine("sim"), engines.engine("core"), setup, 10**8)
        if found.difference:
            sys.exit(f"{name}: {found.difference}")
        cycles[name] = found.outcome.cycles
    return cycles


def trainings() -> list[dict[str, Any]]:
    """Return what some trainings count, which have the digests and the cycles of the model after every step."""
    config, rows = configuration(WHOLE), []
    for task, changes in TRAININGS:
        parameters = replace(task.defaults, **changes)
        model, hardware = (
            [{"digest": step.digest, **{name: step.measured[name] for name in COUNTED}} for step in steps]
            for steps in (engine.train(task, parameters, config) for engine in (training, core_training))
        )
        if model != hardware:
            sys.exit(f"{task.name} {changes}: {model} is not {hardware}")
        rows.append({"task": task.name, **asdict(parameters), **hardware[-1]})
    return rows


def timed() -> dict[str, Any]:
    """Return cycles a second of the core in Verilator and of the model without records, in turn within one run."""
    setup = Setup(assemble_text(_LOOP), configuration("plain"))
    process = core.build(setup.config, print)
    Simulator(setup.program, setup.config).run(max_instructions=10)  # compiles
    rates: dict[str, list[float]] = {"core": [], "sim": []}
    for _ in range(3):
        began = perf_counter()
        with core.CoreRun(process, setup) as run:
            for _ in run:
                pass
        rates["core"].append(run.outcome.cycles / (perf_counter() - began))
        machine = Simulator(setup.program, setup.config)
        began = perf_counter()
        machine.run()
        rates["sim"].append(machine.cycles / (perf_counter() - began))
    best = {name: max(found) for name, found in rates.items()}
    return {"processor": sources.processor(), **{f"{name} cycles a second": round(rate) for name, rate in best.items()}}


def document(found: Mapping[str, Any]) -> str:
    """Return the text of core.md."""
    machines, speed = found["machines"], found["speed"]
    rows = "\n".join(
        f"| {name} | {each['programs']:,} | {each['instructions']:,} | {each['cycles']:,} | "
        f"{sum(each[cause] for cause in CAUSES):,} | {each['bins']:,} |"
        for name, each in machines.items()
    )
    kernels_told = ", ".join(f"{name} {cycles:,}" for name, cycles in found["kernels"].items())
    trained = "\n".join(
        f"| {each['task']} | {each['perturb']} | {each['population']} | {each['steps']} | {each['instructions']:,} | "
        f"{each['cycles']:,} | `{each['digest'][:16]}` |"
        for each in found["trainings"]
    )
    total = {
        key: sum(each[key] for each in machines.values()) for key in ("programs", "instructions", "cycles", *CAUSES)
    }
    traps = "\n".join(f"| {cause} | {total[cause]:,} |" for cause in CAUSES if cause != "bus")
    settings = "\n".join(
        f"| {name} | {'; '.join(line.strip() for line in text.split(chr(10)) if line.strip()) or 'as they are'} |"
        for name, text in CONFIGURATIONS.items()
    )
    ours, model = speed["core cycles a second"], speed["sim cycles a second"]
    return f"""# The core's Verilog against the model

Made by `python research/core.py`: random programs with traps and interrupts at random moments, as in
`pentary verify core`, on the Verilog in Verilator and on the model. Compared are all columns of the
[retire records](../architecture/retire.md), the cycle included, and counts, registers, memory and output at the end.

**{total["instructions"]:,} instructions in {total["cycles"]:,} cycles, {total["programs"]:,} programs, 0 differences.**

| machine | programs | instructions | cycles | traps | bins, all hit |
|---|---:|---:|---:|---:|---:|
{rows}

| machine | settings beside the defaults |
|---|---|
{settings}

| trap | taken |
|---|---:|
{traps}

The [bins](../architecture/verification.md#the-core) are of instructions, traps, waits and paths of operands. The memory
makes no errors, so there is no bus fault. A difference ends the comparison with its seed; seeds are from {FIRST_SEED:,}
on.

On `{WHOLE}` the kernels in their middle sizes take these cycles, in which both agree: {kernels_told}.
Training there has the digests and the cycles of the model after every step:

| task | members | population | steps | instructions | cycles | digest |
|---|---|---:|---:|---:|---:|---|
{trained}

On {speed["processor"]}, in one run, a loop of seven instructions: the core in Verilator {ours:,} cycles a second with
its records, the model {model:,} without, {model / ours:,.0f} times as many.
"""


def main() -> None:
    """Compare, and write the record."""
    check_installed("verilator")
    engines.engine("core")
    found = compared()
    RECORD.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    RECORD.with_suffix(".md").write_text(document(found), encoding="utf-8")


if __name__ == "__main__":
    main()
