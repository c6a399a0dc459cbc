"""Quantisation of a sum to a level -2..2 by two thresholds on its magnitude."""

from amaranth import Cat, Const, Module, Mux, Shape, Signal, Value, signed, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from forms import LANES, as_signed, lookup
from forms.chain import BIAS
from forms.sums import pents_of, sum_bits
from pentary.numbers.word import to_digits
from pentary_hdl.lralu.digits import PENT, reaches


class _DigitLevels(wiring.Component):
    def __init__(self, rank: int, digit: Shape, zero: int) -> None:
        self.pents, self._zero = pents_of(4 * rank), zero
        super().__init__(
            {
                "sums": In(data.ArrayLayout(data.ArrayLayout(digit, self.pents), LANES)),
                "least": In(data.ArrayLayout(3 * self.pents, 2)),
                "levels": Out(data.ArrayLayout(PENT, LANES)),
            }
        )

    def thresholds(self, one: int, two: int) -> dict[str, list[int]]:
        """Return the value of the port `least` for two thresholds."""

        def code(number: int) -> int:
            return sum((pent + BIAS) << 3 * i for i, pent in enumerate(to_digits(number).tolist()[: self.pents]))

        return {"least": [code(one), code(two)]}

    def elaborate(self, platform: object) -> Module:
        """Build comparators: the magnitude's digits, biased to 0..4, are compared as one binary number."""
        m = Module()
        for lane in range(LANES):
            negative = Const(0, 1)
            for digit in self.sums[lane]:  # sign of the highest nonzero digit
                negative = Mux(digit == self._zero, negative, digit < self._zero)
            magnitude = Cat(lookup(m, Cat(digit, negative), 3, self._positive) for digit in self.sums[lane])
            one, two = (magnitude >= threshold for threshold in self.least)
            m.d.comb += self.levels[lane].eq(level(one, two, negative))
        return m

    def _positive(self, code: int) -> int:
        pent = (code & 7) - self._zero if self._zero else as_signed(code, 3)
        return (-pent if code & 8 else pent) + BIAS


class PentLevels(_DigitLevels):
    """Quantisation of a sum in pents, compared digit by digit from the highest.

    Members:
        sums: In; a sum for each lane, in pents.
        least: In; smallest magnitudes for the levels 1 and 2, encoded by `thresholds`.
        levels: Out; a pent for each lane, combinational.
    """

    def __init__(self, rank: int) -> None:
        """Create the component for sums of at most `rank` products."""
        super().__init__(rank, PENT, zero=0)


class ChainLevels(_DigitLevels):
    """Quantisation of a sum in digits 0..4; members as in `PentLevels`."""

    def __init__(self, rank: int) -> None:
        """Create the component for sums of at most `rank` products."""
        super().__init__(rank, unsigned(3), zero=BIAS)


class _BinaryLevels(wiring.Component):
    def __init__(self, rank: int, numbers: int) -> None:
        self.bits = sum_bits(rank)
        own = signed(self.bits)
        super().__init__(
            {
                "sums": In(data.ArrayLayout(own if numbers == 1 else data.ArrayLayout(own, numbers), LANES)),
                "gaps": In(data.ArrayLayout(self.bits - 1, 2)),
                "levels": Out(data.ArrayLayout(PENT, LANES)),
            }
        )

    def thresholds(self, one: int, two: int) -> dict[str, list[int]]:
        """Return the value of the port `gaps` for two thresholds."""
        return {"gaps": [(1 << self.bits - 1) - threshold for threshold in (one, two)]}

    def _level(self, m: Module, value: Value) -> Value:
        one, two = Signal(), Signal()
        m.d.comb += [one.eq(reaches(value, self.gaps[0])), two.eq(reaches(value, self.gaps[1]))]
        return level(one, two, value[-1])


class BinaryLevels(_BinaryLevels):
    """Quantisation of a sum in two's complement.

    Members:
        sums: In; a sum for each lane, in two's complement.
        gaps: In; a power of two minus each threshold, encoded by `thresholds`.
        levels: Out; a pent for each lane, combinational.
    """

    def __init__(self, rank: int) -> None:
        """Create the component for sums of at most `rank` products."""
        super().__init__(rank, numbers=1)

    def elaborate(self, platform: object) -> Module:
        """Build comparators of the magnitudes."""
        m = Module()
        for lane in range(LANES):
            m.d.comb += self.levels[lane].eq(self._level(m, self.sums[lane]))
        return m


class CarrySaveLevels(_BinaryLevels):
    """Quantisation of a sum in carry-save form, added first; members as in `BinaryLevels`, `levels` one cycle later."""

    def __init__(self, rank: int) -> None:
        """Create the component for sums of at most `rank` products."""
        super().__init__(rank, numbers=2)

    def elaborate(self, platform: object) -> Module:
        """Build adders and comparators of the magnitudes."""
        m = Module()
        for lane in range(LANES):
            total = Signal(signed(self.bits), reset_less=True)
            m.d.sync += total.eq(self.sums[lane][0] + self.sums[lane][1])
            m.d.comb += self.levels[lane].eq(self._level(m, total))
        return m


def level(one: Value, two: Value, negative: Value) -> Value:
    """Return the pent for a magnitude that reaches the thresholds (`one`, `two`) or not, and its sign."""
    return Cat(one & ~two, one & (two | negative), one & negative)
