"""The property of the quantiser, in integers and without thresholds."""

from amaranth import Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from pentary.lowrank import pquant_thresholds
from pentary.lralu import LowRankParameters
from pentary_hdl.digits import reaches


class Quantiser(wiring.Component):
    """Levels of row sums, with the interface of the unit's quantiser.

    Members:
        mark, rank_last: from the next cycle on quantise for this rank, which is RANK - 1.
        clear: from the next cycle on do not.
        sums: row sums.
        values: the same, or their levels.
    """

    def __init__(self, parameters: LowRankParameters) -> None:
        """Take the greatest rank."""
        self._parameters = parameters
        sums = data.ArrayLayout(signed(parameters.sum_bits), 1)
        super().__init__(
            {
                "mark": In(1),
                "rank_last": In(range(parameters.max_rank)),
                "clear": In(1),
                "sums": In(sums),
                "values": Out(sums),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Compare with thresholds."""
        m = Module()
        bits = self._parameters.sum_bits - 1
        active, one, two = Signal(), Signal(bits), Signal(bits)
        with m.If(self.clear):
            m.d.sync += active.eq(0)
        with m.If(self.mark & ~active), m.Switch(self.rank_last):
            for rank in range(1, self._parameters.max_rank + 1):
                with m.Case(rank - 1):
                    least = pquant_thresholds(rank)
                    m.d.sync += [active.eq(1), one.eq((1 << bits) - least[0]), two.eq((1 << bits) - least[1])]
        for value, total in zip(self.values, self.sums, strict=True):
            level = Signal(range(3))
            m.d.comb += level.eq(reaches(total, one) + reaches(total, two))
            m.d.comb += value.eq(Mux(active, Mux(total < 0, -level, level), total))
        return m


class Quantised(wiring.Component):
    """A level is round(s / sqrt(r)), at most 2 in magnitude, ties to the level nearer zero; r is the rank.

    In integers: the magnitude is 1 or more exactly if 4 s^2 > r, and 2 exactly if 4 s^2 > 9 r.
    """

    def __init__(self, parameters: LowRankParameters) -> None:
        """Take the greatest rank; all sums of its width are looked at, also those that no product makes."""
        self._unit = unit = Quantiser(parameters)
        super().__init__({**unit.signature.members, "holds": Out(1)})
        self._ranks = parameters.max_rank

    def elaborate(self, platform: object) -> Module:
        """Square."""
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
        # The registers of control hold no rank past the greatest.
        possible = Signal(init=1)
        with m.If(self.mark & (self.rank_last >= self._ranks)):
            m.d.sync += possible.eq(0)
        m.d.comb += self.holds.eq(~possible | Cat(right).all())
        return m
