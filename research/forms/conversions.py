"""A latent word of 8 pents from one form into the other."""

from amaranth import Const, Module, Signal, Value, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from forms import LANES, as_signed, chain, lookup
from forms.latents import ELEMENT
from pentary.isa.table import OPERAND
from pentary_hdl.lralu.digits import PENT

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


_PARTS = ((0, 4), (4, 4), (8, 4), (12, 4), (16, 3))
"""First bit and bits of what a table turns into digits: so many as a LUT has inputs."""


class ToPents(wiring.Component):
    """Two's complement to pents: tables of the digits of some bits each, which are added up.

    Members:
        numbers: at most 8 pents.
        words: the same in pents, in the same cycle.
    """

    def __init__(self) -> None:
        """Take nothing."""
        super().__init__({"numbers": In(NUMBERS), "words": Out(WORDS)})

    def elaborate(self, platform: object) -> Module:
        """Add part by part, in as many digits as the sum can have."""
        m = Module()
        for lane in range(LANES):
            total: list[Value] = []
            for first, bits in _PARTS:
                last = first + bits == ELEMENT.width
                length = OPERAND if last else _length((1 << first + bits) - 1)
                part = self.numbers[lane][first : first + bits]
                total += [Const(0, 3)] * (length - len(total))
                excess = chain.EXCESS if first else 0
                digits = [
                    lookup(m, part, 3, lambda n, f=first, i=i, e=excess: _digit(n, f, i) + e) for i in range(length)
                ]
                total = chain.add(m, total, digits, Const(0, 1), balanced=last) if first else digits
            for pent, digit in zip(self.words[lane], total, strict=True):
                m.d.comb += pent.eq(digit)
        return m


def _length(largest: int) -> int:
    """Count the digits 0..4 of a number."""
    return next(digits for digits in range(1, OPERAND + 1) if 5**digits > largest)


def _digit(part: int, first: int, place: int) -> int:
    """Give a digit of some of a number's bits, the first of which is that one; to the highest 22...2 is added."""
    if (first, ELEMENT.width - first) == _PARTS[-1]:
        return (as_signed(part, ELEMENT.width - first) * (1 << first) + 5**OPERAND // 2) // 5**place % 5
    return (part << first) // 5**place % 5
