"""Arithmetic on single words, compiled: scalar versions of `pentary.numbers.word` and `pentary.numbers.alu`."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from pentary.numbers.word import PENTS, WORD_MAX, limit, to_digits
from pentary_sim.compiled import compiled

POWERS: Final = 5 ** np.arange(PENTS + 1, dtype=np.int64)
LIMITS: Final = np.array([0, *(limit(width) for width in range(1, PENTS + 1))])
_WORD: Final = 5**PENTS
_HALF: Final = 5 ** (PENTS // 2)
_HALF_MAX: Final = (_HALF - 1) // 2


@compiled
def round_shift(value: int, k: int) -> int:
    """Return value / 5**k, rounded to the nearest integer; |value| < 2**62."""
    weight = POWERS[k]
    return (value + weight // 2) // weight


@compiled
def saturate(value: int, width: int) -> int:
    """Return value, saturated to `width` pents."""
    largest = LIMITS[width]
    return min(max(value, -largest), largest)


@compiled
def carry_out(value: int) -> tuple[int, int]:
    """Return (high, low) with value = high * 5**16 + low and low a word; |value| < 2**62."""
    if -WORD_MAX <= value <= WORD_MAX:
        return 0, value
    high = (value + WORD_MAX) // _WORD
    return high, value - high * _WORD


@compiled
def multiply(a: int, b: int) -> tuple[int, int]:
    """Return the product of two words as (high, low), two words."""
    a_high, b_high = (a + _HALF_MAX) // _HALF, (b + _HALF_MAX) // _HALF
    a_low, b_low = a - a_high * _HALF, b - b_high * _HALF
    carry, low = carry_out((a_high * b_low + a_low * b_high) * _HALF + a_low * b_low)
    return a_high * b_high + carry, low


@compiled
def shift_left(a: int, k: int) -> tuple[int, int]:
    """Return (high, low) with a * 5**k = high * 5**16 + low."""
    high = round_shift(a, PENTS - k)
    return high, (a - high * POWERS[PENTS - k]) * POWERS[k]


@compiled
def quotient(a: int, b: int) -> int:
    """Return a / b, truncated towards zero; b is not 0."""
    magnitude = abs(a) // abs(b)
    return magnitude if (a < 0) == (b < 0) else -magnitude


@compiled
def consensus(a: int, b: int) -> int:
    """Return the pentwise consensus: the pent nearer zero where both operands have the same sign, else 0."""
    result = 0
    for k in range(PENTS):
        x, y = (a + 2) % 5 - 2, (b + 2) % 5 - 2
        a, b = (a - x) // 5, (b - y) // 5
        if x > 0 and y > 0:
            result += min(x, y) * POWERS[k]
        elif x < 0 and y < 0:
            result += max(x, y) * POWERS[k]
    return result


_PART: Final = 6
"""Pents whose masks are in the table, which stays in the first-level cache of the host."""

_U_PART: Final = np.uint64(5**_PART)
_TOP: Final = np.uint64(2 * 5 ** (PENTS - 2 * _PART) + 2 * 5 ** (PENTS - 2 * _PART + 1))


def _masks() -> NDArray[np.uint8]:
    most = limit(_PART)
    values = np.arange(-most, most + 1)
    return np.packbits(to_digits(values, _PART) != 0, axis=1, bitorder="little")[:, 0]


MASKS: Final = _masks()
"""Bit masks of the nonzero pents (bit k for pent k) of all numbers of 6 pents in ascending order."""

ONES: Final = np.array([number.bit_count() for number in range(256)], np.uint8)


@compiled
def mask(masks: NDArray[np.uint8], value: int) -> np.int64:
    """Return the mask of the nonzero pents of a word (bit k for pent k); `masks` is MASKS."""
    above = np.uint64(value + WORD_MAX)  # every part from 0 on, as the masks are stored
    middle, high = above // _U_PART, above // (_U_PART * _U_PART)
    low = np.int64(masks[above - middle * _U_PART]) | np.int64(masks[middle - high * _U_PART]) << _PART
    return low | np.int64(masks[high + _TOP]) << 2 * _PART


@compiled
def ones(bits: int | np.int64) -> np.int64:
    """Return the number of bits set in a mask of 16 bits."""
    return np.int64(ONES[bits & 255]) + np.int64(ONES[bits >> 8])


@compiled
def nonzero(masks: NDArray[np.uint8], value: int) -> np.int64:
    """Return the number of nonzero pents of a word; `masks` is MASKS."""
    return ones(mask(masks, value))
