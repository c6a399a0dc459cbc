"""Operations of the scalar pipeline on words of 16 pents in three forms, for `research/word_form.py`.

pents: digits -2..2 in three bits of two's complement; carries by parallel prefix, since the carry of a digit is one of
seven functions of the carry into it.

biased: digits 0..4, the pents plus 2; the cells of the core, `pentary_hdl.core.word`.

binary: two's complement of 38 bits.
"""

from typing import Final

from amaranth import C, Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from forms import as_signed, chain, lookup
from forms.conversions import joined
from pentary.numbers.word import PENTS, WORD_MAX
from pentary_hdl.core import word as core
from pentary_hdl.lralu.digits import PENT, WORD

BITS: Final = 38
BINARY: Final = signed(BITS)
MODULUS: Final = 5**PENTS
_SHIFT: Final = range(PENTS + 1)

CARRIES: Final = ((-1, -1, -1), (-1, -1, 0), (-1, 0, 0), (0, 0, 0), (0, 0, 1), (0, 1, 1), (1, 1, 1))
"""Functions of the carry: the carries out of a digit for -1, 0 and 1 into it, by the sum of the digits.

There are no others, nor does any come of one after the other.
"""
_NEUTRAL: Final = CARRIES.index((0, 0, 0))


def _carries(total: int) -> int:
    """Return the index into CARRIES for the sum of two pents."""
    return CARRIES.index(tuple((total + into + 2) // 5 for into in (-1, 0, 1)))  # type: ignore[arg-type]


def _then(codes: int) -> int:
    """Return the index of what two functions do one after the other; the first one's index is in the low bits."""
    first, second = codes & 7, codes >> 3
    if max(first, second) >= len(CARRIES):
        return _NEUTRAL
    return CARRIES.index(tuple(CARRIES[second][into + 1] for into in CARRIES[first]))  # type: ignore[arg-type]


class PentAdd(wiring.Component):
    """Sum of two words, wrapped, and whether it does not fit; in pents."""

    def __init__(self) -> None:
        """Create the component."""
        super().__init__({"x": In(WORD), "y": In(WORD), "z": Out(WORD), "v": Out(1)})

    def elaborate(self, platform: object) -> Module:
        """Add digit by digit, join the functions of the carries pairwise, and correct the digits."""
        m = Module()
        sums = [lookup(m, Cat(x, y), signed(4), _sum_of_pents) for x, y in zip(self.x, self.y, strict=True)]
        functions: list[Value] = [
            lookup(m, each.as_unsigned(), 3, lambda code: _carries(_small(code))) for each in sums
        ]
        reach = 1
        while reach < PENTS:  # Sklansky's prefix network
            functions = [
                lookup(m, Cat(functions[i // reach * reach - 1], own), 3, _then) if i // reach % 2 else own
                for i, own in enumerate(functions)
            ]
            reach *= 2
        carries = [lookup(m, each, signed(2), lambda code: CARRIES[code][1] if code < 7 else 0) for each in functions]
        into: list[Value] = [Const(0, signed(2)), *carries[:-1]]
        for z, total, carry in zip(self.z, sums, into, strict=True):
            m.d.comb += z.eq(lookup(m, Cat(total, carry), PENT, _corrected))
        m.d.comb += self.v.eq(carries[-1] != 0)
        return m


def _small(code: int) -> int:
    return max(-4, min(4, as_signed(code, 4)))


def _sum_of_pents(code: int) -> int:
    return as_signed(code & 7, 3) + as_signed(code >> 3, 3)


def _corrected(code: int) -> int:
    total = _small(code & 15) + as_signed(code >> 4, 2)
    return (total + 2) % 5 - 2


class BiasedAdd(wiring.Component):
    """The same of biased digits, as the core does it."""

    def __init__(self) -> None:
        """Create the component."""
        super().__init__({"x": In(core.WORD), "y": In(core.WORD), "z": Out(core.WORD), "v": Out(1)})

    def elaborate(self, platform: object) -> Module:
        """Add."""
        m = Module()
        digits, carried = core.add(m, list(self.x), list(self.y))
        m.d.comb += [*(z.eq(digit) for z, digit in zip(self.z, digits, strict=True)), self.v.eq(carried != 1)]
        return m


class BinaryAdd(wiring.Component):
    """The same in two's complement."""

    def __init__(self) -> None:
        """Create the component."""
        super().__init__({"x": In(BINARY), "y": In(BINARY), "z": Out(BINARY), "v": Out(1)})

    def elaborate(self, platform: object) -> Module:
        """Add, compare with the limits, and correct by 5^16."""
        m = Module()
        total, over, under = Signal(signed(BITS + 1)), Signal(), Signal()
        m.d.comb += [
            total.eq(self.x + self.y),
            over.eq(total > WORD_MAX),
            under.eq(total < -WORD_MAX),
            self.z.eq(total + Mux(over, C(-MODULUS, signed(BITS)), Mux(under, C(MODULUS, signed(BITS + 1)), 0))),
            self.v.eq(over | under),
        ]
        return m


class PentLess(wiring.Component):
    """Whether a word is less than another, in pents: the highest pair of digits that differ decides."""

    def __init__(self) -> None:
        """Create the component."""
        super().__init__({"x": In(WORD), "y": In(WORD), "less": Out(1)})

    def elaborate(self, platform: object) -> Module:
        """Compare digit by digit, and join the results pairwise."""
        m = Module()
        decided = [Cat(x < y, x != y) for x, y in zip(self.x, self.y, strict=True)]
        while len(decided) > 1:
            decided = [
                Cat(Mux(high[1], high[0], low[0]), high[1] | low[1])
                for low, high in zip(decided[::2], decided[1::2], strict=True)
            ]
        m.d.comb += self.less.eq(decided[0][0])
        return m


class PlainLess(wiring.Component):
    """The same of biased digits or in two's complement: as the numbers that their bits are."""

    def __init__(self, shape: object) -> None:
        """Create the component for biased digits or BINARY."""
        super().__init__({"x": In(shape), "y": In(shape), "less": Out(1)})  # type: ignore[arg-type]

    def elaborate(self, platform: object) -> Module:
        """Compare."""
        m = Module()
        x, y = (each if isinstance(each, Value) else Value.cast(each) for each in (self.x, self.y))
        m.d.comb += self.less.eq(x < y)
        return m


class PentShift(wiring.Component):
    """A word shifted right by 0..16 pents, which rounds, and whether pents other than 0 are lost; in pents."""

    def __init__(self) -> None:
        """Create the component."""
        super().__init__({"x": In(WORD), "k": In(5), "z": Out(WORD), "lost": Out(1)})

    def elaborate(self, platform: object) -> Module:
        """Build a barrel shifter."""
        m = Module()
        digits: list[Value] = list(self.x)
        lost: Value = Const(0, 1)
        for step in range(5):
            by = 1 << step
            lost = lost | (self.k[step] & Cat(*digits[:by]).any())
            chosen = [Signal(PENT) for _ in digits]
            filled = [*digits[by:], *[Const(0, PENT)] * by]
            m.d.comb += [
                c.eq(Mux(self.k[step], other, own)) for c, own, other in zip(chosen, digits, filled, strict=True)
            ]
            digits = list(chosen)
        m.d.comb += [*(z.eq(digit) for z, digit in zip(self.z, digits, strict=True)), self.lost.eq(lost)]
        return m


class BiasedShift(wiring.Component):
    """The same of biased digits, as the core does it."""

    def __init__(self) -> None:
        """Create the component."""
        super().__init__({"x": In(core.WORD), "k": In(5), "z": Out(core.WORD), "lost": Out(1)})

    def elaborate(self, platform: object) -> Module:
        """Shift."""
        m = Module()
        digits, lost = core.shifted_right(m, list(self.x), self.k)
        m.d.comb += [*(z.eq(digit) for z, digit in zip(self.z, digits, strict=True)), self.lost.eq(lost)]
        return m


class BinaryShift(wiring.Component):
    """The same in two's complement: a product with the reciprocal of a power of 5, and back with the power."""

    def __init__(self) -> None:
        """Create the component."""
        super().__init__({"x": In(BINARY), "k": In(5), "z": Out(BINARY), "lost": Out(1)})

    def elaborate(self, platform: object) -> Module:
        """Multiply by reciprocals so exact that the quotient of every word is."""
        m = Module()
        power, raise_by, lower_by = Signal(BITS), Signal(BITS + 1), Signal(BITS)
        reciprocal = Signal(_PRECISION + 1)
        with m.Switch(self.k):
            for k in _SHIFT:
                with m.Case(k):
                    m.d.comb += [
                        power.eq(5**k),
                        raise_by.eq(5**k // 2 + MODULUS),  # rounds, and makes the dividend positive
                        lower_by.eq(MODULUS // 5**k),
                        reciprocal.eq(-(-(1 << _PRECISION) // 5**k)),
                    ]
        dividend, back = Signal(BITS + 1), Signal(signed(BITS))
        m.d.comb += [
            dividend.eq(self.x + raise_by),
            self.z.eq((dividend * reciprocal >> _PRECISION) - lower_by),
            back.eq((self.z * power)[:BITS].as_signed()),
            self.lost.eq(back != self.x),
        ]
        return m


_PRECISION: Final = 78
"""Fraction bits of the reciprocals.

An error below 2^-78 times a dividend below 2^39 stays below the 1 / 5^16 > 2^-38 by which a quotient that is no integer
differs from the next one.
"""


class BinaryProduct(wiring.Component):
    """Product of two words as high * 5^16 + low, two words, in two's complement, four cycles later."""

    def __init__(self) -> None:
        """Create the component."""
        super().__init__({"x": In(BINARY), "y": In(BINARY), "high": Out(BINARY), "low": Out(BINARY)})

    def elaborate(self, platform: object) -> Module:
        """Multiply, estimate the quotient by 5^16 from the high bits, and correct it with the remainder."""
        m = Module()
        product, later = Signal(signed(2 * BITS)), Signal(signed(2 * BITS))
        quotient, rest = Signal(BINARY), Signal(signed(BITS + 1))
        kept = Signal(BINARY)
        m.d.sync += [
            product.eq(self.x * self.y),
            quotient.eq(((product >> _DROPPED) * _RECIPROCAL) >> _QUOTIENT_SHIFT),
            later.eq(product),
            kept.eq(quotient),
            rest.eq((later[: BITS + 1] - (quotient * MODULUS)[: BITS + 1])[: BITS + 1].as_signed()),
        ]
        over, under = rest > WORD_MAX, rest < -WORD_MAX
        m.d.sync += [
            self.high.eq(kept + Mux(over, 1, Mux(under, -1, 0))),
            self.low.eq(rest + Mux(over, C(-MODULUS, signed(BITS)), Mux(under, C(MODULUS, signed(BITS + 1)), 0))),
        ]
        return m


_DROPPED: Final = 34
_QUOTIENT_SHIFT: Final = 44
_RECIPROCAL: Final = (1 << _DROPPED + _QUOTIENT_SHIFT) // MODULUS
"""Of 5^16, in units of 2^-44 for the product without its low 34 bits: the quotient is at most 1 off."""


class ToBinary(wiring.Component):
    """A word in pents, in two's complement."""

    def __init__(self) -> None:
        """Create the component."""
        super().__init__({"x": In(WORD), "z": Out(BINARY)})

    def elaborate(self, platform: object) -> Module:
        """Build the tree."""
        m = Module()
        m.d.comb += self.z.eq(joined(m, list(self.x)))
        return m


class ToPents(wiring.Component):
    """A word in two's complement, in pents: table entries for fields of four bits, added up in a tree."""

    def __init__(self) -> None:
        """Create the component."""
        super().__init__({"x": In(BINARY), "z": Out(WORD)})

    def elaborate(self, platform: object) -> Module:
        """Build tables and adders; the number is biased first, so that no digit is negative."""
        m = Module()
        biased = Signal(BITS)
        m.d.comb += biased.eq(self.x + WORD_MAX)
        parts = [
            [lookup(m, biased[at : at + 4], 3, lambda n, a=at, i=i: (n << a) // 5**i % 5) for i in range(PENTS)]
            for at in range(0, BITS, 4)
        ]
        while len(parts) > 1:
            odd = parts[-1:] if len(parts) % 2 else []
            parts = [_sum(m, low, high) for low, high in zip(parts[::2], parts[1::2], strict=False)] + odd
        for z, digit in zip(self.z, parts[0], strict=True):
            m.d.comb += z.eq(lookup(m, digit, PENT, lambda n: min(n, 4) - chain.BIAS))
        return m


def _sum(m: Module, x: list[Value], y: list[Value]) -> list[Value]:
    excess = [lookup(m, digit, 3, lambda n: n + chain.EXCESS) for digit in y]
    return chain.add(m, x, excess, Const(0, 1))
