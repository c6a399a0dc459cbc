"""Pent arithmetic on single Python integers of any size, and the flags of results.

`pentary.numbers.word` and `pentary.numbers.alu` do the same for arrays; their arithmetic is not used here, so that each
implementation can be tested against the other.
"""

from typing import Final

from pentary.isa.table import ACCUMULATOR
from pentary.numbers.alu import Flags
from pentary.numbers.word import PENTS

Result = tuple[int, int]
"""A number and its flags."""

Z, N, P, V, C, S = (int(flag) for flag in Flags)

_LIMITS: Final = [(5**pents - 1) // 2 for pents in range(ACCUMULATOR + 1)]


def wrap(number: int, pents: int = PENTS) -> int:
    """Return the low `pents` pents of a number.

    >>> wrap(13, 2), wrap(-13, 2)
    (-12, 12)
    """
    return (number + _LIMITS[pents]) % 5**pents - _LIMITS[pents]


def sat(number: int, pents: int = PENTS) -> int:
    """Return a number saturated to `pents` pents.

    >>> sat(13, 2), sat(-13, 2)
    (12, -12)
    """
    return max(-_LIMITS[pents], min(_LIMITS[pents], number))


def rounded(number: int, k: int) -> int:
    """Return number / 5^k, rounded to the nearest integer.

    >>> rounded(12, 1), rounded(13, 1), rounded(-13, 1)
    (2, 3, -3)
    """
    return (number + 5**k // 2) // 5**k


def quotient(dividend: int, divisor: int) -> int:
    """Return dividend / divisor, rounded towards zero.

    >>> quotient(7, 2), quotient(-7, 2), quotient(7, -2)
    (3, -3, -3)
    """
    magnitude = abs(dividend) // abs(divisor)
    return magnitude if (dividend < 0) == (divisor < 0) else -magnitude


def cons(x: int, y: int) -> int:
    """Return the consensus, pent by pent: the pent nearer 0 where both have the same sign, otherwise 0.

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
    """Return the flag Z, N or P by the sign of a number."""
    return N if number < 0 else P if number > 0 else Z


def exact(number: int, carry: bool = False) -> Result:
    """Return a number that fits a word, with its flag Z, N or P, and C if requested."""
    return number, sign(number) | (C if carry else 0)


def wrapped(number: int, pents: int = PENTS) -> Result:
    """Return the low pents of a number with their flag Z, N or P, and V and C if the number does not fit."""
    kept = wrap(number, pents)
    return kept, sign(kept) | (V | C if kept != number else 0)


def saturated(number: int) -> Result:
    """Return a number saturated to a word with its flag Z, N or P, and V, C and S if the number does not fit."""
    kept = sat(number)
    return kept, sign(kept) | (V | C | S if kept != number else 0)
