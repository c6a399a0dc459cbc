"""Tables of the integer cross-entropy.

Logits are in units of 1/25 bit: class j has the probability 2**(z_j / 25) / sum over k of 2**(z_k / 25). The integer
loss of an example is log2 of the sum, minus z / 25, in units of 1/625 bit. The sum is over entries of `POWERS`; its
logarithm is that of its leading 11 bits, from `LOGARITHMS`, plus one bit for each bit that was shifted out.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from pentary.numbers.word import limit

LOGITS: Final = limit(4)
"""Largest magnitude of a logit."""

PER_BIT: Final = 25
"""Logit units per bit."""

LOSS_PER_BIT: Final = 625
"""Units of the integer loss per bit."""

LOGIT: Final = LOSS_PER_BIT // PER_BIT
"""Units of the integer loss per logit unit."""

_RAISED: Final = 20  # bits by which every power is scaled up, so that the smallest is not rounded to zero
_LEADING: Final = 11  # leading bits of the sum, which index the table of logarithms


def _powers() -> NDArray[np.int64]:
    logits = np.arange(-LOGITS, LOGITS + 1)
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
