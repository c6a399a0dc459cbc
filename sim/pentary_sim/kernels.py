"""Benchmark kernels of `pentary.programs.benchmarks` on the cycle-level model.

What is measured lies between the labels `kernel` and `kernel_end` of a program; `frame.s` describes its other parts.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pentary.machine.config import Config
from pentary.numbers.word import PentaryError
from pentary.programs.benchmarks import SIZES, assembled
from pentary_sim.events import CAUSES
from pentary_sim.simulator import Simulator

_ISSUE: Final = CAUSES.index("issue")
_MOST: Final = 100_000_000  # instructions, to end what a change has made endless


@dataclass(frozen=True)
class Measured:
    """A run of a kernel.

    Attributes:
        name, size: kernel, and its parameter N.
        causes: cycles of the measured part, charged to each of `CAUSES` in its order.
    """

    name: str
    size: int
    causes: tuple[int, ...]

    @property
    def instructions(self) -> int:
        """Instructions retired in the measured part."""
        return self.causes[_ISSUE]

    @property
    def cycles(self) -> int:
        """Cycles of the measured part."""
        return sum(self.causes)

    @property
    def cpi(self) -> float:
        """Cycles per instruction."""
        return self.cycles / self.instructions


def measure(name: str, size: int, config: Config | None = None) -> Measured:
    """Run a kernel and count the cycles of its measured part.

    Args:
        name: from `SIZES`.
        size: its parameter N.
        config: of the machine; None for the default.

    Raises:
        PentaryError: the program finds its own result wrong, or does not come to its end.

    >>> measured = measure("towers", 3)
    >>> measured.name, measured.size, measured.cycles > measured.instructions
    ('towers', 3, True)
    """
    program = assembled(name, size)
    machine = Simulator(program, config)
    if machine.run(max_instructions=_MOST) != "halt":
        raise PentaryError(f"the kernel {name} of size {size} does not end")
    if machine.pc != program.address("passed"):
        raise PentaryError(f"the kernel {name} of size {size} finds its result wrong: p1 is {machine.registers[1]}")
    first, end = program.address("kernel"), program.address("kernel_end")
    return Measured(name, size, tuple(machine.profile[first:end].sum(axis=0).tolist()))


def run(config: Path | None = None) -> dict[str, dict[str, Any]]:
    """Run every kernel in its middle size.

    Args:
        config: file with the settings of the machine; None for the default.

    Returns:
        By name: size, instructions, cycles, cycles per instruction, and cycles by cause.
    """
    machine = None if config is None else Config.load(config)
    return {name: figures(measure(name, sizes[1], machine)) for name, sizes in SIZES.items()}


def figures(measured: Measured) -> dict[str, Any]:
    """Return the figures of a run as JSON values."""
    causes = {cause: cycles for cause, cycles in zip(CAUSES, measured.causes, strict=True) if cycles}
    return {
        "size": measured.size,
        "instructions": measured.instructions,
        "cycles": measured.cycles,
        "cpi": round(measured.cpi, 3),
        "causes": causes,
    }


def text(found: dict[str, dict[str, Any]]) -> str:
    """Return what `run` returns as a table."""
    lines = [f"{'kernel':13} {'size':>6} {'instructions':>13} {'cycles':>10} {'CPI':>6}  cycles lost"]
    for name, own in found.items():
        counts = f"{own['size']:6,} {own['instructions']:13,} {own['cycles']:10,} {own['cpi']:6.2f}"
        lines.append(f"{name:13} {counts}  {lost(own)}")
    return "\n".join(lines)


def lost(own: dict[str, Any], most: int = 4) -> str:
    """Return the causes of most cycles other than `issue`, with their shares of all cycles."""
    by_cycles = sorted(own["causes"].items(), key=lambda item: -item[1])
    shares = [(cause, cycles / own["cycles"]) for cause, cycles in by_cycles if cause != "issue"]
    return ", ".join(f"{cause} {share:.0%}" for cause, share in shares[:most] if share >= 0.005) or "none"
