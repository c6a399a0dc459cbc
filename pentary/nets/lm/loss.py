"""The loss: an integer from two tables for the fitness, and exact bits for the report.

Logits are in units of 1/25 bit: byte j has the probability 2**(z_j / 25) / sum over k of 2**(z_k / 25). The integer
loss of a byte is log2 of the sum, minus z / 25, in units of 1/625 bit. The sum is taken over entries of `POWERS`; its
logarithm is that of its leading 11 bits, from `LOGARITHMS`, plus one bit for each bit that was shifted out.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from pentary.nets.lm.model import ACTIVATION

PER_BIT: Final = 25
"""Units of a logit in a bit."""

LOSS_PER_BIT: Final = 625
"""Units of the integer loss in a bit."""

_RAISED: Final = 20  # bits by which every power is raised, so that the least of them is not rounded to zero
_LEADING: Final = 11  # bits of the sum that its logarithm is looked up with


def _powers() -> NDArray[np.int64]:
    logits = np.arange(-ACTIVATION, ACTIVATION + 1)
    return np.rint(np.exp2(logits / PER_BIT + _RAISED)).astype(np.int64)


def _logarithms() -> NDArray[np.int64]:
    # A sum that was shifted has lost what followed its leading bits: half a unit, in the mean.
    sums = np.arange(2**_LEADING, dtype=np.float64)
    sums[2 ** (_LEADING - 1) :] += 0.5
    sums[0] = 1  # there is no such sum
    return np.rint(LOSS_PER_BIT * (np.log2(sums) - _RAISED)).astype(np.int64)


POWERS: Final = _powers()
"""round(2**(z / 25 + 20)) for the logits z = -312, ..., 312: int64, up to 33 bits."""

LOGARITHMS: Final = _logarithms()
"""round(625 (log2(n) - 20)) for the leading bits n = 0, ..., 2047 of a sum: int64, within ±12,500."""

_EXACT: Final = np.exp2(np.arange(-ACTIVATION, ACTIVATION + 1) / PER_BIT)  # for the report: looking up is faster


def bits(logits: NDArray[np.integer], targets: NDArray[np.integer]) -> NDArray[np.float64]:
    """Compute the exact cross-entropy of integer logits, for the report only.

    Args:
        logits: (..., 256) integers in units of 1/25 bit, within ±312.
        targets: (...) the bytes that came.

    Returns:
        (...) float64, bits.

    >>> bits(np.zeros((1, 256), np.int16), np.array([65])).tolist()
    [8.0]
    """
    right = np.take_along_axis(logits, np.asarray(targets, np.intp)[..., None], axis=-1)[..., 0]
    return np.log2(_EXACT[logits + np.int16(ACTIVATION)].sum(axis=-1)) - right / PER_BIT
