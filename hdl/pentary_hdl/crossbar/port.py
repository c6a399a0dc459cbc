"""The port between the crossbar's unit and its array of devices, of a size that the hardware chooses."""

from dataclasses import dataclass
from typing import Final

from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from pentary.isa.table import BY_NAME, MAX_VL
from pentary.numbers.word import PentaryError
from pentary_hdl.core import word as w
from pentary_hdl.vector.parameters import Sizes

STEPS: Final = 16
"""Cycles in which an instruction reads its vector."""

_BEATS: Final = 2
_SIDES: Final = (16, 32, 64, 128, 256)

assert max(_SIDES) == MAX_VL and min(_SIDES) == STEPS
assert all(BY_NAME[name].occupancy == str(STEPS) for name in ("LOADX", "MATVEC"))
assert BY_NAME["LOADX"].latency == str(STEPS)
assert BY_NAME["MATVEC"].latency == str(STEPS + 2 + _BEATS)


@dataclass(frozen=True)
class Shape:
    """Shape of an array: its devices are those of the rows and columns from 0 on; there are no others.

    Attributes:
        rows, columns: 16, 32, 64, 128 or 256.
    """

    rows: int = MAX_VL
    columns: int = MAX_VL

    def __post_init__(self) -> None:
        """Check the sizes.

        Raises:
            PentaryError: a size is none of those.
        """
        for name in ("rows", "columns"):
            if getattr(self, name) not in _SIDES:
                raise PentaryError(f"an array has 16, 32, 64, 128 or 256 {name}, not {getattr(self, name)}")

    @property
    def inputs(self) -> int:
        """Elements of MATVEC's vector in a step, each for a row."""
        return self.rows // STEPS

    @property
    def levels(self) -> int:
        """Elements of LOADX's vector in a step, each for a column."""
        return self.columns // STEPS

    def beats(self, sizes: Sizes) -> int:
        """Return the number of cycles in which the sums come."""
        return min(_BEATS, -(-self.columns // sizes.lanes))

    def written(self, sizes: Sizes) -> int:
        """Return how many rows of a vector register are written with a beat of sums."""
        return max(1, self.columns // sizes.lanes // _BEATS)

    def sums(self, sizes: Sizes) -> int:
        """Return how many sums a beat has."""
        return self.columns // self.beats(sizes)


def array_port(sizes: Sizes, shape: Shape) -> wiring.Signature:
    """Return the signature of the port to an array, as the unit sees it; `architecture/crossbar.md` has the timing.

    Members:
        step: Out; number of the step, s.
        loads: Out; in this cycle is step s of LOADX.
        row: Out; with `loads`, the row of devices.
        levels: Out; with `loads`, the pents of columns n s .. n s + n - 1, for n = `shape.levels`.
        multiplies: Out; in this cycle is step s of MATVEC.
        words: Out; with `multiplies`, the inputs of rows m s .. m s + m - 1, for m = `shape.inputs`.
        sums: In; three cycles after the last step of MATVEC those of the lowest columns, in the next cycle the others.
    """
    return wiring.Signature(
        {
            "step": Out(ceil_log2(STEPS)),
            "loads": Out(1),
            "row": Out(range(shape.rows)),
            "levels": Out(w.DIGIT).array(shape.levels),
            "multiplies": Out(1),
            "words": Out(w.WORD).array(shape.inputs),
            "sums": In(w.WORD).array(shape.sums(sizes)),
        }
    )
