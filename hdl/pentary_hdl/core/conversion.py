"""Words between biased digits, plain base-5 digits and two's complement, for products and quotients.

Plain digits, 0..4 as well but without a bias, stand for a number of at least 0, or for one modulo 5^n. So the sum of a
biased and a plain number is biased, and takes one carry chain; and 3 in excess of 4 less a digit, which a subtraction
adds, is that digit with its bits inverted.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from amaranth import Cat, Const, Module, Signal, Value, signed

from pentary.numbers.word import PENTS
from pentary_hdl.core import word as w

FIELD: Final = 4
"""Bits that a table converts; the FPGA's tables have as many inputs."""

Part = tuple[int, list[Value]]
"""Place of the lowest of some plain digits, and these."""


def digits_for(greatest: int) -> int:
    """Return how many digits the numbers up to a greatest one have.

    >>> digits_for(12), digits_for(13)
    (2, 3)
    """
    return next(digits for digits in range(PENTS + 1) if 5**digits // 2 >= greatest)


def sum_of(m: Module, x: w.Digits, y: w.Digits) -> tuple[list[Value], Value]:
    """Return the sum of two numbers, wrapped to their digits, and its carry out; at most one may be biased."""
    return w.chain(m, x, [w.lookup(m, digit, w.DIGIT, lambda n: n + w.EXCESS) for digit in y], Const(0, 1))


def difference(m: Module, x: w.Digits, y: w.Digits) -> list[Value]:
    """Return a number less a plain one that is not greater."""
    return w.chain(m, x, [~digit for digit in y], Const(1, 1))[0]


def magnitude(m: Module, digits: w.Digits) -> tuple[list[Value], Value]:
    """Return the plain digits of the magnitude of a biased number, and whether that is negative."""
    bias = w.constant(0, len(digits))
    negative = Signal()
    m.d.comb += negative.eq(w.is_less(digits, bias))
    return difference(m, w.chosen(negative, w.negated(digits), digits), bias), negative


def with_sign(m: Module, digits: w.Digits, negative: Value) -> list[Value]:
    """Return the biased digits of a number whose magnitude is given in plain digits."""
    positive, _ = sum_of(m, digits, w.constant(0, len(digits)))
    return w.chosen(negative, w.negated(positive), positive)


def to_binary(m: Module, digits: w.Digits) -> Signal:
    """Return a biased number in two's complement: a sum of table entries for fields of its bits."""
    greatest = 5 ** len(digits) // 2
    result = Signal(signed(greatest.bit_length() + 1))
    bits = Cat(*digits)
    weights = [5 ** (place // w.DIGIT_BITS) << place % w.DIGIT_BITS for place in range(len(bits))]

    def entry(code: int, low: int) -> int:
        total = sum(weight for place, weight in enumerate(weights[low : low + FIELD]) if code >> place & 1)
        return total if low else total - greatest

    fields = range(0, len(bits), FIELD)
    m.d.comb += result.eq(
        sum(w.lookup(m, bits[low : low + FIELD], result.shape(), lambda n, a=low: entry(n, a)) for low in fields)
    )
    return result


def from_binary(
    m: Module, numbers: Sequence[Value], bounds: Sequence[int], step: int, length: int
) -> list[list[Value]]:
    """Return rows of plain digits whose sum is, modulo 5^length, that of numbers in two's complement times powers.

    Each number gives a table entry for each field of its bits, so many base-5 digits; entries that do not overlap share
    a row. The highest field, which has the sign, gives its entry plus an offset that makes it positive; the offsets of
    all numbers add up to 0.

    Args:
        m: module to which the tables are added.
        numbers: number i counts 5^(i step).
        bounds: greatest magnitude of each.
        step: places from one number to the next.
        length: digits of a row.
    """
    found: list[Part] = []
    carry = 0
    for index, (number, bound) in enumerate(zip(numbers, bounds, strict=True)):
        place, last = index * step, index == len(numbers) - 1
        fields = [*range(0, bound.bit_length() + 1, FIELD), bound.bit_length() + 1]
        for low, high in pairwise(fields[:-1]):
            found.append((place, _entries(m, number[low:high], [n << low for n in range(1 << high - low)])))
        low, high = fields[-2:]
        offset = -(-bound >> low << low)
        unit = 5 ** (length - place if last else step)
        offset += -(offset + carry) % unit
        carry = (offset + carry) // unit
        values = [0] * (1 << high - low)
        for top in range(-bound >> low, (bound >> low) + 1):
            values[top] = ((top << low) + offset) % 5 ** (length - place)
        found.append((place, _entries(m, number[low:high], values)))
    return _rows(found, length)


def _entries(m: Module, field: Value, values: Sequence[int]) -> list[Value]:
    length = next(digits for digits in range(1, max(values) + 2) if 5**digits > max(values))
    return [w.lookup(m, field, w.DIGIT, lambda n, i=i: values[n] // 5**i % 5) for i in range(length)]


def _rows(parts: Sequence[Part], length: int) -> list[list[Value]]:
    """Return as few rows of digits as hold all parts."""
    rows: list[list[Value]] = []
    for place, digits in sorted(parts, key=lambda part: part[0]):
        row = next((row for row in rows if len(row) <= place), None)
        if row is None:
            rows.append(row := [])
        row += [*[Const(0, w.DIGIT)] * (place - len(row)), *digits]
    return [[*row, *[Const(0, w.DIGIT)] * (length - len(row))] for row in rows]


def sum_of_rows(m: Module, rows: Sequence[w.Digits]) -> list[Value]:
    """Return the sum of plain numbers, wrapped to their digits: pairs of them, then pairs of these, and so on."""
    parts = [list(row) for row in rows]
    while len(parts) > 1:
        odd = parts[-1:] if len(parts) % 2 else []
        parts = [sum_of(m, x, y)[0] for x, y in zip(parts[::2], parts[1::2], strict=False)] + odd
    return parts[0]
