"""`pentary verify core`: random programs on the core's Verilog and on the model, in lockstep."""

import json
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Final

import click

from pentary.isa.system import CAUSES
from pentary.machine import engines, lockstep
from pentary.machine.config import Config
from pentary.machine.engines import Engine, Setup
from pentary.numbers.word import PentaryError
from pentary.randomprogram import INTERRUPTS, random_program
from pentary_hdl.bench.core_ahead import built_ahead
from pentary_hdl.bench.core_coverage import CoreCoverage
from pentary_hdl.bench.core_directed import directed
from pentary_hdl.bench.core_presets import PRESETS, configuration
from pentary_hdl.engine import core
from pentary_hdl.netlist.technologies import TECHNOLOGIES

_LENGTH: Final = 400
_CYCLES: Final = 10_000_000
_CHARACTERS: Final = 0x110000
_SHOWN: Final = 8


def random_setup(config: Config, seed: int) -> Setup:
    """Return a random program for a machine, with its input and interrupts; the same for the same arguments."""
    rng = Random(seed)
    faults, system = rng.random() < 0.3, rng.random() < 0.8
    program = random_program(seed, _LENGTH, faults, system, config.absent)
    input = tuple(rng.randrange(_CHARACTERS) for _ in range(rng.randrange(20)))
    horizon = rng.choice((500, 2_000, 20_000))
    interrupts = tuple(rng.randrange(horizon) for _ in range(rng.randint(0, INTERRUPTS)))
    return Setup(program, config, input, interrupts)


def checked(
    config: Config, seed: int, instructions: int, engine: Engine = core.ENGINE
) -> Iterator[tuple[Setup, lockstep.Lockstep]]:
    """Yield programs and what their comparison has found, the directed ones and then random ones, up to a difference.

    Args:
        config: configuration of the core.
        seed: of the first random program; the others follow.
        instructions: least number, of the random programs together; if it is 0, there are no directed ones, either.
        engine: what is compared with the model, such as of `pentary_hdl.engine.core.engine_of`.

    Raises:
        PentaryError: the core cannot be built.
    """
    model = engines.engine("sim")
    for setup in directed(config) if instructions else ():
        found = lockstep.compare(model, engine, setup, _CYCLES)
        yield setup, found
        if found.difference:
            return
    done = 0
    while done < instructions:
        setup = random_setup(config, seed)
        found = lockstep.compare(model, engine, setup, _CYCLES)
        yield setup, found
        if found.difference:
            return
        done += found.outcome.instructions
        seed += 1


@dataclass
class Totals:
    """What has happened in the programs on a machine.

    Attributes:
        coverage: bins that have been hit.
        programs, instructions, cycles: numbers of them.
        traps: how often each kind of trap was taken, or ended a program.
    """

    coverage: CoreCoverage
    programs: int = 0
    instructions: int = 0
    cycles: int = 0
    traps: Counter[str] = field(default_factory=Counter)

    def add(self, setup: Setup, found: lockstep.Lockstep) -> None:
        """Count a program that has agreed."""
        self.coverage.add(setup.program, found.records, found.met)
        self.programs += 1
        self.instructions += found.outcome.instructions
        self.cycles += found.outcome.cycles
        kinds = {number: name for name, number in CAUSES.items()}
        self.traps.update(kinds[number] for number in found.records["trap"].tolist() if number)


def verify_core(
    preset: str,
    config: Path | None,
    seed: int,
    instructions: int | None,
    as_json: bool,
    technology: str | None = None,
    verilog: Path | None = None,
) -> None:
    """Check configurations one after the other, and print a line for each.

    Args:
        preset: of PRESETS.
        config: file of the configuration to be checked instead; None for those of the preset, or, with `verilog`, for
            the default one.
        seed: of the random programs.
        instructions: least number on each configuration; None for that of the preset.
        as_json: whether the lines are JSON.
        technology: what the core is synthesised to, of `pentary_hdl.netlist.technologies.TECHNOLOGIES`; None for the
            Verilog before synthesis.
        verilog: file with the core that is checked, as of `pentary_hdl.engine.core.engine_of`; None for ours.

    Raises:
        PentaryError: the core differs from the model, a bin was never hit, or the core cannot be built.
    """
    if preset not in PRESETS:
        raise PentaryError(f"the core has the presets {', '.join(PRESETS)}")
    chosen = PRESETS[preset]
    if config or verilog:
        machines = {str(config or verilog): Config.load(config) if config else Config()}
    else:
        machines = {name: configuration(name) for name in chosen.configurations}
    if not as_json:
        click.echo(f"seed {seed}")
    count = chosen.instructions if instructions is None else instructions
    made_of = verilog or technology
    engine = core.engine_of(verilog) if verilog else engines.engine(technology or "core")
    later = [] if config or verilog else list(machines)[1:]
    with built_ahead(later, technology) as wait:
        for name, machine in machines.items():
            began = time.monotonic()
            wait(name)
            figures = _checked_one(name, machine, seed, count, engine, made_of)
            figures["seconds"] = round(time.monotonic() - began, 1)
            click.echo(json.dumps(figures) if as_json else _line(figures))
            if missing := figures["missing"]:
                more = f" and {len(missing) - _SHOWN:,} more" * (len(missing) > _SHOWN)
                never = ", ".join(missing[:_SHOWN]) + more
                raise PentaryError(f"{name}: bins that were never hit: {never}; take more --operations")


def _checked_one(
    name: str, machine: Config, seed: int, count: int, engine: Engine, made_of: str | Path | None
) -> dict[str, Any]:
    """Check a configuration, and return its figures."""
    total = Totals(CoreCoverage(machine))
    for setup, found in checked(machine, seed, count, engine):
        if found.difference:
            raise PentaryError(_told(name, seed, total.programs + 1, setup, found, made_of))
        total.add(setup, found)
    return {
        "configuration": name,
        "verilog": str(made_of) if isinstance(made_of, Path) else None,
        "netlist": TECHNOLOGIES[made_of].help if isinstance(made_of, str) else None,
        "seed": seed,
        "programs": total.programs,
        "instructions": total.instructions,
        "cycles": total.cycles,
        "traps": total.traps.total(),
        "bins": len(total.coverage.hits),
        "missing": [" ".join(map(str, each)) for each in total.coverage.missing] if count else [],
    }


def _line(figures: dict[str, Any]) -> str:
    """Return the figures of a configuration as a line."""
    hit = figures["bins"] - len(figures["missing"])
    return (
        f"{figures['configuration']:14}  {figures['programs']:4} programs, {figures['instructions']:7,} instructions, "
        f"{figures['cycles']:7,} cycles, 0 differences, {hit:,} of {figures['bins']:,} bins hit, "
        f"{figures['seconds']:.0f} s"
    )


def _told(name: str, seed: int, number: int, setup: Setup, found: lockstep.Lockstep, made_of: str | Path | None) -> str:
    """Return a difference, with the stages of the core in that cycle and a file of waves around it."""
    parts = [f"configuration {name}, seed {seed}, program {number}: {found.difference}"]
    if found.cycle is not None:
        stages, waves = core.around(setup, found.cycle, made_of)
        parts += [f"the core in cycle {found.cycle}:\n{stages}", f"waves of the cycles around it: {waves}"]
    return "\n\n".join(parts)
