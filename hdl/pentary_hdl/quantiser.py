"""The quantiser: PQUANT of a row sum, round(s / sqrt(RANK)) in five levels, ties to 0."""

from amaranth import Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from pentary.lowrank import pquant_thresholds
from pentary.lralu import LowRankParameters
from pentary_hdl.digits import reaches


class Quantiser(wiring.Component):
    """Compares each sum's magnitude with the two thresholds of a rank; between ranks it lets sums through as they are.

    Members:
        mark, rank_last: from the next cycle on quantise for this rank, which is RANK - 1.
        clear: from the next cycle on do not.
        sums: row sums.
        values: the same, or their levels.
    """

    def __init__(self, parameters: LowRankParameters) -> None:
        """Take the greatest rank, and how many sums there are."""
        self._parameters = parameters
        sums = data.ArrayLayout(signed(parameters.sum_bits), parameters.movers)
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
        """Keep the thresholds in registers, as what is missing to a power of two: so one carry chain compares."""
        m = Module()
        bits = self._parameters.sum_bits
        active, gaps = Signal(), [Signal(bits - 1, name=f"gap_{level}") for level in (1, 2)]
        with m.If(self.clear):
            m.d.sync += active.eq(0)
        with m.If(self.mark & ~active):
            m.d.sync += active.eq(1)
            with m.Switch(self.rank_last):
                for rank in range(1, self._parameters.max_rank + 1):
                    with m.Case(rank - 1):
                        thresholds = zip(gaps, pquant_thresholds(rank), strict=True)
                        m.d.sync += [gap.eq((1 << bits - 1) - threshold) for gap, threshold in thresholds]
        for value, total in zip(self.values, self.sums, strict=True):
            m.d.comb += value.eq(Mux(active, _level(m, total, gaps), total))
        return m


def _level(m: Module, total: Value, gaps: list[Signal]) -> Value:
    one, two = Signal(), Signal()
    m.d.comb += [one.eq(reaches(total, gaps[0])), two.eq(reaches(total, gaps[1]))]
    negative = total[-1]
    return Cat(one & ~two, one & (two | negative), (one & negative).replicate(len(total) - 2)).as_signed()
