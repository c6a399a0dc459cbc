"""Quantiser: PQUANT of a row sum, round(s / sqrt(RANK)) in five levels, ties to 0.

Trits have three levels. For binary digits a power of two replaces the root: the sum is shifted right and rounded.
"""

from collections.abc import Callable

from amaranth import Cat, Module, Mux, Signal, Value, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from pentary_hdl.lralu.alphabet import PENTARY, Alphabet, Binary
from pentary_hdl.lralu.digits import reaches, saturated
from pentary_hdl.lralu.twin import LowRankParameters

_Load = Callable[[int], list]
_Level = Callable[[Value], Value]


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
        """Load the thresholds or the shift of the rank into registers, and quantise with them."""
        m = Module()
        binary = isinstance(self._alphabet, Binary)
        active, (load, level) = Signal(), self._shifts() if binary else self._thresholds(m)
        with m.If(self.clear):
            m.d.sync += active.eq(0)
        with m.If(self.mark & ~active):
            m.d.sync += active.eq(1)
            with m.Switch(self.rank_last):
                for rank in range(1, self._parameters.max_rank + 1):
                    with m.Case(rank - 1):
                        m.d.sync += load(rank)
        for value, total in zip(self.values, self.sums, strict=True):
            m.d.comb += value.eq(Mux(active, level(total), total))
        return m

    def _thresholds(self, m: Module) -> tuple[_Load, _Level]:
        """Store each threshold as its distance from a power of two, so that one carry chain compares.

        Returns:
            A function from a rank to the statements that load the registers, and one from a sum to its level.
        """
        thresholds, bits = self._alphabet.thresholds, len(self.sums[0])
        gaps = [Signal(bits - 1, name=f"gap_{level}") for level in range(1, self._alphabet.greatest + 1)]

        def load(rank: int) -> list:
            pairs = zip(gaps, thresholds(rank), strict=True)
            return [gap.eq((1 << bits - 1) - threshold) for gap, threshold in pairs]

        return load, lambda total: _level(m, total, gaps)

    def _shifts(self) -> tuple[_Load, _Level]:
        """Store by how much the shift of the rank exceeds that of rank 1; returns what `_thresholds` does."""
        shift = self._alphabet.shift
        more_shift = Signal(range(shift(self._parameters.max_rank) - shift(1) + 1))

        def level(total: Value) -> Value:
            halves = total >> shift(1) - 1 >> more_shift
            return saturated(halves + 1 >> 1, self._alphabet.bits)

        return lambda rank: [more_shift.eq(shift(rank) - shift(1))], level


def _level(m: Module, total: Value, gaps: list[Signal]) -> Value:
    negative = total[-1]
    if len(gaps) == 1:
        one = reaches(total, gaps[0])
        return Cat(one, (one & negative).replicate(len(total) - 1)).as_signed()
    one, two = Signal(), Signal()
    m.d.comb += [one.eq(reaches(total, gaps[0])), two.eq(reaches(total, gaps[1]))]
    return Cat(one & ~two, one & (two | negative), (one & negative).replicate(len(total) - 2)).as_signed()
