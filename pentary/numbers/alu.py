"""Arithmetic on words, with flags.

An operation computes the exact result, high * 5**16 + low, where low is a word. It delivers low, so results wrap modulo
5**16; or, if it saturates and high is not 0, the nearer edge of the word range, ±WORD_MAX.

    flag  set where
    Z     the word delivered is zero
    N     the word delivered is negative
    P     the word delivered is positive; just one of Z, N and P is set
    V     the exact result does not fit a word
    C     a non-zero pent left the word: at the top, judged on the exact result, or in a right shift at the bottom,
          where it means that the result was rounded
    S     the result was saturated: the word delivered is ±WORD_MAX because the exact result does not fit

Except in a right shift, C equals V: the pents above a word are all zero exactly when the number fits one. Negation
never sets either, since words reach equally far both ways.

Operands are integers within ±WORD_MAX, of any shapes that broadcast together.
"""

import enum
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pentary.numbers.word import PENTS, WORD_MAX, as_words, checked_integers, split

_HALF: Final = PENTS // 2


class Flags(enum.IntFlag):
    """Status flags of an operation; the module's table defines when each is set."""

    Z = 1
    N = 2
    P = 4
    V = 8
    C = 16
    S = 32


class Result(NamedTuple):
    """Words and flags that an operation delivers, element by element."""

    value: NDArray[np.int64]
    """Words delivered."""

    flags: NDArray[np.uint8]
    """Sums of `Flags`, of the same shape."""


_SIGN_FLAGS: Final = np.array([Flags.N, Flags.Z, Flags.P], dtype=np.uint8)  # at sign + 1


def add(a: ArrayLike, b: ArrayLike, saturating: bool = False) -> Result:
    """Return a + b.

    a, b: words; saturating: clamp a sum that does not fit, rather than wrap it.
    Returns: the words and flags, of the broadcast shape.
    Raises: PentaryError if an operand is not an integer or not a word.

    >>> total = add(WORD_MAX, 1)
    >>> total.value, Flags(total.flags.item())
    (array(-76293945312), <Flags.N|V|C: 26>)
    """
    return _deliver(split(as_words(a) + as_words(b), PENTS), saturating)


def subtract(a: ArrayLike, b: ArrayLike, saturating: bool = False) -> Result:
    """Return a - b.

    a, b: words; saturating: clamp a difference that does not fit, rather than wrap it.
    Returns: the words and flags, of the broadcast shape.
    Raises: PentaryError if an operand is not an integer or not a word.

    >>> difference = subtract(-WORD_MAX, 1, saturating=True)
    >>> difference.value, Flags(difference.flags.item())
    (array(-76293945312), <Flags.N|V|C|S: 58>)
    """
    return _deliver(split(as_words(a) - as_words(b), PENTS), saturating)


def negate(a: ArrayLike) -> Result:
    """Return -a, which always fits.

    a: words.
    Returns: the words and flags, of the same shape.
    Raises: PentaryError if the operand is not an integer or not a word.

    >>> negate([5, 0]).value
    array([-5,  0])
    """
    return _deliver(split(-as_words(a), PENTS), saturating=False)


def multiply(a: ArrayLike, b: ArrayLike, saturating: bool = False) -> Result:
    """Return a * b.

    a, b: words; saturating: clamp a product that does not fit, rather than wrap it.
    Returns: the words and flags, of the broadcast shape.
    Raises: PentaryError if an operand is not an integer or not a word.

    >>> multiply([3, 5**15], [-4, 5]).value
    array([-12,   0])
    """
    return _deliver(multiply_wide(a, b), saturating)


def multiply_wide(a: ArrayLike, b: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return a * b in full, as two words.

    a, b: words.
    Returns: (high, low), int64 arrays of the broadcast shape with a * b = high * 5**16 + low, both words.
    Raises: PentaryError if an operand is not an integer or not a word.

    >>> multiply_wide(5**15, 15)
    (array(3), array(0))
    """
    # In halves of 8 pents every partial product fits an int64, though the product itself does not.
    a_high, a_low = split(as_words(a), _HALF)
    b_high, b_low = split(as_words(b), _HALF)
    middle = a_high * b_low + a_low * b_high
    carry, low = split(middle * 5**_HALF + a_low * b_low, PENTS)
    return np.asarray(a_high * b_high + carry), low


def shift_left(a: ArrayLike, k: ArrayLike, saturating: bool = False) -> Result:
    """Return a * 5**k: every pent moves k places up, and zeros follow.

    a: words; k: integers 0 to 16; saturating: clamp a result that does not fit, rather than wrap it.
    Returns: the words and flags, of the broadcast shape.
    Raises: PentaryError if something is not an integer or is out of range.

    >>> shift_left(-3, [0, 1, 2]).value
    array([ -3, -15, -75])
    """
    places = _places(k)
    high, low = split(as_words(a), PENTS - places)
    return _deliver((high, low * 5**places), saturating)


def shift_right(a: ArrayLike, k: ArrayLike) -> Result:
    """Return a / 5**k rounded to the nearest integer: every pent moves k places down, and the k lowest leave.

    a: words; k: integers 0 to 16.
    Returns: the words and flags, of the broadcast shape.
    Raises: PentaryError if something is not an integer or is out of range.

    >>> quotient = shift_right(13, 1)
    >>> quotient.value, Flags(quotient.flags.item())
    (array(3), <Flags.P|C: 20>)
    """
    value, lost = split(as_words(a), _places(k))
    return Result(value, np.asarray(_SIGN_FLAGS[np.sign(value) + 1] | (lost != 0) * np.uint8(Flags.C)))


def compare(a: ArrayLike, b: ArrayLike) -> NDArray[np.uint8]:
    """Compare a with b: return Z if equal, N if less, P if greater, by the exact difference.

    a, b: words.
    Returns: uint8 array of the broadcast shape, one of Z, N and P each.
    Raises: PentaryError if an operand is not an integer or not a word.

    >>> [Flags(flag).name for flag in compare([1, 2, WORD_MAX], [2, 2, -WORD_MAX]).tolist()]
    ['N', 'Z', 'P']
    """
    return np.asarray(_SIGN_FLAGS[np.sign(as_words(a) - as_words(b)) + 1])


def _places(k: ArrayLike) -> NDArray[np.int64]:
    return checked_integers(k, 0, PENTS, "shift")


def _deliver(exact: tuple[NDArray[np.int64], NDArray[np.int64]], saturating: bool) -> Result:
    high, low = exact
    overflow = high != 0
    clamped = overflow & saturating
    value = np.where(clamped, np.sign(high) * WORD_MAX, low)
    top_flags = overflow * np.uint8(Flags.V | Flags.C) | clamped * np.uint8(Flags.S)
    return Result(value, np.asarray(_SIGN_FLAGS[np.sign(value) + 1] | top_flags))
