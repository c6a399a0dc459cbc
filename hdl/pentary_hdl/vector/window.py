"""The elements that CONV multiplies: a window that moves over the rows of a vector, and the taps."""

from amaranth import Cat, Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from pentary.numbers.word import PENTS
from pentary_hdl.core import word as w
from pentary_hdl.vector.arithmetic import WORD_BITS
from pentary_hdl.vector.parameters import Sizes


class Window(wiring.Component):
    """Factors of CONV, a pass for each tap: in pass i, element j of the window is vs[j + i].

    Pass 0 of a row takes the row of vs, pass 1 the first elements of the next row. Pass 0 of row 0 takes the taps.

    Args:
        sizes: of the unit.

    Members:
        enable: In; a pass of CONV is in this cycle.
        begins: In; with it, pass 0 of row 0.
        number: In; of the pass.
        first, second: In; rows: of vs, in pass 0; of the taps, where it begins; the next one of vs, in pass 1.
        words: Out; the window.
        tap: Out; the other factor.
    """

    def __init__(self, sizes: Sizes) -> None:
        """Create a window."""
        self._sizes = sizes
        super().__init__(
            {
                "enable": In(1),
                "begins": In(1),
                "number": In(4),
                "first": In(sizes.row),
                "second": In(sizes.row),
                "words": Out(sizes.row),
                "tap": Out(w.WORD),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Move the window by an element in each pass."""
        m = Module()
        lanes = self._sizes.lanes
        taps = Signal(data.ArrayLayout(WORD_BITS, PENTS))
        moved = Signal((lanes - 1) * WORD_BITS)  # the window but for its last element
        ahead = Signal((PENTS - 1) * WORD_BITS)  # elements after it
        first, second = self.first.as_value(), self.second.as_value()
        window, following = Signal(lanes * WORD_BITS), Signal.like(ahead)
        m.d.comb += [
            following.eq(Mux(self.number == 1, second, ahead)),
            window.eq(Mux(self.number == 0, first, Cat(moved, following[:WORD_BITS]))),
            self.words.eq(window),
            self.tap.eq(Mux(self.begins, second[:WORD_BITS], taps[self.number])),
        ]
        with m.If(self.enable):
            m.d.sync += moved.eq(window[WORD_BITS:])
            with m.If(self.number != 0):
                m.d.sync += ahead.eq(following[WORD_BITS:])
            with m.If(self.begins):
                m.d.sync += taps.eq(second)
        return m
