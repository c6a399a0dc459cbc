"""Integer odds (unnormalised probabilities) of bytes in sampling, with temperature and min-p applied.

They are entries of `loss.POWERS`, the largest for the byte with the largest logit.
"""

from fractions import Fraction
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pentary.nets.tables import POWERS
from pentary.numbers.word import PentaryError

TEMPERATURE: Final = 0.8
MIN_P: Final = 0.02
"""At these defaults the text of a small model is readable; a larger min-p leads to long runs of spaces."""

TEMPERATURE_MAX: Final = 100


def odds(temperature: float, min_p: float) -> NDArray[np.int64]:
    """Return the table of odds by distance of a logit from the largest.

    Args:
        temperature: 0..100, divides the distances before they are rounded; at 0 only distance 0 has odds.
        min_p: 0..1, the fraction of the largest odds below which odds become 0.

    Returns:
        (625,) int64: the odds of a byte whose logit is 0, 1, ..., 624 below the largest.

    Raises:
        PentaryError: an argument is out of its range.

    >>> (odds(0.5, 0.2)[[0, 12, 25, 30]] / odds(0.5, 0.2)[0]).round(3).tolist()
    [1.0, 0.514, 0.25, 0.0]
    """
    _check(temperature, TEMPERATURE_MAX, "temperature")
    _check(min_p, 1, "min-p")
    table = np.zeros_like(POWERS)
    table[0] = POWERS[-1]
    if temperature > 0:
        for distance in range(1, len(table)):
            cooled = round(distance / Fraction(temperature))  # exact division: this is the only rounding
            if cooled >= len(table) or POWERS[-1 - cooled] < Fraction(min_p) * int(POWERS[-1]):
                break
            table[distance] = POWERS[-1 - cooled]
    return table


def _check(value: float, largest: float, noun: str) -> None:
    if not 0 <= value <= largest:  # NaN is refused too
        raise PentaryError(f"{noun} {value} is outside 0..{largest}")
