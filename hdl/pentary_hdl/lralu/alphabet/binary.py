"""Binary digits in two's complement."""

from collections.abc import Callable
from dataclasses import dataclass
from math import log2

from amaranth import Cat, Const, Module, Mux, Signal, Value

from pentary.numbers.word import PENTS
from pentary_hdl.lralu.alphabet.base import COMPARED_BITS, Addend, Alphabet, Quantisation, Replacement
from pentary_hdl.lralu.digits import Product, reaches, saturated
from pentary_hdl.lralu.twin import LATENT_BITS


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

    def is_negative(self, digits: list[Value]) -> Value:
        """Return whether a pair is negative: never, pairs are unsigned."""
        return digits[0][0] & False

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

    def quantisation(self, max_rank: int, bits: int) -> Quantisation:
        """Shift a sum right and round it; the register holds by how much the shift exceeds that of rank 1."""
        more_shift = Signal(range(self.shift(max_rank) - self.shift(1) + 1))

        def level(m: Module, total: Value) -> Value:
            halves = total >> self.shift(1) - 1 >> more_shift
            return saturated(halves + 1 >> 1, self.bits)

        return Quantisation(lambda rank: [more_shift.eq(self.shift(rank) - self.shift(1))], level)

    def addend(self, m: Module, value: Value, operand: Value, step: Value, loads: Value, accumulate: Value) -> Addend:
        """Return the product by a multiplier, which handles zero and negative digits itself, or the step."""
        digit = operand[: self.bits].as_signed()
        sigma = operand[: self.most_sigma.bit_length() + 1].as_signed()
        factor = Mux(accumulate, digit, saturated(value, self.bits))
        return Addend(Mux(loads, factor * Mux(accumulate, value, sigma), step), Const(0, 1), Const(0, 1))

    def bounds(self, m: Module, width: Value, perturb: Value) -> Callable[[Module, Value, Value], Replacement]:
        """Find a level not by comparison but by a shift with rounding."""
        positive, negative, gap = (Signal(COMPARED_BITS, reset_less=True) for _ in range(3))
        for number in range(self.widths[0], self.widths[1] + 1):
            most = self.most(number)
            with m.If(width == number):
                m.d.sync += [positive.eq(most), negative.eq(-most), gap.eq((1 << COMPARED_BITS) - most - 1)]
        dropped = Signal.like(width, reset_less=True)  # bits shifted out, before rounding
        m.d.sync += dropped.eq(width - 1)

        def replace(m: Module, total: Value, perturb: Value) -> Replacement:
            sign = Signal()
            m.d.comb += sign.eq(total[-1])
            digit = saturated((total >> dropped) + 1 >> 1, self.bits)
            level = Cat(digit, digit[-1].replicate(COMPARED_BITS - self.bits))
            return Replacement(reaches(total, gap), Mux(perturb, digit[-1], sign), level, Mux(sign, negative, positive))

        return replace
