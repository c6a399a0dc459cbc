"""What an alphabet defines: a range of digits, their encoding, and the cells that depend on them."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from amaranth import Module, Shape, Value, signed
from amaranth.lib import data

from pentary.isa.table import OPERAND
from pentary.numbers.word import PENTS, limit
from pentary_hdl.lralu.digits import Multiple, Product
from pentary_hdl.lralu.twin import LATENT_BITS

COMPARED_BITS = LATENT_BITS + 1
"""Bits of the magnitude of a perturbed latent word, |base| + 2 |sigma|."""

assert 3 * limit(OPERAND) < 1 << COMPARED_BITS


class Quantisation(NamedTuple):
    """Registers of PQUANT.

    Attributes:
        load: returns the statements that load the registers for a rank.
        level: returns the level of a row sum.
    """

    load: Callable[[int], list]
    level: Callable[[Module, Value], Value]


class Addend(NamedTuple):
    """A multiple before it is registered.

    Attributes:
        multiple: the number to be added; valid unless `none`.
        none: the multiple is 0.
        negative: carry-in that completes a one's complement.
    """

    multiple: Value
    none: Value
    negative: Value


class Replacement(NamedTuple):
    """What replaces a sum that is saturated, or rounded to a level.

    Attributes:
        beyond: the sum is beyond the greatest latent word, or rounds to the greatest level.
        below: the result is negative.
        level: the level, in COMPARED_BITS bits.
        latent: the greatest latent word with the sign of the sum.
    """

    beyond: Value
    below: Value
    level: Value
    latent: Value


@dataclass(frozen=True)
class Alphabet(ABC):
    """Base class of the alphabets.

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

    @property
    @abstractmethod
    def product_bits(self) -> int:
        """Width in bits of a product, before the carry-in that completes a negative one."""

    @property
    @abstractmethod
    def most_sigma(self) -> int:
        """Greatest sigma."""

    @abstractmethod
    def unit(self, width: int) -> int:
        """Return the place value of the top digit of a latent word."""

    @abstractmethod
    def most(self, width: int) -> int:
        """Return the greatest latent word of a width; the least is its negative."""

    @abstractmethod
    def code(self, number: int, length: int) -> int:
        """Return the encoding of the `length` lowest digits of a number."""

    @abstractmethod
    def is_digit(self, code: Value) -> Value:
        """Return whether the bits are the code of a digit."""

    @abstractmethod
    def is_negative(self, digits: list[Value]) -> Value:
        """Return whether a pair with these digits, the lowest first, is negative."""

    @abstractmethod
    def modulo(self, m: Module, *digits: Value) -> Value:
        """Return the sum of digits modulo `levels`, as a digit."""

    @abstractmethod
    def substitute(self, m: Module, word: list[Value]) -> list[Value]:
        """Return a word after the generator's non-linear substitution of its digits."""

    @abstractmethod
    def plus_constant(self, m: Module, digits: list[Value], constant: int) -> list[Value]:
        """Return a number plus a constant, digit by digit; the carry out of the highest is dropped."""

    @abstractmethod
    def multiple(self, digit: Value) -> Multiple | Product:
        """Return the multiplier of numbers by a digit."""

    @abstractmethod
    def quantisation(self, max_rank: int, bits: int) -> Quantisation:
        """Create the registers with which PQUANT maps row sums of a width in bits to levels."""

    @abstractmethod
    def addend(self, m: Module, value: Value, operand: Value, step: Value, loads: Value, accumulate: Value) -> Addend:
        """Return the product of a sum's level and sigma, of a sum and LRACC's digit, or POPAVG's step.

        Args:
            m: module of the cells.
            value: row sum, or its level.
            operand: sigma, or the digit of LRACC.
            step: step of POPAVG, which is taken unless `loads`.
            loads: LRADD or LRACC, which `accumulate` selects.
            accumulate: LRACC.
        """

    @abstractmethod
    def bounds(self, m: Module, width: Value, perturb: Value) -> Callable[[Module, Value, Value], Replacement]:
        """Create registers of the bounds for a latent word's WIDTH, and for LRADD of its levels.

        Returns:
            A function from a module, a sum and whether LRADD is active, one cycle later, to the sum's replacement.
        """
