"""Arithmetic of pents on single Python integers of any size, and the flags that go with a result.

`pentary.numbers.word` and `pentary.numbers.alu` do the same for arrays; neither is used here, so that each can be
tested by the other.
"""

from typing import Final

from pentary.isa.table import ACCUMULATOR
from pentary.numbers.alu import Flags
from pentary.numbers.word import PENTS

Result = tuple[int, int]
"""A number and the flags that it sets."""

Z, N, P, V, C, S = (int(flag) for flag in Flags)

_LIMITS: Final = [(5**pents - 1) // 2 for pents in range(ACCUMULATOR + 1)]


def wrap(number: int, pents: int = PENTS) -> int:
    """Keep the low pents.

    >>> wrap(13, 2), wrap(-13, 2)
    (-12, 12)
    """
    return (number + _LIMITS[pents]) % 5**pents - _LIMITS[pents]


def sat(number: int, pents: int = PENTS) -> int:
    """Replace a number that does not fit by the nearest that does.

    >>> sat(13, 2), sat(-13, 2)
    (12, -12)
    """
    return max(-_LIMITS[pents], min(_LIMITS[pents], number))


def rounded(number: int, k: int) -> int:
    """Divide by 5^k and round to the nearest integer.

    >>> rounded(12, 1), rounded(13, 1), rounded(-13, 1)
    (2, 3, -3)
    """
    return (number + 5**k // 2) // 5**k


def quotient(dividend: int, divisor: int) -> int:
    """Divide and round towards zero.

    >>> quotient(7, 2), quotient(-7, 2), quotient(7, -2)
    (3, -3, -3)
    """
    magnitude = abs(dividend) // abs(divisor)
    return magnitude if (dividend < 0) == (divisor < 0) else -magnitude


def cons(x: int, y: int) -> int:
    """Give the number whose every pent is the one nearer 0 where both numbers' have one sign, else 0.

    >>> cons(2 * 25 + 1 * 5 - 2, 1 * 25 - 1 * 5 - 1)
    24
    """
    total = 0
    for place in range(PENTS):
        a, b = wrap(rounded(x, place), 1), wrap(rounded(y, place), 1)
        if a * b > 0:
            total += min(a, b, key=abs) * 5**place
    return total


def sign(number: int) -> int:
    """Give which of the flags Z, N and P a number sets."""
    return N if number < 0 else P if number > 0 else Z


def exact(number: int, carry: bool = False) -> Result:
    """Give a number that fits, with Z, N, P, and C where told."""
    return number, sign(number) | (C if carry else 0)


def wrapped(number: int, pents: int = PENTS) -> Result:
    """Give the low pents of a number, with Z, N, P, and V and C where that is not the number."""
    kept = wrap(number, pents)
    return kept, sign(kept) | (V | C if kept != number else 0)


def saturated(number: int) -> Result:
    """Give the word nearest to a number, with Z, N, P, and V, C and S where that is not the number."""
    kept = sat(number)
    return kept, sign(kept) | (V | C | S if kept != number else 0)
