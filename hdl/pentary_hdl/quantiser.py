"""The quantiser: PQUANT of a row sum, round(s / sqrt(RANK)) in five levels, ties to 0.

Trits have three levels. Binary digits get a power of two instead of the root: a sum is shifted, and rounded.
"""

from amaranth import Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from pentary.lralu import LowRankParameters
from pentary_hdl.alphabet import PENTARY, Alphabet, Binary
from pentary_hdl.digits import reaches, saturated


class Quantiser(wiring.Component):
    """Compares each sum's magnitude with the two thresholds of a rank; between ranks it lets sums through as they are.

    Members:
        mark, rank_last: from the next cycle on quantise for this rank, which is RANK - 1.
        clear: from the next cycle on do not.
        sums: row sums.
        values: the same, or their levels.
    """

    def __init__(self, parameters: LowRankParameters, alphabet: Alphabet = PENTARY) -> None:
        """Take the greatest rank, and how many sums there are; and the alphabet of the levels."""
        self._parameters, self._alphabet = parameters, alphabet
        sums = data.ArrayLayout(signed(alphabet.sum_bits(parameters.max_rank)), parameters.movers)
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
        alphabet, ranks = self._alphabet, range(1, self._parameters.max_rank + 1)
        bits = len(self.sums[0])
        active, gaps = Signal(), [Signal(bits - 1, name=f"gap_{level}") for level in (1, 2)]
        least_shift = alphabet.shift(1) if isinstance(alphabet, Binary) else 0
        more_shift = Signal(range(alphabet.shift(ranks[-1]) - least_shift + 1 if least_shift else 1))
        with m.If(self.clear):
            m.d.sync += active.eq(0)
        with m.If(self.mark & ~active):
            m.d.sync += active.eq(1)
            with m.Switch(self.rank_last):
                for rank in ranks:
                    with m.Case(rank - 1):
                        if isinstance(alphabet, Binary):
                            m.d.sync += more_shift.eq(alphabet.shift(rank) - least_shift)
                            continue
                        # Trits have one threshold.
                        thresholds = zip(gaps, alphabet.thresholds(rank), strict=False)
                        m.d.sync += [gap.eq((1 << bits - 1) - threshold) for gap, threshold in thresholds]
        for value, total in zip(self.values, self.sums, strict=True):
            if isinstance(alphabet, Binary):
                level = saturated((total >> least_shift - 1 >> more_shift) + 1 >> 1, alphabet.bits)
            else:
                level = _level(m, total, gaps[: alphabet.greatest])
            m.d.comb += value.eq(Mux(active, level, total))
        return m


def _level(m: Module, total: Value, gaps: list[Signal]) -> Value:
    one, two = Signal(), Signal()
    negative = total[-1]
    if len(gaps) == 1:
        m.d.comb += one.eq(reaches(total, gaps[0]))
        return Cat(one, (one & negative).replicate(len(total) - 1)).as_signed()
    m.d.comb += [one.eq(reaches(total, gaps[0])), two.eq(reaches(total, gaps[1]))]
    return Cat(one & ~two, one & (two | negative), (one & negative).replicate(len(total) - 2)).as_signed()
