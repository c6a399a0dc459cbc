"""Pents and words: conversion between integers and digits, shifts with rounding, wrapping and saturation.

A pent is one of the digits -2, -1, 0, +1, +2. Digit i of a number weighs 5**i, least significant first. Since digits
can be negative there is no sign: the numbers of `width` pents are the integers from -limit(width) to +limit(width),
each has exactly one spelling, and negation negates each digit. A word is 16 pents and fits an int64.
"""

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

PENTS: Final = 16
"""Pents in a word."""

WORD_MAX: Final = (5**PENTS - 1) // 2
"""Largest word, 76 293 945 312; the smallest is its negative."""

WIDEST: Final = 27
"""Pents of the widest number that, like the sum of two of them, always fits an int64."""

_POWERS: Final = 5 ** np.arange(WIDEST + 1, dtype=np.int64)


class PentaryError(ValueError):
    """An error in the user's input; the message is one line."""


def checked_integers(values: ArrayLike, low: int, high: int, noun: str) -> NDArray[np.int64]:
    """Return integers as int64 after checking their type and range.

    values: integers of any shape and integer dtype, or Python integers of any size.
    low, high: least and greatest value permitted, both within int64.
    noun: name of one of the values in the message.
    Returns: the values as int64; not a copy where they are int64 already.
    Raises: PentaryError if they are not integers (floats and booleans are never converted) or one is out of range.

    >>> checked_integers([1, 2, 7], 0, 5, "shift")
    Traceback (most recent call last):
    pentary.numbers.word.PentaryError: shift 7 at index [2] is outside 0..5
    """
    array = np.asarray(values)
    # NumPy makes an object array of Python integers too large for any integer dtype: out of range, but integers.
    if array.dtype.kind not in "iu" and not (array.dtype == object and all(map(_is_integer, array.flat))):
        raise PentaryError(f"{noun} must be an integer, not {array.dtype}")
    outside = np.asarray((array < low) | (array > high))
    if outside.any():
        index = tuple(np.argwhere(outside)[0].tolist())
        place = f" at index {list(index)}" if index else ""
        raise PentaryError(f"{noun} {array[index]}{place} is outside {low}..{high}")
    return array.astype(np.int64, copy=False)


def _is_integer(item: object) -> bool:
    return isinstance(item, int | np.integer) and not isinstance(item, bool)


def limit(width: int) -> int:
    """Return the largest magnitude of a number of `width` pents, (5**width - 1) / 2.

    width: pents, 1 to 27.
    Raises: PentaryError if the width is not an integer from 1 to 27.

    >>> limit(1), limit(2), limit(16)
    (2, 12, 76293945312)
    """
    return (5 ** checked_integers(width, 1, WIDEST, "width").item() - 1) // 2


def as_words(values: ArrayLike, width: int = PENTS) -> NDArray[np.int64]:
    """Return integers as int64 after checking that each is a number of `width` pents.

    values: integers of any shape.
    width: pents, 1 to 27.
    Returns: int64 array of the same shape; not a copy where the values are int64 already.
    Raises: PentaryError if a value is not an integer or does not fit.

    >>> as_words([1, -5])
    array([ 1, -5])
    >>> as_words(13, width=2)
    Traceback (most recent call last):
    pentary.numbers.word.PentaryError: 2-pent number 13 is outside -12..12
    """
    largest = limit(width)
    return checked_integers(values, -largest, largest, f"{width}-pent number")


def to_digits(values: ArrayLike, width: int = PENTS) -> NDArray[np.int8]:
    """Return the digits of each number.

    values: integers of any shape, each of `width` pents.
    width: pents, 1 to 27.
    Returns: int8 array of shape values.shape + (width,), digits -2..2, least significant first.
    Raises: PentaryError if a value is not an integer or does not fit.

    >>> to_digits([3, -62], width=3)
    array([[-2,  1,  0],
           [-2, -2, -2]], dtype=int8)
    """
    # Adding 2 to every digit adds limit(width) to the number, and leaves ordinary base-5 digits 0..4.
    raised = as_words(values, width) + limit(width)
    return (raised[..., np.newaxis] // _POWERS[:width] % 5 - 2).astype(np.int8)


def from_digits(digits: ArrayLike) -> NDArray[np.int64]:
    """Return the number that each row of digits spells.

    digits: integers -2..2 of shape (..., width), least significant first; width is 1 to 27.
    Returns: int64 array of shape digits.shape[:-1].
    Raises: PentaryError if a digit is not an integer from -2 to 2, or the last axis is missing or not 1 to 27 long.

    >>> from_digits([[-2, 1, 0], [-2, -2, -2]])
    array([  3, -62])
    """
    checked = checked_integers(digits, -2, 2, "digit")
    width = checked.shape[-1] if checked.ndim else 0
    checked_integers(width, 1, WIDEST, "width")
    return np.asarray(checked @ _POWERS[:width])


def split(values: ArrayLike, k: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Cut each number above its k lowest pents.

    values: integers of any shape, each of at most 27 pents.
    k: pents in the low part, 0 to 27; one integer, or an array that broadcasts with the values.
    Returns: (high, low), int64 arrays with values = high * 5**k + low, where low is a number of k pents.
    Raises: PentaryError if something is not an integer or is out of range.

    >>> split([13, -13], 1)
    (array([ 3, -3]), array([-2,  2]))
    """
    numbers = as_words(values, WIDEST)
    weight = _POWERS[checked_integers(k, 0, WIDEST, "shift")]
    # The low part is at most (weight - 1) / 2 either way, so `high` is the nearest integer to numbers / weight.
    high = (numbers + weight // 2) // weight
    return np.asarray(high), np.asarray(numbers - high * weight)


def round_shift(values: ArrayLike, k: ArrayLike) -> NDArray[np.int64]:
    """Drop the k lowest pents: divide by 5**k and round to the nearest integer.

    There is no rule for ties because there are no ties: 5**k is odd, so no integer is half of it.

    values: integers of any shape, each of at most 27 pents.
    k: pents to drop, 0 to 27; one integer, or an array that broadcasts with the values.
    Returns: int64 array of the broadcast shape.
    Raises: PentaryError if something is not an integer or is out of range.

    >>> round_shift([12, 13, -12, -13], 2)
    array([ 0,  1,  0, -1])
    """
    return split(values, k)[0]


def wrap(values: ArrayLike) -> NDArray[np.int64]:
    """Keep the 16 lowest pents: the residue modulo 5**16 that lies within ±WORD_MAX.

    values: integers of any shape, each of at most 27 pents.
    Returns: int64 array of the same shape.
    Raises: PentaryError if a value is not an integer or is wider than 27 pents.

    >>> wrap([WORD_MAX + 1, -WORD_MAX - 1])
    array([-76293945312,  76293945312])
    """
    return split(values, PENTS)[1]


def saturate(values: ArrayLike, width: int = PENTS) -> NDArray[np.int64]:
    """Replace each number that does not fit `width` pents by the nearest that does.

    values: integers of any shape, each of at most 27 pents.
    width: pents, 1 to 27.
    Returns: int64 array of the same shape, within ±limit(width).
    Raises: PentaryError if a value is not an integer or is wider than 27 pents.

    >>> saturate([13, -5, -99], width=2)
    array([ 12,  -5, -12])
    """
    return np.asarray(np.clip(as_words(values, WIDEST), -limit(width), limit(width)))
