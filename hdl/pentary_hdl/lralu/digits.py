"""Cells of pents: three bits of two's complement, -2..2, and what is made of a few of them."""

from amaranth import Cat, Const, Module, Mux, Signal, Value, signed, unsigned
from amaranth.lib import data

from pentary.numbers.word import PENTS
from pentary_hdl.lralu.twin import PENT_BITS

PENT = signed(PENT_BITS)
WORD = data.ArrayLayout(PENT, PENTS)


def is_pent(code: Value) -> Value:
    """Tell whether three bits are a pent: not 3, -4 or -3."""
    return code[2] & code[1] | ~code[2] & ~(code[1] & code[0])


def cube(pent: Value) -> Value:
    """Give the cube modulo 5: +2 and -2 change places."""
    return Cat(pent[0], pent[1], pent[2] ^ (pent[1] & ~pent[0])).as_signed()


def reduced(m: Module, total: Value, base: int = 5) -> tuple[Signal, Signal]:
    """Split a small signed sum into its pent, and the pents to carry: total = 5 * carry + pent. Or trits, in base 3."""
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
    """Give the sum of two or three pents modulo 5, as a pent; or of trits modulo 3."""
    most = base // 2 * len(digits)
    total = Signal(range(-most, most + 1))
    m.d.comb += total.eq(sum(digits[1:], start=digits[0]))
    return reduced(m, total, base)[0]


def add_constant(m: Module, pents: list[Value], constants: list[int], base: int = 5) -> list[Signal]:
    """Add a constant to a number, pent by pent; what leaves the highest pent is dropped."""
    carry: Value = Const(0, unsigned(1))
    result = []
    for pent, constant in zip(pents, constants, strict=True):
        total = Signal(signed(4))
        m.d.comb += total.eq(pent + constant + carry)
        digit, carry = reduced(m, total, base)
        result.append(digit)
    return result


def thermometer(number: Value) -> Value:
    """Give a bit for each value of a number: 1 for those up to it."""
    return Cat(number >= value for value in range(1 << len(number)))


class Multiple:
    """How a digit -2..2 picks a multiple of a number: none, or the number once or twice, perhaps complemented.

    The complement is one less than the negative: whoever adds the multiple adds `negative` as well.

    Attributes:
        none, twice, negative: one bit each.
    """

    def __init__(self, none: Value, twice: Value, negative: Value) -> None:
        """Take the three bits."""
        self.none, self.twice, self.negative = none, twice, negative

    @classmethod
    def of_pent(cls, pent: Value) -> "Multiple":
        """Pick by a pent."""
        return cls(~pent[0] & ~pent[1], pent[1] & ~pent[0], pent[2])

    @classmethod
    def of_booth(cls, bits: Value) -> "Multiple":
        """Pick by the digit of a binary number in base 4: two of its bits, with the bit below them lowest."""
        return cls((bits == 0) | (bits == 7), bits[0] == bits[1], bits[2])

    def complemented(self, number: Value) -> Value:
        """Give the multiple, which is one bit longer than the number, for a digit that is not 0."""
        once, twice = number.as_signed(), Cat(Const(0, 1), number)
        return Cat(
            (self.twice & high | ~self.twice & low) ^ self.negative
            for low, high in zip([*once, once[-1]], twice, strict=True)
        )


class Product:
    """Multiples of a number as `Multiple` gives them, for a digit of any size: a multiplier makes them.

    Attributes:
        none, negative: 0, as the multiplier sees to both.
    """

    def __init__(self, digit: Value) -> None:
        """Take the digit."""
        self.none, self.negative, self._digit = Const(0, 1), Const(0, 1), digit

    def complemented(self, number: Value) -> Value:
        """Give the multiple, as long as both numbers together."""
        return self._digit * number


def plus(one: Value, other: Value, carry: Value) -> Value:
    """Give the sum of two signed numbers and a bit, in one carry chain."""
    return (Cat(carry, one).as_signed() + Cat(carry, other).as_signed())[1:].as_signed()


def reaches(number: Value, gap: Value) -> Value:
    """Tell whether a signed number is 2^k - gap or more in magnitude, for a gap of k bits, in one carry chain."""
    sign = number[-1]
    magnitude = number[: len(gap)] ^ sign.replicate(len(gap))  # one less than it is where the number is negative
    return (Cat(sign, magnitude) + Cat(sign, gap))[len(gap) + 1]


def saturated(number: Value, bits: int) -> Value:
    """Give a signed number in so few bits; beyond them, the greatest or the least that they hold."""
    sign, beyond = number[-1], (number[bits - 1 :] ^ number[-1].replicate(len(number) - bits + 1)).any()
    return Mux(beyond, Cat((~sign).replicate(bits - 1), sign), number[:bits]).as_signed()
