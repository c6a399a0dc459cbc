"""The alphabet of the weights: the low-rank ALU is made of pents, and for comparison of trits or of binary digits.

An alphabet gives the unit the width of its digits and the cells that depend on them; all else is the same. Binary
digits of 4 or 8 bits are two's complement. The generator adds digits modulo their number, and its other cell is

    pents   the cube, which is a bijection and not linear
    trits   a sum: all bijections of a trit are linear, so each even trit gets the square of the next one added
    binary  each even digit meets the AND of two odd ones; then the bits of each are rotated, as sums carry only upwards

The last two are bijections of a word that cost little in gates; how random the words are with them has not been tested.
"""

from dataclasses import dataclass
from math import log2
from typing import Final

from amaranth import Cat, Const, Module, Shape, Signal, Value, signed
from amaranth.lib import data

from pentary.isa.table import CONTROLS
from pentary.lowrank.operations import pquant_thresholds
from pentary.numbers.word import PENTS
from pentary_hdl.lralu.digits import Multiple, Product, add_constant, cube, is_pent, modulo
from pentary_hdl.lralu.twin import LATENT_BITS


@dataclass(frozen=True)
class Alphabet:
    """What all alphabets have.

    Attributes:
        name: what people call it.
        bits: of a digit, in two's complement.
        least, greatest: of the digits, which are all integers between.
        widths: the least and the greatest WIDTH.
    """

    name: str
    bits: int
    least: int
    greatest: int
    widths: tuple[int, int]

    @property
    def levels(self) -> int:
        """Count the digits."""
        return self.greatest - self.least + 1

    @property
    def digit(self) -> Shape:
        """Give the shape of a digit."""
        return signed(self.bits)

    @property
    def word(self) -> data.ArrayLayout:
        """Give the layout of a word of the generator."""
        return data.ArrayLayout(self.digit, PENTS)

    def sum_bits(self, max_rank: int) -> int:
        """Give the bits of a row sum of so many products."""
        return (self.least**2 * max_rank).bit_length() + 1

    def centred(self, number: int) -> int:
        """Give the digit that is a number modulo the number of digits."""
        return (number - self.least) % self.levels + self.least


@dataclass(frozen=True)
class Balanced(Alphabet):
    """Pents or trits: a product is a choice and a negation, and WIDTH counts the digits of a latent word."""

    @property
    def product_bits(self) -> int:
        """Give the bits of a product before 1 is added where it is negative."""
        return self.bits + 1

    @property
    def most_sigma(self) -> int:
        """Give the greatest sigma: any latent word is one."""
        return self.most(self.widths[1])

    def unit(self, width: int) -> int:
        """Give what 1 is worth as the top digit of a latent word."""
        return self.levels ** (width - 1)

    def most(self, width: int) -> int:
        """Give the greatest latent word."""
        return (self.levels**width - 1) // 2

    def digits(self, number: int, length: int) -> list[int]:
        """Give the lowest digits of a number, the lowest first."""
        digits = []
        for _ in range(length):
            digits.append(self.centred(number))
            number = (number - digits[-1]) // self.levels
        return digits

    def code(self, number: int, length: int) -> int:
        """Give the bits of these digits."""
        mask = (1 << self.bits) - 1
        return sum((digit & mask) << self.bits * i for i, digit in enumerate(self.digits(number, length)))

    def thresholds(self, rank: int) -> tuple[int, ...]:
        """Give the least sums that PQUANT makes 1, and 2 if there is that digit."""
        return pquant_thresholds(rank)[: self.greatest]

    def is_digit(self, code: Value) -> Value:
        """Tell whether the bits are a digit."""
        return is_pent(code) if self.greatest == 2 else code[0] | ~code[1]

    def modulo(self, m: Module, *digits: Value) -> Value:
        """Add digits modulo their number."""
        return modulo(m, self.levels, *digits)

    def substitute(self, m: Module, word: list[Value]) -> list[Value]:
        """Replace the digits of a word by what is not linear in them."""
        if self.greatest == 2:
            return [cube(digit) for digit in word]
        squares = [Cat(digit[0], Const(0, 1)).as_signed() for digit in word]
        return [digit if i % 2 else self.modulo(m, digit, squares[i + 1]) for i, digit in enumerate(word)]

    def plus_constant(self, m: Module, digits: list[Value], constant: int) -> list[Value]:
        """Add a constant to a number, digit by digit; what leaves the highest is dropped."""
        return add_constant(m, digits, self.digits(constant, len(digits)), self.levels)

    def multiple(self, digit: Value) -> Multiple:
        """Multiply by a digit."""
        return Multiple.of_pent(digit) if self.greatest == 2 else Multiple(~digit[0], Const(0, 1), digit[1])


@dataclass(frozen=True)
class Binary(Alphabet):
    """Digits of two's complement: a latent word has WIDTH bits below its top digit."""

    @property
    def product_bits(self) -> int:
        """Give the bits of a product."""
        return 2 * self.bits

    @property
    def most_sigma(self) -> int:
        """Give the greatest sigma: its multiples by digits have the bits of a latent word."""
        return (1 << LATENT_BITS - self.bits) - 1

    def unit(self, width: int) -> int:
        """Give what 1 is worth as the top digit of a latent word."""
        return 1 << width

    def most(self, width: int) -> int:
        """Give the greatest latent word; its negative is the least."""
        return (1 << width + self.bits - 1) - 1

    def code(self, number: int, length: int) -> int:
        """Give the bits of the lowest digits of a number."""
        return number & (1 << self.bits * length) - 1

    def shift(self, rank: int) -> int:
        """Give the bits that PQUANT drops of a sum, so that levels spread about as far as uniform digits do."""
        variance = (self.levels**2 - 1) / 12
        return round(log2(rank * variance) / 2)

    def is_digit(self, code: Value) -> Value:
        """Tell whether the bits are a digit: all are."""
        return Const(1, 1)

    def modulo(self, m: Module, *digits: Value) -> Value:
        """Add digits modulo their number."""
        total = Signal(self.digit)
        m.d.comb += total.eq(sum(digits[1:], start=digits[0]))
        return total

    def substitute(self, m: Module, word: list[Value]) -> list[Value]:
        """Replace the digits of a word by what is not linear in them."""
        mixed = [Signal(self.digit, name=f"mixed_{i}") for i in range(PENTS)]
        for i, digit in enumerate(word):
            met = digit if i % 2 else digit ^ (word[i + 1] & word[(i + 3) % PENTS])
            m.d.comb += mixed[i].eq(met.as_unsigned().rotate_left(1))
        return mixed

    def plus_constant(self, m: Module, digits: list[Value], constant: int) -> list[Value]:
        """Add a constant to a number; what leaves the highest digit is dropped."""
        total = Signal(self.bits * len(digits))
        m.d.comb += total.eq(Cat(digits) + constant)
        return [total.word_select(i, self.bits).as_signed() for i in range(len(digits))]

    def multiple(self, digit: Value) -> Product:
        """Multiply by a digit."""
        return Product(digit)


PENTARY: Final = Balanced("pents", 3, -2, 2, CONTROLS["WIDTH"])
TERNARY: Final = Balanced("trits", 2, -1, 1, (2, 11))
INT4: Final = Binary("4-bit", 4, -8, 7, (1, LATENT_BITS - 4))
INT8: Final = Binary("8-bit", 8, -128, 127, (1, LATENT_BITS - 8))
ALPHABETS: Final = (TERNARY, PENTARY, INT4, INT8)

assert all(a.most(a.widths[1]) < 1 << LATENT_BITS - 1 for a in ALPHABETS)
