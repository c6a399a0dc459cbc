"""Loss: an integer from two lookup tables for the fitness, and the cross-entropy in float64 for reports.

Logits are in units of 1/25 bit: byte j has the probability 2**(z_j / 25) / sum over k of 2**(z_k / 25). The integer
loss of a byte is log2 of the sum, minus z / 25, in units of 1/625 bit. The sum is over entries of `POWERS`; its
logarithm is that of its leading 11 bits, from `LOGARITHMS`, plus one bit for each bit that was shifted out.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from pentary.nets.lm.model import ACTIVATION

PER_BIT: Final = 25
"""Logit units per bit."""

LOSS_PER_BIT: Final = 625
"""Units of the integer loss per bit."""

_RAISED: Final = 20  # bits by which every power is scaled up, so that the smallest is not rounded to zero
_LEADING: Final = 11  # leading bits of the sum, which index the table of logarithms


def _powers() -> NDArray[np.int64]:
    logits = np.arange(-ACTIVATION, ACTIVATION + 1)
    return np.rint(np.exp2(logits / PER_BIT + _RAISED)).astype(np.int64)


def _logarithms() -> NDArray[np.int64]:
    # A shifted sum has lost the bits after its leading ones: half a unit on average.
    sums = np.arange(2**_LEADING, dtype=np.float64)
    sums[2 ** (_LEADING - 1) :] += 0.5
    sums[0] = 1  # never looked up; avoids log2(0)
    return np.rint(LOSS_PER_BIT * (np.log2(sums) - _RAISED)).astype(np.int64)


POWERS: Final = _powers()
"""round(2**(z / 25 + 20)) for the logits z = -312, ..., 312: int64, up to 33 bits."""

LOGARITHMS: Final = _logarithms()
"""round(625 (log2(n) - 20)) for the leading bits n = 0, ..., 2047 of a sum: int64, within ±12,500."""

_EXACT: Final = np.exp2(np.arange(-ACTIVATION, ACTIVATION + 1) / PER_BIT)  # for reports; a lookup is faster than exp2


def bits(logits: NDArray[np.integer], targets: NDArray[np.integer]) -> NDArray[np.float64]:
    """Return the cross-entropy of integer logits in float64, for reports only.

    Args:
        logits: (..., 256) integers in units of 1/25 bit, within ±312.
        targets: (...) the bytes that followed.

    Returns:
        (...) float64, bits.

    >>> bits(np.zeros((1, 256), np.int16), np.array([65])).tolist()
    [8.0]
    """
    right = np.take_along_axis(logits, np.asarray(targets, np.intp)[..., None], axis=-1)[..., 0]
    return np.log2(_EXACT[logits + np.int16(ACTIVATION)].sum(axis=-1)) - right / PER_BIT
