"""Alphabets of the weights: pents, or for comparison trits or binary digits.

An alphabet defines the width of the digits and the cells that depend on them; the rest of the low-rank ALU is the same
for all. Binary digits of 4 or 8 bits are two's complement. The generator adds digits modulo the number of levels; its
other cell, the substitution, is

    pents   the cube, which is a bijection and not linear
    trits   a sum: every bijection of a trit is affine, so the square of the next trit is added to each even one
    binary  each even digit is XORed with the AND of two odd ones; then each digit's bits are rotated, as carries move
            only upwards

The last two are cheap bijections of a word; how random the generated words are with them has not been tested.
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
    """Base class of the alphabets: a range of digits and its encoding.

    Attributes:
        name: common name.
        bits: width of a digit in two's complement.
        least, greatest: range of the digits; all integers in it are digits.
        widths: the least and the greatest WIDTH.
    """

    name: str
    bits: int
    least: int
    greatest: int
    widths: tuple[int, int]

    @property
    def levels(self) -> int:
        """Number of different digits."""
        return self.greatest - self.least + 1

    @property
    def digit(self) -> Shape:
        """Shape of a digit."""
        return signed(self.bits)

    @property
    def word(self) -> data.ArrayLayout:
        """Layout of a word of the generator, 16 digits."""
        return data.ArrayLayout(self.digit, PENTS)

    def sum_bits(self, max_rank: int) -> int:
        """Return the width in bits of a row sum of `max_rank` products."""
        return (self.least**2 * max_rank).bit_length() + 1

    def centred(self, number: int) -> int:
        """Return the digit that is congruent to a number modulo `levels`."""
        return (number - self.least) % self.levels + self.least


@dataclass(frozen=True)
class Balanced(Alphabet):
    """Pents or trits: a product is a selection and a negation, and WIDTH counts the digits of a latent word."""

    @property
    def product_bits(self) -> int:
        """Width in bits of a product, before the carry-in that completes a negative one."""
        return self.bits + 1

    @property
    def most_sigma(self) -> int:
        """Greatest sigma: the greatest latent word."""
        return self.most(self.widths[1])

    def unit(self, width: int) -> int:
        """Return the place value of the top digit of a latent word."""
        return self.levels ** (width - 1)

    def most(self, width: int) -> int:
        """Return the greatest latent word of a width."""
        return (self.levels**width - 1) // 2

    def digits(self, number: int, length: int) -> list[int]:
        """Return the `length` lowest digits of a number, the lowest first."""
        digits = []
        for _ in range(length):
            digits.append(self.centred(number))
            number = (number - digits[-1]) // self.levels
        return digits

    def code(self, number: int, length: int) -> int:
        """Return the encoding of the `length` lowest digits of a number."""
        mask = (1 << self.bits) - 1
        return sum((digit & mask) << self.bits * i for i, digit in enumerate(self.digits(number, length)))

    def thresholds(self, rank: int) -> tuple[int, ...]:
        """Return the least sums that PQUANT maps to 1 and, for pents, to 2."""
        return pquant_thresholds(rank)[: self.greatest]

    def is_digit(self, code: Value) -> Value:
        """Return whether the bits are the code of a digit."""
        return is_pent(code) if self.greatest == 2 else code[0] | ~code[1]

    def modulo(self, m: Module, *digits: Value) -> Value:
        """Return the sum of digits modulo `levels`, as a digit."""
        return modulo(m, self.levels, *digits)

    def substitute(self, m: Module, word: list[Value]) -> list[Value]:
        """Return a word after the generator's non-linear substitution of its digits."""
        if self.greatest == 2:
            return [cube(digit) for digit in word]
        squares = [Cat(digit[0], Const(0, 1)).as_signed() for digit in word]
        return [digit if i % 2 else self.modulo(m, digit, squares[i + 1]) for i, digit in enumerate(word)]

    def plus_constant(self, m: Module, digits: list[Value], constant: int) -> list[Value]:
        """Return a number plus a constant, digit by digit; the carry out of the highest is dropped."""
        return add_constant(m, digits, self.digits(constant, len(digits)), self.levels)

    def multiple(self, digit: Value) -> Multiple:
        """Return the multiplier of numbers by a digit."""
        return Multiple.of_pent(digit) if self.greatest == 2 else Multiple(~digit[0], Const(0, 1), digit[1])


@dataclass(frozen=True)
class Binary(Alphabet):
    """Binary digits in two's complement: a latent word has WIDTH bits below its top digit."""

    @property
    def product_bits(self) -> int:
        """Width in bits of a product."""
        return 2 * self.bits

    @property
    def most_sigma(self) -> int:
        """Greatest sigma: its product with any digit fits into the bits of a latent word."""
        return (1 << LATENT_BITS - self.bits) - 1

    def unit(self, width: int) -> int:
        """Return the place value of the top digit of a latent word."""
        return 1 << width

    def most(self, width: int) -> int:
        """Return the greatest latent word of a width; the least is its negative."""
        return (1 << width + self.bits - 1) - 1

    def code(self, number: int, length: int) -> int:
        """Return the encoding of the `length` lowest digits of a number."""
        return number & (1 << self.bits * length) - 1

    def shift(self, rank: int) -> int:
        """Return how many bits PQUANT drops of a sum, so that levels have about the variance of uniform digits."""
        variance = (self.levels**2 - 1) / 12
        return round(log2(rank * variance) / 2)

    def is_digit(self, code: Value) -> Value:
        """Return whether the bits are the code of a digit: always."""
        return Const(1, 1)

    def modulo(self, m: Module, *digits: Value) -> Value:
        """Return the sum of digits modulo `levels`, as a digit."""
        total = Signal(self.digit)
        m.d.comb += total.eq(sum(digits[1:], start=digits[0]))
        return total

    def substitute(self, m: Module, word: list[Value]) -> list[Value]:
        """Return a word after the generator's non-linear substitution of its digits."""
        mixed = [Signal(self.digit, name=f"mixed_{i}") for i in range(PENTS)]
        for i, digit in enumerate(word):
            met = digit if i % 2 else digit ^ (word[i + 1] & word[(i + 3) % PENTS])
            m.d.comb += mixed[i].eq(met.as_unsigned().rotate_left(1))
        return mixed

    def plus_constant(self, m: Module, digits: list[Value], constant: int) -> list[Value]:
        """Return a number plus a constant; the carry out of the highest digit is dropped."""
        total = Signal(self.bits * len(digits))
        m.d.comb += total.eq(Cat(digits) + constant)
        return [total.word_select(i, self.bits).as_signed() for i in range(len(digits))]

    def multiple(self, digit: Value) -> Product:
        """Return the multiplier of numbers by a digit."""
        return Product(digit)


PENTARY: Final = Balanced("pents", 3, -2, 2, CONTROLS["WIDTH"])
TERNARY: Final = Balanced("trits", 2, -1, 1, (2, 11))
INT4: Final = Binary("4-bit", 4, -8, 7, (1, LATENT_BITS - 4))
INT8: Final = Binary("8-bit", 8, -128, 127, (1, LATENT_BITS - 8))
ALPHABETS: Final = (TERNARY, PENTARY, INT4, INT8)

assert all(a.most(a.widths[1]) < 1 << LATENT_BITS - 1 for a in ALPHABETS)
