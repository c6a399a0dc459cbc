"""Sizes of vectors and factors that the pipeline needs in EX: VL and ROWS."""

from typing import Final

from amaranth import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from pentary.isa.table import CONTROL_RESET, CONTROLS, MAX_VL
from pentary.machine.config import Config
from pentary_hdl.core import conversion
from pentary_hdl.core import word as w
from pentary_hdl.vector.parameters import Sizes

ROWS: Final = tuple(CONTROLS).index("ROWS")
"""Number of the control register that holds them."""

_DIGITS: Final = conversion.digits_for(MAX_VL)


class Lengths(wiring.Component):
    """VL, in the forms in which it is needed, and ROWS.

    Args:
        config: configuration of the machine.

    Members:
        new: In; a word.
        sets_length, sets_rows: In; VL, or ROWS, becomes `new`.
        length, rows: Out; words.
        beyond: Out; the first address that is too high for VL consecutive words in memory.
        vl: Out; VL as a binary number.
        last_row: Out; number of the last row of a vector.
    """

    def __init__(self, config: Config) -> None:
        """Create the registers."""
        self._words, self._lanes = config.memory.words, config.lowrank.lanes
        super().__init__(
            {
                "new": In(w.WORD),
                "sets_length": In(1),
                "sets_rows": In(1),
                "length": Out(w.WORD, init=w.biased(MAX_VL)),
                "rows": Out(w.WORD, init=w.biased(CONTROL_RESET["ROWS"])),
                "beyond": Out(w.WORD, init=w.biased(self._words + 1 - MAX_VL)),
                "vl": Out(range(MAX_VL + 1), init=MAX_VL),
                "last_row": Out(Sizes.of(config).row_number),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Convert VL as it is set."""
        m = Module()
        beyond, _ = w.add(m, w.constant(self._words + 1), w.negated(list(self.new)))
        number = conversion.to_binary(m, list(self.new)[:_DIGITS])
        with m.If(self.sets_length):
            m.d.sync += [self.length.eq(self.new), self.vl.eq(number), *w.assign(self.beyond, beyond)]
        with m.If(self.sets_rows):
            m.d.sync += self.rows.eq(self.new)
        m.d.comb += self.last_row.eq((self.vl - 1) >> ceil_log2(self._lanes))
        return m
