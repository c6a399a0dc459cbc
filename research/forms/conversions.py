"""Conversion of a latent word of 8 pents between pents and two's complement."""

from collections.abc import Callable, Sequence
from typing import Final

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
    """Pents to two's complement, by a tree of shifts and additions.

    Members:
        words: In; a word for each lane, in pents.
        numbers: Out; the same numbers in two's complement, combinational.
    """

    def __init__(self) -> None:
        """Create the component."""
        super().__init__({"words": In(WORDS), "numbers": Out(NUMBERS)})

    def elaborate(self, platform: object) -> Module:
        """Build a tree for each lane."""
        m = Module()
        for lane in range(LANES):
            m.d.comb += self.numbers[lane].eq(joined(m, list(self.words[lane])))
        return m


TIMES: Final[dict[int, Callable[[Value], Value]]] = {
    1: lambda x: (x << 2) + x,
    2: lambda x: (x << 4) + (x << 3) + x,
    4: lambda x: (x << 9) + (x << 7) - (x << 4) + x,
    8: lambda x: (x << 19) - (x << 17) - (x << 11) - (x << 9) - (x << 5) + x,
}
"""Products with 5, 25, 625 and 390,625, by the number of pents that they shift by."""


def joined(m: Module, pents: Sequence[Value]) -> Value:
    """Return a number in two's complement, made of its pents: pairs of them, then pairs of these, and so on."""
    parts, length = list(pents), 1
    while len(parts) > 1:
        pairs = []
        for low, high in zip(parts[::2], parts[1::2], strict=True):
            part = Signal(signed((5 ** (2 * length) // 2).bit_length() + 1))
            m.d.comb += part.eq(TIMES[length](high) + low)
            pairs.append(part)
        parts, length = pairs, 2 * length
    return parts[0]


_PARTS = ((0, 4), (4, 4), (8, 4), (12, 4), (16, 3))
"""First bit and width of the fields converted by a table; a LUT has four inputs."""


class ToPents(wiring.Component):
    """Two's complement to pents, by adding up table entries for fields of a few bits.

    Members:
        numbers: In; a number for each lane, in two's complement, that fits 8 pents.
        words: Out; the same numbers in pents, combinational.
    """

    def __init__(self) -> None:
        """Create the component."""
        super().__init__({"numbers": In(NUMBERS), "words": Out(WORDS)})

    def elaborate(self, platform: object) -> Module:
        """Build the tables and adders, each as wide as its sum can be."""
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
    """Return the number of digits 0..4 of a number."""
    return next(digits for digits in range(1, OPERAND + 1) if 5**digits > largest)


def _digit(part: int, first: int, place: int) -> int:
    """Return a base-5 digit of the value of a bit field starting at `first`; the last field adds the bias 22...2."""
    if (first, ELEMENT.width - first) == _PARTS[-1]:
        return (as_signed(part, ELEMENT.width - first) * (1 << first) + 5**OPERAND // 2) // 5**place % 5
    return (part << first) // 5**place % 5
