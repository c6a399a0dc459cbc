"""Cross-entropy of a language model in float64, for reports; the integer loss is that of `pentary.nets.tables`."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from pentary.nets.tables import LOGITS, PER_BIT

_EXACT: Final = np.exp2(np.arange(-LOGITS, LOGITS + 1) / PER_BIT)  # for reports; a lookup is faster than exp2


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
    return np.log2(_EXACT[logits + np.int16(LOGITS)].sum(axis=-1)) - right / PER_BIT
