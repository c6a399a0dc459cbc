"""Quantisation: a sum becomes the level, -2..2, that two thresholds give its magnitude."""

from amaranth import Cat, Module, Shape, Signal, Value, signed, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from forms import LANES
from forms.chain import BIAS
from forms.sums import pents_of, sum_bits
from pentary.word import to_digits
from pentary_hdl.digits import PENT, reaches


class PentLevels(wiring.Component):
    """Of a sum in pents: numbers in balanced digits are in the order of their highest digits that differ.

    Members:
        sums: their pents.
        least, most: from which sums on the levels are 1 and 2, and up to which they are -1 and -2: pents plus `OFFSET`.
        levels: in the same cycle.
    """

    OFFSET = 4

    def __init__(self, rank: int) -> None:
        """Take the number of products in a sum."""
        self.pents = pents_of(4 * rank)
        thresholds = data.ArrayLayout(3 * self.pents, 2)
        super().__init__(
            {
                "sums": In(data.ArrayLayout(data.ArrayLayout(self._digit(), self.pents), LANES)),
                "least": In(thresholds),
                "most": In(thresholds),
                "levels": Out(data.ArrayLayout(PENT, LANES)),
            }
        )

    def thresholds(self, one: int, two: int) -> dict[str, list[int]]:
        """Give what belongs into the ports for two thresholds."""

        def code(number: int) -> int:
            return sum((pent + self.OFFSET) << 3 * i for i, pent in enumerate(to_digits(number).tolist()[: self.pents]))

        return {"least": [code(one), code(two)], "most": [code(-one), code(-two)]}

    def elaborate(self, platform: object) -> Module:
        """Compare the digits, without their signs, as one binary number."""
        m = Module()
        for lane in range(LANES):
            code = Cat(self._unsigned(digit) for digit in self.sums[lane])
            least = [code >= each for each in self.least]
            most = [code <= each for each in self.most]
            m.d.comb += self.levels[lane].eq(level(least[0] | most[0], least[1] | most[1], most[0]))
        return m

    def _digit(self) -> Shape:
        return PENT

    def _unsigned(self, digit: Value) -> Value:
        return Cat(digit[:2], ~digit[2])


class ChainLevels(PentLevels):
    """Of a sum in digits 0..4, which are in order as they are."""

    OFFSET = BIAS

    def _digit(self) -> Shape:
        return unsigned(3)

    def _unsigned(self, digit: Value) -> Value:
        return digit


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
        """Give what belongs into the ports for two thresholds."""
        return {"gaps": [(1 << self.bits - 1) - threshold for threshold in (one, two)]}

    def _level(self, m: Module, value: Value) -> Value:
        one, two = Signal(), Signal()
        m.d.comb += [one.eq(reaches(value, self.gaps[0])), two.eq(reaches(value, self.gaps[1]))]
        return level(one, two, value[-1])


class BinaryLevels(_BinaryLevels):
    """Of a sum in two's complement.

    Members:
        sums: binary.
        gaps: what the thresholds lack to a power of two.
        levels: in the same cycle.
    """

    def __init__(self, rank: int) -> None:
        """Take the number of products in a sum."""
        super().__init__(rank, numbers=1)

    def elaborate(self, platform: object) -> Module:
        """Compare the magnitudes."""
        m = Module()
        for lane in range(LANES):
            m.d.comb += self.levels[lane].eq(self._level(m, self.sums[lane]))
        return m


class CarrySaveLevels(_BinaryLevels):
    """Of a sum as two numbers, which are added first: members as in `BinaryLevels`, levels a cycle later."""

    def __init__(self, rank: int) -> None:
        """Take the number of products in a sum."""
        super().__init__(rank, numbers=2)

    def elaborate(self, platform: object) -> Module:
        """Add, and compare the magnitudes."""
        m = Module()
        for lane in range(LANES):
            total = Signal(signed(self.bits), reset_less=True)
            m.d.sync += total.eq(self.sums[lane][0] + self.sums[lane][1])
            m.d.comb += self.levels[lane].eq(self._level(m, total))
        return m


def level(one: Value, two: Value, negative: Value) -> Value:
    """Give the pent of a magnitude that reaches the thresholds or not, and of its sign."""
    return Cat(one & ~two, one & (two | negative), one & negative)
