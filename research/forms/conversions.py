"""A latent word of 8 pents from one form into the other."""

from amaranth import Const, Module, Signal, Value, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from forms import LANES, as_signed, chain, lookup
from forms.latents import ELEMENT
from pentary.isa.table import OPERAND
from pentary_hdl.digits import PENT

WORDS = data.ArrayLayout(data.ArrayLayout(PENT, OPERAND), LANES)
NUMBERS = data.ArrayLayout(ELEMENT, LANES)


class ToBinary(wiring.Component):
    """Pents to two's complement, by adding shifted halves.

    Members:
        words: pents.
        numbers: the same in binary, in the same cycle.
    """

    def __init__(self) -> None:
        """Take nothing."""
        super().__init__({"words": In(WORDS), "numbers": Out(NUMBERS)})

    def elaborate(self, platform: object) -> Module:
        """Put two pents together, then two pairs, and so on."""
        m = Module()
        for lane in range(LANES):
            parts: list[Value] = list(self.words[lane])
            for pents, times in ((2, _five), (4, _twenty_five), (8, _six_hundred_twenty_five)):
                joined = []
                for low, high in zip(parts[::2], parts[1::2], strict=True):
                    part = Signal(signed((5**pents // 2).bit_length() + 1))
                    m.d.comb += part.eq(times(high) + low)
                    joined.append(part)
                parts = joined
            m.d.comb += self.numbers[lane].eq(parts[0])
        return m


def _five(x: Value) -> Value:
    return (x << 2) + x


def _twenty_five(x: Value) -> Value:
    return (x << 4) + (x << 3) + x


def _six_hundred_twenty_five(x: Value) -> Value:
    return (x << 9) + (x << 7) - (x << 4) + x


_PARTS = ((0, 6), (6, 6), (12, 7))
"""First bit and bits of what a table turns into digits."""


class ToPents(wiring.Component):
    """Two's complement to pents: tables of the digits of three parts, and two additions of digits.

    Members:
        numbers: at most 8 pents.
        words: the same in pents, in the same cycle.
    """

    def __init__(self) -> None:
        """Take nothing."""
        super().__init__({"numbers": In(NUMBERS), "words": Out(WORDS)})

    def elaborate(self, platform: object) -> Module:
        """Add the two lower parts, which are no longer than six digits, and then the highest."""
        m = Module()
        for lane in range(LANES):
            low, middle, high = (self.numbers[lane][first : first + bits] for first, bits in _PARTS)
            zero = Const(0, 3)
            units = [*(lookup(m, low, 3, lambda n, i=i: n // 5**i % 5) for i in range(3)), *[zero] * 3]
            sixty_fours = [lookup(m, middle, 3, lambda n, i=i: 64 * n // 5**i % 5 + chain.EXCESS) for i in range(6)]
            lower = chain.add(m, units, sixty_fours, Const(0, 1))
            upper = [lookup(m, high, 3, lambda n, i=i: _high_digit(n, i)) for i in range(OPERAND)]
            lower += [zero] * (OPERAND - len(lower))
            for pent, digit in zip(self.words[lane], chain.add(m, lower, upper, Const(0, 1), True), strict=True):
                m.d.comb += pent.eq(digit)
        return m


def _high_digit(number: int, place: int) -> int:
    """Give a digit, with 3 added, of the highest part plus 22...2."""
    whole = as_signed(number, _PARTS[2][1]) * (1 << _PARTS[2][0]) + 5**OPERAND // 2
    return whole // 5**place % 5 + chain.EXCESS
