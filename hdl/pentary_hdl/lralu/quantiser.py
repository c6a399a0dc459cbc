"""Quantiser: PQUANT of a row sum, round(s / sqrt(RANK)) in five levels, ties to 0.

Trits have three levels. For binary digits a power of two replaces the root: the sum is shifted right and rounded.
"""

from amaranth import Module, Mux, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from pentary_hdl.lralu.alphabet import PENTARY, Alphabet
from pentary_hdl.lralu.twin import LowRankParameters


class Quantiser(wiring.Component):
    """Quantiser of row sums by the two thresholds of the rank; passes sums through while it is inactive.

    Members:
        mark, rank_last: In, quantise from the next cycle on, for RANK = rank_last + 1; ignored while quantising.
        clear: In, pass sums through from the next cycle on.
        sums: In, row sums.
        values: Out, in the same cycle: the sums, or their levels while quantising.
    """

    def __init__(self, parameters: LowRankParameters, alphabet: Alphabet = PENTARY) -> None:
        """Create a quantiser for the greatest rank and the sums of a beat, with an alphabet of the levels."""
        self._parameters, self._alphabet = parameters, alphabet
        sums = data.ArrayLayout(signed(alphabet.sum_bits(parameters.max_rank)), parameters.beat_elements)
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
        """Load the thresholds or the shift of the rank into registers, and quantise with them."""
        m = Module()
        bits = len(self.sums[0])
        active, (load, level) = Signal(), self._alphabet.quantisation(self._parameters.max_rank, bits)
        with m.If(self.clear):
            m.d.sync += active.eq(0)
        with m.If(self.mark & ~active):
            m.d.sync += active.eq(1)
            with m.Switch(self.rank_last):
                for rank in range(1, self._parameters.max_rank + 1):
                    with m.Case(rank - 1):
                        m.d.sync += load(rank)
        for value, total in zip(self.values, self.sums, strict=True):
            m.d.comb += value.eq(Mux(active, level(m, total), total))
        return m
