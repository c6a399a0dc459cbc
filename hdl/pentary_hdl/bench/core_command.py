"""`pentary verify core`: random programs on the core's Verilog and on the model, in lockstep."""

import json
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any, Final

import click
import numpy as np

from pentary.isa.encoding import decode
from pentary.isa.system import CAUSES
from pentary.isa.table import INSTRUCTIONS
from pentary.machine import engines, lockstep
from pentary.machine.config import Config
from pentary.machine.engines import Setup
from pentary.numbers.word import PentaryError
from pentary.randomprogram import INTERRUPTS, random_program
from pentary_hdl.bench.core_presets import PRESETS, configuration
from pentary_hdl.engine import core
from pentary_hdl.netlist.technologies import TECHNOLOGIES

_LENGTH: Final = 400
_CYCLES: Final = 10_000_000
_CHARACTERS: Final = 0x110000


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
    config: Config, seed: int, instructions: int, engine: str = "core"
) -> Iterator[tuple[Setup, lockstep.Lockstep]]:
    """Yield random programs and what their comparison has found, until there are enough instructions or a difference.

    Args:
        config: configuration of the core.
        seed: of the first program; the others follow.
        instructions: least number, of all programs together.
        engine: what is compared with the model, of `pentary.machine.engines.MODULES`.

    Raises:
        PentaryError: the core cannot be built.
    """
    model, other = engines.engine("sim"), engines.engine(engine)
    done = 0
    while done < instructions:
        setup = random_setup(config, seed)
        found = lockstep.compare(model, other, setup, _CYCLES)
        yield setup, found
        if found.difference:
            return
        done += found.outcome.instructions
        seed += 1


def bins(found: lockstep.Lockstep) -> Counter[str]:
    """Return how often each instruction was executed, and each trap taken, in a program."""
    records = found.records
    counts: Counter[str] = Counter()
    words, numbers = np.unique(records["word"][records["trap"] == 0], return_counts=True)
    for word, number in zip(words.tolist(), numbers.tolist(), strict=True):
        counts[decode(word).instruction.name] += number
    kinds = {number: name for name, number in CAUSES.items()}
    counts.update(kinds[number] for number in records["trap"].tolist() if number)
    return counts


def expected_bins(config: Config) -> list[str]:
    """Return the names of all bins of a configuration."""
    names = [line.name for line in INSTRUCTIONS if line.unit not in config.absent]
    never = {"bus"} if config.exceptions.overflow_trap else {"bus", "overflow"}
    return [*names, *(name for name in CAUSES if name not in never)]


def verify_core(
    preset: str,
    config: Path | None,
    seed: int,
    instructions: int | None,
    as_json: bool,
    technology: str | None = None,
) -> None:
    """Check configurations one after the other, and print a line for each.

    Args:
        preset: of PRESETS.
        config: file of the configuration to be checked instead; None for those of the preset.
        seed: of the random programs.
        instructions: least number on each configuration; None for that of the preset.
        as_json: whether the lines are JSON.
        technology: what the core is synthesised to, of `pentary_hdl.netlist.technologies.TECHNOLOGIES`; None for the
            Verilog before synthesis.

    Raises:
        PentaryError: the core differs from the model, a bin was never hit, or the core cannot be built.
    """
    if preset not in PRESETS:
        raise PentaryError(f"the core has the presets {', '.join(PRESETS)}")
    chosen = PRESETS[preset]
    machines = (
        {str(config): Config.load(config)} if config else {name: configuration(name) for name in chosen.configurations}
    )
    if not as_json:
        click.echo(f"seed {seed}")
    for name, machine in machines.items():
        began, cycles, programs, total = time.monotonic(), 0, 0, Counter[str]()
        count = chosen.instructions if instructions is None else instructions
        for setup, found in checked(machine, seed, count, technology or "core"):
            if found.difference:
                raise PentaryError(_told(name, seed + programs, setup, found, technology))
            programs += 1
            cycles += found.outcome.cycles
            total += bins(found)
            total["instructions"] += found.outcome.instructions
        missing = [each for each in expected_bins(machine) if not total[each]] if count else []
        figures: dict[str, Any] = {
            "configuration": name,
            "netlist": technology and TECHNOLOGIES[technology].help,
            "seed": seed,
            "programs": programs,
            "instructions": total["instructions"],
            "cycles": cycles,
            "traps": sum(total[kind] for kind in CAUSES),
            "seconds": round(time.monotonic() - began, 1),
            "missing": missing,
        }
        hit = len(expected_bins(machine)) - len(missing)
        told = f"{programs:4} programs, {total['instructions']:7,} instructions, {cycles:7,} cycles, 0 differences"
        bins_told = f"{hit} of {len(expected_bins(machine))} bins hit"
        click.echo(json.dumps(figures) if as_json else f"{name:14}  {told}, {bins_told}, {figures['seconds']:.0f} s")
        if missing:
            raise PentaryError(f"{name}: never executed or taken: {', '.join(missing)}; take more --operations")


def _told(name: str, seed: int, setup: Setup, found: lockstep.Lockstep, technology: str | None) -> str:
    """Return a difference, with the stages of the core in that cycle and a file of waves around it."""
    parts = [f"configuration {name}, program with seed {seed}: {found.difference}"]
    if found.cycle is not None:
        stages, waves = core.around(setup, found.cycle, technology)
        parts += [f"the core in cycle {found.cycle}:\n{stages}", f"waves of the cycles around it: {waves}"]
    return "\n\n".join(parts)
