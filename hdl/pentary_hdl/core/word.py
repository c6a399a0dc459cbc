"""Words of 16 pents as biased digits, 0..4 in three bits each, and the cells of which the core's operations are made.

Why this form: `research/word_form.md`. A word stands for the sum of (digit - 2) 5^i, so all digits of 0 are 2, words
are ordered like the binary numbers that their bits are, and a shift by a pent is a shift by three bits.
"""

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Final

from amaranth import Cat, Const, Module, Mux, Signal, Value, unsigned
from amaranth.lib import data

from pentary.numbers.word import PENTS, limit, to_digits

BIAS: Final = 2
DIGIT_BITS: Final = 3
DIGIT: Final = unsigned(DIGIT_BITS)
WORD: Final = data.ArrayLayout(DIGIT, PENTS)
NOTHING: Final = Const(BIAS, DIGIT)
"""Digit of a pent of 0."""

EXCESS: Final = 3
"""Added to the digits of one of the numbers that `chain` adds."""

Digits = Sequence[Value]
"""Digits of a number, the lowest first."""


def biased(number: int, digits: int = PENTS) -> list[int]:
    """Return the digits of a number.

    >>> biased(7, 3)
    [4, 3, 2]
    """
    found = [digit + BIAS for digit in to_digits(number).tolist()]
    return (found + [BIAS] * digits)[:digits]


def constant(number: int, digits: int = PENTS) -> list[Value]:
    """Return the digits of a constant."""
    return [Const(digit, DIGIT) for digit in biased(number, digits)]


def lookup(m: Module, bits: Value, shape: object, entry: Callable[[int], int]) -> Signal:
    """Return a function of some bits as a table.

    Args:
        m: module to which it is added.
        bits: input; the table has a line for each of its values.
        shape: of the result.
        entry: the function of the bits as an unsigned number.
    """
    result = Signal(shape)  # type: ignore[arg-type]
    # Entries of 2^n bits stand at places that are wires of the index: multiplied by 3, it would take an adder.
    width = 1 << (len(result) - 1).bit_length()
    table = sum((entry(number) & ((1 << len(result)) - 1)) << number * width for number in range(1 << len(bits)))
    m.d.comb += result.eq(Const(table, width << len(bits)).word_select(bits, width))
    return result


def packed(digits: Digits) -> Value:
    """Return an index made of digits: three of them in seven bits, which have 128 values for their 125."""
    groups = [digits[first : first + 3] for first in range(0, len(digits), 3)]
    bits = {0: 0, 1: 3, 2: 5, 3: 7}
    return Cat(
        reduce(lambda above, digit: (above << 2) + above + digit, reversed(group), Const(0, 1))[: bits[len(group)]]
        for group in groups
    )


def next_of(m: Module, digits: Digits) -> list[Value]:
    """Return the digits of a number plus 1, wrapped to them."""
    result: list[Value] = []
    for place, digit in enumerate(digits):
        carry = Cat(digits[:place]) == Cat(Const(4, DIGIT) for _ in range(place)) if place else Const(1, 1)
        raised = Signal(DIGIT, name=f"next_{place}")
        m.d.comb += raised.eq(Mux(carry, Mux(digit == 4, 0, digit + 1), digit))
        result.append(raised)
    return result


def number_of(digits: Digits) -> Value:
    """Return the low five bits of a number of three digits, which are the number itself if it is within 0..31."""
    low, middle, high = digits
    return (low + (middle << 2) + middle + (high << 4) + (high << 3) + high - limit(3))[:5]


def assign(word: Digits, digits: Digits) -> list[object]:
    """Return the assignments of digits to those of a word."""
    return [own.eq(digit) for own, digit in zip(word, digits, strict=True)]


def negated(digits: Digits) -> list[Value]:
    """Return the digits of minus a number."""
    return [(4 - digit)[:DIGIT_BITS] for digit in digits]


def chosen(condition: Value, digits: Digits, others: Digits) -> list[Value]:
    """Return the digits of one number if a condition holds, else of the other."""
    return [Mux(condition, digit, other) for digit, other in zip(digits, others, strict=True)]


def is_less(x: Digits, y: Digits) -> Value:
    """Return whether a number is less than another of as many digits."""
    return Cat(*x) < Cat(*y)


def is_nothing(digits: Digits) -> Value:
    """Return whether all digits are those of 0."""
    return Cat(*digits) == Cat(*([NOTHING] * len(digits)))


def add(m: Module, x: Digits, y: Digits) -> tuple[list[Value], Value]:
    """Return the sum of two numbers, wrapped to their digits, and its carry out plus 1: 0, 1 or 2.

    The biased numbers are X = x + M and Y = y + M, where M has n digits 2 in base 5. A first chain adds X + Y + 1,
    which is x + y + 5^n: that leaves x + y modulo 5^n without bias. A second one adds M. Both carry out if x + y does.
    """
    plain, first = chain(m, x, [lookup(m, digit, DIGIT, lambda n: n + EXCESS) for digit in y], Const(1, 1))
    wrapped, second = chain(m, plain, [Const(BIAS + EXCESS, DIGIT)] * len(x), Const(0, 1))
    return wrapped, first + second


