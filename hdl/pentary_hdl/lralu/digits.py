"""Combinational cells for pents (-2..2 in three bits of two's complement), and arithmetic built from them."""

from amaranth import Cat, Const, Module, Mux, Signal, Value, signed, unsigned
from amaranth.lib import data

from pentary.numbers.word import PENTS
from pentary_hdl.lralu.twin import PENT_BITS

PENT = signed(PENT_BITS)
WORD = data.ArrayLayout(PENT, PENTS)


def is_pent(code: Value) -> Value:
    """Return whether three bits are a pent: not 3, -4 or -3."""
    return code[2] & code[1] | ~code[2] & ~(code[1] & code[0])


def cube(pent: Value) -> Value:
    """Return the cube of a pent modulo 5, which exchanges +2 and -2."""
    return Cat(pent[0], pent[1], pent[2] ^ (pent[1] & ~pent[0])).as_signed()


def reduced(m: Module, total: Value, base: int = 5) -> tuple[Signal, Signal]:
    """Return (pent, carry) of a small signed sum, with total = 5 * carry + pent; or (trit, carry) for base 3."""
    low, high = -(1 << len(total) - 1), (1 << len(total) - 1) - 1
    greatest = base // 2
    pent = Signal(range(-greatest, greatest + 1))
    carry = Signal(range((low + greatest) // base, (high + greatest) // base + 1))
    with m.Switch(total):
        for number in range(low, high + 1):
            with m.Case(Const(number, signed(len(total)))):
                over = number + greatest
                m.d.comb += [pent.eq(over % base - greatest), carry.eq(over // base)]
    return pent, carry


def modulo(m: Module, base: int, *digits: Value) -> Value:
    """Return the sum of two or three pents modulo 5, as a pent; or of trits modulo 3."""
    most = base // 2 * len(digits)
    total = Signal(range(-most, most + 1))
    m.d.comb += total.eq(sum(digits[1:], start=digits[0]))
    return reduced(m, total, base)[0]


def add_constant(m: Module, pents: list[Value], constants: list[int], base: int = 5) -> list[Signal]:
    """Return a number plus a constant, both as pents with the lowest first; the carry out of the top is dropped."""
    carry: Value = Const(0, unsigned(1))
    result = []
    for pent, constant in zip(pents, constants, strict=True):
        total = Signal(signed(4))
        m.d.comb += total.eq(pent + constant + carry)
        digit, carry = reduced(m, total, base)
        result.append(digit)
    return result


def thermometer(number: Value) -> Value:
    """Return the thermometer code of an unsigned number: bit i is 1 if the number is at least i."""
    return Cat(number >= value for value in range(1 << len(number)))


class Multiple:
    """Select lines by which a digit -2..2 multiplies a number: 0, 1 or 2 times, complemented if negative.

    The one's complement is one less than the negative, so the adder takes `negative` as its carry-in.

    Attributes:
        none, twice, negative: one bit each: the digit is 0, has the magnitude 2, is negative.
    """

    def __init__(self, none: Value, twice: Value, negative: Value) -> None:
        """Create the selection from its three bits."""
        self.none, self.twice, self.negative = none, twice, negative

    @classmethod
    def of_pent(cls, pent: Value) -> "Multiple":
        """Return the selection for a pent."""
        return cls(~pent[0] & ~pent[1], pent[1] & ~pent[0], pent[2])

    @classmethod
    def of_booth(cls, bits: Value) -> "Multiple":
        """Return the selection for a radix-4 Booth digit: two bits of a number, with the bit below them lowest."""
        return cls((bits == 0) | (bits == 7), bits[0] == bits[1], bits[2])

    def complemented(self, number: Value) -> Value:
        """Return the multiple before `negative` is added, one bit wider than the number; valid unless `none`."""
        once, twice = number.as_signed(), Cat(Const(0, 1), number)
        return Cat(
            (self.twice & high | ~self.twice & low) ^ self.negative
            for low, high in zip([*once, once[-1]], twice, strict=True)
        )


class Product:
    """Product of a number and a digit of any width by a multiplier, with the interface of `Multiple`.

    Attributes:
        none, negative: constant 0: the multiplier handles zero and negative digits itself.
    """

    def __init__(self, digit: Value) -> None:
        """Create the product for a digit."""
        self.none, self.negative, self._digit = Const(0, 1), Const(0, 1), digit

    def complemented(self, number: Value) -> Value:
        """Return the product, as wide as both factors together."""
        return self._digit * number


def plus(one: Value, other: Value, carry: Value) -> Value:
    """Return the sum of two signed numbers and a carry-in, in one carry chain."""
    return (Cat(carry, one).as_signed() + Cat(carry, other).as_signed())[1:].as_signed()


def reaches(number: Value, gap: Value) -> Value:
    """Return whether the magnitude of a signed number is at least 2^k - gap, for a k-bit gap, in one carry chain."""
    sign = number[-1]
    magnitude = number[: len(gap)] ^ sign.replicate(len(gap))  # if negative, 1 too small: `sign` is carried in
    return (Cat(sign, magnitude) + Cat(sign, gap))[len(gap) + 1]


def saturated(number: Value, bits: int) -> Value:
    """Return a signed number saturated to a width of `bits` bits."""
    sign, beyond = number[-1], (number[bits - 1 :] ^ number[-1].replicate(len(number) - bits + 1)).any()
    return Mux(beyond, Cat((~sign).replicate(bits - 1), sign), number[:bits]).as_signed()
