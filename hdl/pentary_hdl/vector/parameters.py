"""Sizes of the vector unit, and what its instructions are, from the configuration and the instruction table."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from amaranth import Shape, unsigned
from amaranth.lib import wiring
from amaranth.utils import ceil_log2

from pentary.isa.encoding import operands
from pentary.isa.table import BY_NAME, INSTRUCTIONS, MAX_VL, Instruction
from pentary.isa.timing import TERMS, coefficients
from pentary.machine.config import Config
from pentary_hdl.core import word as w

NAMES: Final = tuple(line.name for line in INSTRUCTIONS if line.unit == "vector")
"""Instructions of the vector unit."""


@dataclass(frozen=True)
class Sizes:
    """Sizes of the vector registers, and those that follow from the number of lanes.

    Attributes:
        lanes: elements of a row, which are read, computed and written in a cycle.
        beat: words that are moved to or from memory in a cycle.
    """

    lanes: int
    beat: int

    @classmethod
    def of(cls, config: Config) -> "Sizes":
        """Return the sizes for a configuration."""
        return cls(config.lowrank.lanes, min(config.dcache.beat, config.caches.line))

    @property
    def slots(self) -> int:
        """Memories of a register, a power of two: as many consecutive elements are read or written in a cycle."""
        return max(self.lanes, 1 << ceil_log2(self.beat))

    @property
    def place(self) -> Shape:
        """Shape of the place of an element in the memory of its slot; it has a bit even if there is one place only."""
        return unsigned(max(1, ceil_log2(MAX_VL // self.slots)))

    @property
    def depth(self) -> int:
        """Levels of a binary tree over the lanes."""
        return ceil_log2(self.lanes)

    @property
    def rows(self) -> int:
        """Rows of a vector register."""
        return MAX_VL // self.lanes

    @property
    def row_number(self) -> Shape:
        """Shape of the number of a row; it has a bit even if there is one row only."""
        return unsigned(max(1, ceil_log2(self.rows)))

    def row(self, flow: wiring.Flow) -> wiring.Member:
        """Return a member that is a row, with a signal of its own for each element."""
        return flow(w.WORD).array(self.lanes)

    def lag(self, name: str) -> int:
        """Return latency less occupancy of an instruction.

        Its last row is read in the cycle start + occupancy - 1, so many cycles before the last one of the latency.
        """
        line = BY_NAME[name]
        lag = dict(zip(TERMS, (coefficients(line.latency) - coefficients(line.occupancy)).tolist(), strict=True))
        assert {term for term, factor in lag.items() if factor} <= {"", "d"}, f"{name}: more than rows in its latency"
        return lag[""] + self.depth * lag["d"]


def having(operand: str, names: Iterable[str] = NAMES) -> list[str]:
    """Return the names among those of some instructions that have an operand, such as "vd"."""
    return [name for name in names if operand in roles(BY_NAME[name])]


def roles(line: Instruction) -> set[str]:
    """Return the operands of an instruction, as the instruction table names them."""
    return {name for name, _ in operands(line)}


def occupying(occupancy: str) -> list[str]:
    """Return the names of the instructions of the unit with an occupancy, such as "v"."""
    return [name for name in NAMES if BY_NAME[name].occupancy == occupancy]


assert {BY_NAME[name].occupancy for name in NAMES} == {"1", "v", "wv"}
