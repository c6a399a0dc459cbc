"""Property of the quantiser, stated in integers without thresholds."""

from amaranth import Cat, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import Out

from pentary_hdl.lralu.quantiser import Quantiser
from pentary_hdl.lralu.twin import LowRankParameters


class Quantised(wiring.Component):
    """Correctness of the quantiser: a level is round(s / sqrt(r)) within -2..2, ties to zero, for the rank r.

    In integers: the magnitude is 1 or more if and only if 4 s^2 > r, and 2 if and only if 4 s^2 > 9 r.
    """

    def __init__(self, parameters: LowRankParameters) -> None:
        """Create the property for a quantiser; it covers all sums of its width, including those that cannot occur."""
        self._unit = unit = Quantiser(parameters)
        super().__init__({**unit.signature.members, "holds": Out(1)})
        self._ranks = parameters.max_rank

    def elaborate(self, platform: object) -> Module:
        """Compare the quantiser with squares of the sums."""
        m = Module()
        m.submodules.quantiser = unit = self._unit
        m.d.comb += [unit.mark.eq(self.mark), unit.rank_last.eq(self.rank_last), unit.clear.eq(self.clear)]
        m.d.comb += [
            Value.cast(unit.sums).eq(Value.cast(self.sums)),
            Value.cast(self.values).eq(Value.cast(unit.values)),
        ]

        rank, marked = Signal(range(self._ranks + 1)), Signal()
        with m.If(self.mark & ~marked):
            m.d.sync += [marked.eq(1), rank.eq(self.rank_last + 1)]
        with m.Elif(self.clear):
            m.d.sync += marked.eq(0)
        right = []
        for total, value in zip(self.sums, self.values, strict=True):
            square = 4 * total * total
            level = (square > rank) + (square > 9 * rank)
            right.append(value == Mux(marked, Mux(total < 0, -level, level), total))
        # Assumption: the control register RANK never exceeds `max_rank`.
        possible = Signal(init=1)
        with m.If(self.mark & (self.rank_last >= self._ranks)):
            m.d.sync += possible.eq(0)
        m.d.comb += self.holds.eq(~possible | Cat(right).all())
        return m
