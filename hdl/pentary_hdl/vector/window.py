"""The elements that CONV multiplies: a window that moves over the rows of a vector, and the taps."""

from amaranth import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from pentary.numbers.word import PENTS
from pentary_hdl.core import word as w
from pentary_hdl.vector.arithmetic import picked
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
                "first": sizes.row(In),
                "second": sizes.row(In),
                "words": sizes.row(Out),
                "tap": Out(w.WORD),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Move the window by an element in each pass."""
        m = Module()
        lanes = self._sizes.lanes
        taps = [Signal(w.WORD, name=f"tap_{number}") for number in range(PENTS)]
        moved = [Signal(w.WORD, name=f"moved_{lane}") for lane in range(lanes - 1)]
        ahead = [Signal(w.WORD, name=f"ahead_{place}") for place in range(PENTS - 1)]  # elements after the window
        begins_row, takes_next = self.number == 0, self.number == 1
        following = [Mux(takes_next, word, own) for word, own in zip(self.second, ahead, strict=False)]
        for own, word, before in zip(self.words, self.first, [*moved, following[0]], strict=True):
            m.d.comb += own.eq(Mux(begins_row, word, before))
        m.d.comb += self.tap.eq(Mux(self.begins, self.second[0], picked(taps, self.number)))
        with m.If(self.enable):
            m.d.sync += [own.eq(word) for own, word in zip(moved, list(self.words)[1:], strict=True)]
            with m.If(~begins_row):
                m.d.sync += [own.eq(word) for own, word in zip(ahead, following[1:], strict=False)]
            with m.If(self.begins):
                m.d.sync += [own.eq(word) for own, word in zip(taps, self.second, strict=False)]
        return m
