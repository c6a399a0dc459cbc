"""Operations on the elements of two rows: sums, comparisons, choices and QUANT."""

from amaranth import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from pentary.numbers.word import PENTS
from pentary_hdl.vector import arithmetic
from pentary_hdl.vector.arithmetic import SUM, WORD_BITS, nothing, widened
from pentary_hdl.vector.decoder import Op, is_any
from pentary_hdl.vector.parameters import Sizes


class Elements(wiring.Component):
    """Operations on elements, in two stages: the operation, then saturation.

    Args:
        sizes: of the unit.

    Members:
        op: In; which, of `decoder.Op`.
        k: In; shift of QUANT.
        width: In; w of QUANT less 1.
        x, y: In; rows.
        inside: In; a bit for each element that is less than VL.
        sums: Out; x + y, or x - y of VSUB and POPEVAL, in the same cycle, each of `arithmetic.SUM`.
        words: Out; the result in the next cycle; 0 in the elements past VL.
        mask: Out; with `words`, a bit for each element that is written.
    """

    def __init__(self, sizes: Sizes) -> None:
        """Create the lanes."""
        self._sizes = sizes
        lanes = sizes.lanes
        super().__init__(
            {
                "op": In(Op),
                "k": In(5),
                "width": In(4),
                "x": sizes.row(In),
                "y": sizes.row(In),
                "inside": In(lanes),
                "sums": Out(SUM).array(lanes),
                "words": sizes.row(Out),
                "mask": Out(lanes),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Compute all operations in each lane, and choose."""
        m = Module()
        op = self.op
        minus, with_nothing, adds, takes = Signal(), Signal(), Signal(), Signal()
        quantises, compares = op == Op.QUANT, op == Op.VCMP
        m.d.comb += [
            minus.eq(is_any(op, ["VSUB", "POPEVAL"])),
            with_nothing.eq(is_any(op, ["VSEL", "RELU"])),
            adds.eq(is_any(op, ["VADD", "VADDS", "VSUB"])),
            takes.eq(is_any(op, ["VSEL", "VSET"])),
        ]
        saturated_width, inside = Signal(range(PENTS + 1)), Signal(self._sizes.lanes)
        m.d.sync += [
            saturated_width.eq(Mux(op == Op.QUANT, self.width + 1, PENTS)),
            inside.eq(self.inside),
        ]
        width = arithmetic.Width(m, saturated_width)
        selected: list[Value] = []
        for lane in range(self._sizes.lanes):
            x, y = self.x[lane].as_value(), self.y[lane].as_value()
            m.d.comb += self.sums[lane].eq(arithmetic.total(m, x, y, minus))
            other, less, equal = Signal(WORD_BITS), Signal(), Signal()
            m.d.comb += [other.eq(Mux(with_nothing, nothing(), y)), less.eq(x < other), equal.eq(x == other)]
            shifted = arithmetic.shifted_right(x, self.k)
            # The lowest digit of 0 is 2, so that of -1 and 1 is 1 more or less without a carry.
            relation = nothing() - less + (~less & ~equal)
            selected.append(~less & ~equal)

            result = Signal(SUM, name=f"result_{lane}")
            word = Mux(quantises, shifted, Mux(takes, y, Mux(compares, relation[:WORD_BITS], Mux(less, nothing(), x))))
            m.d.sync += result.eq(Mux(adds, self.sums[lane], widened(word)))
            m.d.comb += self.words[lane].as_value().eq(Mux(inside[lane], width.saturated(result), nothing()))
        # VSEL keeps the elements that it does not choose, but for those past VL, which become 0 as everywhere.
        m.d.sync += self.mask.eq(Mux(op == Op.VSEL, Cat(selected) | ~self.inside, ~Const(0, self._sizes.lanes)))
        return m
