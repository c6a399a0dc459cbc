"""Exact integer arithmetic in float32: bounds that are checked in advance, and rounding division by 5**k.

A float32 BLAS product is about a hundred times faster than NumPy's integer product, and gives the same integers as
long as no partial sum leaves the range in which float32 holds every integer. The bounds here are checked before the
arithmetic, from shapes and operand ranges alone, so that a digest can depend on them.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from pentary.numbers.word import PentaryError

Float32 = NDArray[np.float32]

EXACT: Final = 2**24
"""Every integer of at most this magnitude is a float32."""

ROUNDABLE: Final = 2**22
"""Largest magnitude for which `round_shift_` rounds correctly."""


def check_exact(bound: int, what: str, largest: int = EXACT) -> None:
    """Raise an error if integers of a computation could leave the range in which float32 is exact.

    Args:
        bound: largest magnitude that any partial sum can reach.
        what: name of the computation in the message.
        largest: magnitude that the bound must not exceed.

    Raises:
        PentaryError: the bound exceeds the range.

    >>> check_exact(512 * 62 * 2, "512-wide layer")
    >>> check_exact(2**17 * 624 * 2, "wide layer")
    Traceback (most recent call last):
    pentary.numbers.word.PentaryError: wide layer: sums can reach 163577856, but float32 is exact only up to 16777216
    """
    if bound > largest:
        raise PentaryError(f"{what}: sums can reach {bound}, but float32 is exact only up to {largest}")


def round_shift_(values: Float32, k: int) -> None:
    """Divide integers in float32 by 5**k in place, rounded to the nearest integer.

    The product with the rounded reciprocal is off by less than |value| 2**-23 / 5**k, and no quotient is nearer than
    1 / (2 * 5**k) to the middle between two integers: below 2**22 the rounding cannot go to the wrong side.

    Args:
        values: float32 array of integers of magnitude up to `ROUNDABLE`; the caller checks that.
        k: pents to drop, 0 or more.
    """
    if k:
        np.multiply(values, np.float32(1 / 5**k), out=values)
        np.rint(values, out=values)
