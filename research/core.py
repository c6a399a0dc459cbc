"""The core's Verilog against the model: a million random instructions on fifteen machines, in lockstep.

    python research/core.py     writes core.json and .md in its folder; half an hour

Programs, machines and comparison are those of `pentary verify core`. The speed of Verilator and of the model is that of
the same programs in the same run.
"""

import json
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from time import perf_counter
from typing import Any, Final

import sources
from pentary.asm import assemble_text
from pentary.isa.system import CAUSES
from pentary.machine import engines
from pentary.machine.engines import Setup
from pentary_hdl.bench.core_command import bins, checked, expected_bins
from pentary_hdl.bench.core_presets import CONFIGURATIONS, configuration
from pentary_hdl.engine import core
from pentary_hdl.tools.toolchain import check_installed
from pentary_sim.simulator import Simulator

HERE: Final = Path(__file__).parent
RECORD: Final = HERE / "core.json"

INSTRUCTIONS: Final = 1_000_000
FIRST_SEED: Final = 3_000_000
SEEDS: Final = 100_000
"""Seeds kept for each machine."""

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


def digest() -> str:
    """Return the digest of what was compared: the core, the model, and the writer of programs."""
    modules = ("pentary_hdl.bench.core_command", "pentary_sim.execution", "pentary.machine.lockstep")
    return sources.digest([*sources.imported(modules, but=["pentary.support", "pentary_hdl.tools"]), core.DRIVER])


def compared() -> dict[str, Any]:
    """Return the record: what agreed on each machine, and what happened."""
    before, machines = digest(), {}
    share = -(-INSTRUCTIONS // len(CONFIGURATIONS))
    for number, name in enumerate(CONFIGURATIONS):
        config, total = configuration(name), Counter[str]()
        for place, (_, found) in enumerate(checked(config, FIRST_SEED + number * SEEDS, share)):
            if found.difference:
                sys.exit(f"{name}, seed {FIRST_SEED + number * SEEDS + place}: {found.difference}")
            total += bins(found)
            total["programs"] += 1
            total["instructions"] += found.outcome.instructions
            total["cycles"] += found.outcome.cycles
        missing = [each for each in expected_bins(config) if not total[each]]
        if missing:
            sys.exit(f"{name}: never executed or taken: {', '.join(missing)}")
        machines[name] = {key: total[key] for key in ("programs", "instructions", "cycles", *CAUSES)}
        print(f"{name}: {total['instructions']:,} instructions", flush=True)
    speed = timed()
    if digest() != before:
        sys.exit("the sources have changed in the meantime, so nothing was written")
    return {"machines": machines, "speed": speed, "sources": before}


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
        f"{sum(each[cause] for cause in CAUSES):,} |"
        for name, each in machines.items()
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

| machine | programs | instructions | cycles | traps |
|---|---:|---:|---:|---:|
{rows}

| machine | settings beside the defaults; all are without units beside the pipeline |
|---|---|
{settings}

| trap | taken |
|---|---:|
{traps}

Every scalar instruction was executed, and every kind of trap taken, on every machine, but bus faults: the memory makes
no errors. A difference ends the comparison with its seed; seeds are from {FIRST_SEED:,} on.

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