def chain(m: Module, digits: Digits, excess: Digits, carry: Value) -> tuple[list[Value], Value]:
    """Return the base-5 sum of two numbers, the second with 3 added to each digit, and its carry out.

    With 3 in excess a digit carries exactly if its three bits do, so one binary carry chain serves. A 1 above one digit
    and a 0 above the other pass the carry on; the bit there is the inverted carry, by which the digit is corrected.
    """
    ones = Cat(Cat(digit[:DIGIT_BITS], 1) for digit in digits)
    zeros = Cat(Cat(digit[:DIGIT_BITS], 0) for digit in excess)
    total = Signal(len(ones) + 2)
    m.d.comb += total.eq(Cat(carry, ones, 0) + Cat(carry, zeros, 0))

    def digit(group: int) -> int:
        return (group - EXCESS if group & 8 else group) % 8

    sums: list[Value] = [lookup(m, total[4 * i + 1 : 4 * i + 5], DIGIT, digit) for i in range(len(digits))]
    return sums, total[-1]


def shifted_right(m: Module, digits: Digits, k: Value) -> tuple[list[Value], Value]:
    """Return a number divided by 5^k, rounded, and whether digits other than 0 are lost."""
    kept, lost = list(digits), Const(0, 1)
    for step in range(len(k)):
        by = min(1 << step, len(kept))
        lost = lost | (k[step] & ~is_nothing(kept[:by]))
        kept = _stage(m, k[step], [*kept[by:], *[NOTHING] * by], kept)
    return kept, lost


def shifted_left(m: Module, digits: Digits, k: Value) -> tuple[list[Value], Value]:
    """Return a number times 5^k, wrapped to its digits, and whether it does not fit."""
    kept, lost = list(digits), Const(0, 1)
    for step in range(len(k)):
        by = min(1 << step, len(kept))
        lost = lost | (k[step] & ~is_nothing(kept[-by:]))
        kept = _stage(m, k[step], [*[NOTHING] * by, *kept[:-by]], kept)
    return kept, lost


def _stage(m: Module, condition: Value, digits: Digits, others: Digits) -> list[Value]:
    result: list[Value] = []
    for value in chosen(condition, digits, others):
        digit = Signal(DIGIT)
        m.d.comb += digit.eq(value)
        result.append(digit)
    return result


def halves(m: Module, digits: Digits) -> tuple[list[Value], list[Value], Value]:
    """Return two numbers whose sum is half of a number, towards zero, and whether that is odd.

    The digits from i up form a number whose parity b(i) is that of their sum, since powers of 5 are odd. Digit i of the
    half, rounded down, is (pent(i) - b(i) + 5 b(i + 1)) / 2, -1 to 3; what is above 2 is carried to the next digit.
    """
    parity: list[Value] = [digit[0] for digit in digits]
    reach = 1
    while reach < len(parity):
        parity = [
            bit ^ parity[place + reach] if place + reach < len(parity) else bit for place, bit in enumerate(parity)
        ]
        reach *= 2
    odd, above = parity[0], [*parity[1:], Const(0, 1)]
    parts: list[Value] = []
    carries: list[Value] = [odd & is_less(digits, constant(0, len(digits)))]
    for digit, own, higher in zip(digits, parity, above, strict=True):
        code = Cat(digit, own, higher)
        parts.append(lookup(m, code, DIGIT, lambda n: (_half(n) + BIAS) % 5))
        carries.append(lookup(m, code, 1, lambda n: _half(n) > BIAS))
    return parts, [lookup(m, carry, DIGIT, lambda n: n + BIAS) for carry in carries[:-1]], odd


def _half(code: int) -> int:
    digit, own, higher = min(code & 7, 4), code >> 3 & 1, code >> 4
    return (digit - BIAS - own + 5 * higher) // 2


def saturated(positive: Value, width: Value | int, digits: int = PENTS) -> list[Value]:
    """Return the greatest number of `width` pents, or minus that, as so many digits."""
    edge = Mux(positive, Const(4, DIGIT), Const(0, DIGIT))
    return [Mux(place < width, edge, NOTHING) for place in range(digits)]


def consensus(m: Module, x: Digits, y: Digits) -> list[Value]:
    """Return each pent of the one of two numbers that is nearer 0 where both have one sign, else 0."""

    def entry(code: int) -> int:
        a, b = (min(part, 4) - BIAS for part in (code & 7, code >> 3))
        return (min(a, b, key=abs) if a * b > 0 else 0) + BIAS

    return [lookup(m, Cat(a, b), DIGIT, entry) for a, b in zip(x, y, strict=True)]
