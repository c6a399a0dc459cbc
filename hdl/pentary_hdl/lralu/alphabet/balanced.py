"""Balanced digits: pents and trits."""

from collections.abc import Callable
from dataclasses import dataclass

from amaranth import Cat, Const, Module, Mux, Signal, Value, signed

from pentary.lowrank.operations import pquant_thresholds
from pentary_hdl.lralu.alphabet.base import COMPARED_BITS, Addend, Alphabet, Quantisation, Replacement
from pentary_hdl.lralu.digits import Multiple, add_constant, cube, is_pent, modulo, reaches
from pentary_hdl.lralu.update import STEP_BITS


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

    def is_negative(self, digits: list[Value]) -> Value:
        """Return whether a pair is negative: its most significant digit other than 0 is."""
        negative: Value = digits[0][0] & False
        for digit in digits:
            negative = digit[-1] | ~digit.any() & negative
        return negative

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

    def quantisation(self, max_rank: int, bits: int) -> Quantisation:
        """Compare with the thresholds of the rank.

        Each is stored as its distance from a power of two, so that one carry chain compares.
        """
        gaps = [Signal(bits - 1, name=f"gap_{level}") for level in range(1, self.greatest + 1)]

        def load(rank: int) -> list:
            pairs = zip(gaps, self.thresholds(rank), strict=True)
            return [gap.eq((1 << bits - 1) - threshold) for gap, threshold in pairs]

        def level(m: Module, total: Value) -> Value:
            negative = total[-1]
            if self.greatest == 1:
                one = reaches(total, gaps[0])
                return Cat(one, (one & negative).replicate(len(total) - 1)).as_signed()
            one, two = Signal(), Signal()
            m.d.comb += [one.eq(reaches(total, gaps[0])), two.eq(reaches(total, gaps[1]))]
            return Cat(one & ~two, one & (two | negative), (one & negative).replicate(len(total) - 2)).as_signed()

        return Quantisation(load, level)

    def addend(self, m: Module, value: Value, operand: Value, step: Value, loads: Value, accumulate: Value) -> Addend:
        """Return a selected number, or twice it, or its one's complement; a step is taken once."""
        by_operand = self.multiple(operand[: self.bits].as_signed())
        pairs = zip(vars(self._by_sum(value)).values(), vars(by_operand).values(), strict=True)
        none, twice, negative = Signal(), Signal(), Signal()
        for chosen, (of_value, of_operand) in zip((none, twice, negative), pairs, strict=True):
            m.d.comb += chosen.eq(loads & Mux(accumulate, of_operand, of_value))
        number = Signal(signed(STEP_BITS))
        m.d.comb += number.eq(Mux(loads, Mux(accumulate, value, operand), step))
        return Addend(Multiple(none, twice, negative).complemented(number), none, negative)

    def _by_sum(self, value: Value) -> Multiple:
        """Return the selection of LRADD for a sum: a digit after PQUANT, else saturated to one."""
        more = Mux(value[-1], ~value[:-1].all(), value[1:-1].any()) if self.greatest > 1 else Const(0, 1)
        return Multiple(~value.any(), more, value[-1])

    def bounds(self, m: Module, width: Value, perturb: Value) -> Callable[[Module, Value, Value], Replacement]:
        """Compare a sum's magnitude with the greatest latent word, or for LRADD with the midpoints between levels."""
        # Replacements of a sum whose magnitude reaches the bound: of a positive sum, and of a negative one.
        positive, negative, gap = (Signal(COMPARED_BITS, reset_less=True) for _ in range(3))
        level_gap = Signal(COMPARED_BITS, reset_less=True)
        for number in range(self.widths[0], self.widths[1] + 1):
            unit, most = self.unit(number), self.most(number)
            with m.If(width == number):
                m.d.sync += [positive.eq(most), negative.eq(-most), gap.eq((1 << COMPARED_BITS) - most - 1)]
                m.d.sync += level_gap.eq((1 << COMPARED_BITS) - (unit + 1) // 2)
                highest_middle = ((2 * self.greatest - 1) * unit + 1) // 2
                with m.If(perturb):
                    m.d.sync += [positive.eq(0), negative.eq(-1), gap.eq((1 << COMPARED_BITS) - highest_middle)]

        def replace(m: Module, total: Value, perturb: Value) -> Replacement:
            sign = Signal()
            one, beyond = Signal(), reaches(total, gap)
            m.d.comb += [sign.eq(total[-1]), one.eq(reaches(total, level_gap) if self.greatest == 2 else beyond)]
            latent = Mux(sign & (one | ~perturb), negative, positive)
            low_bits = [one & ~beyond, one & (beyond | sign)] if self.greatest == 2 else [one]
            return Replacement(beyond, sign & (one | ~perturb), Cat(low_bits, latent[len(low_bits) :]), latent)

        return replace
