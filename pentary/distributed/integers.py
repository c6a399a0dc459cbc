"""Integers in few bits: shaped fitness, and differences of fitness.

The code is Rice's (R. F. Rice, "Some practical universal noiseless coding techniques", JPL 79-22, 1979): small
magnitudes take few bits, rare large ones more. An integer is first made non-negative: 0, -1, 1, -2, ... become 0, 1, 2,
3, ... Its lowest `width` bits are stored as they are, and what is above them in unary: so many ones, and a zero.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Packed = tuple[int, bytes, bytes]
"""The width; of each integer so many low bits; and what is above them in unary. A byte's lowest bit is the first."""

WHOLE: Final = 64
"""Width at which nothing is above: of integers that spread so far that unary would be long."""


def pack(values: NDArray[np.integer[Any]]) -> Packed:
    """Pack integers.

    Args:
        values: (count,) integers that fit an int64.

    >>> pack(np.array([1, -2, 2, 0, 0, -1, 1, 1]))
    (0, b'', b'\\xbbG\\x1b')
    """
    words = np.asarray(values, np.int64)
    folded = (words.astype(np.uint64) << np.uint64(1)) ^ (words >> 63).astype(np.uint64)
    width = _best_width(folded)
    bits = np.unpackbits(folded.astype("<u8").view(np.uint8).reshape(-1, 8), axis=1, bitorder="little")[:, :width]
    low = np.packbits(bits, bitorder="little").tobytes()
    if width == WHOLE:
        return width, low, b""
    above = (folded >> np.uint64(width)).astype(np.int64)
    unary = np.ones(int(above.sum()) + len(above), np.uint8)
    unary[np.cumsum(above + 1) - 1] = 0
    return width, low, np.packbits(unary, bitorder="little").tobytes()


def unpack(packed: Packed, count: int) -> NDArray[np.int64]:
    """Return the integers that `pack` has packed.

    Args:
        packed: what it returned.
        count: of the integers.

    Raises:
        ValueError: they are not so many.
    """
    width, low, unary = packed
    wrong = ValueError(f"{len(low)} and {len(unary)} bytes do not hold {count} integers of {width} low bits")
    if not (0 <= width <= WHOLE and len(low) == (count * width + 7) // 8):
        raise wrong
    words = np.zeros((count, 64), np.uint8)
    words[:, :width] = np.unpackbits(np.frombuffer(low, np.uint8), count=count * width, bitorder="little").reshape(
        count, width
    )
    folded = np.packbits(words, axis=1, bitorder="little").view("<u8").reshape(count)
    if width < WHOLE:
        ends = np.flatnonzero(np.unpackbits(np.frombuffer(unary, np.uint8), bitorder="little") == 0)[:count]
        if len(ends) < count:
            raise wrong
        folded = folded + (np.diff(ends, prepend=-1) - 1).astype(np.uint64) * np.uint64(2**width)
    return (folded >> np.uint64(1)).astype(np.int64) ^ -(folded & np.uint64(1)).astype(np.int64)


def _best_width(folded: NDArray[np.uint64]) -> int:
    """Return the width with which numbers take the fewest bits."""
    if not len(folded):
        return 0
    usual = int(folded.astype(np.float64).mean()).bit_length()
    sizes = {WHOLE: WHOLE * len(folded)}
    for width in range(max(0, usual - 4), min(WHOLE, usual + 2)):
        above = folded >> np.uint64(width)
        if int(above.max()) < 2**32:
            sizes[width] = (width + 1) * len(folded) + int(above.sum())
    return min(sizes, key=lambda width: sizes[width])
