"""Integers in as few bits as the widest of them needs: shaped fitness, and differences of fitness."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Packed = tuple[int, int, bytes]
"""The least of some integers, bits of each above it, and these bits, one after the other, the lowest first."""


def pack(values: NDArray[np.integer[Any]]) -> Packed:
    """Pack integers.

    Args:
        values: (count,) integers that fit an int64.

    >>> pack(np.array([1, -2, 2, 0, 0, -1, 1, 1]))
    (-2, 3, b'\\x03\\xa5l')
    """
    words = np.asarray(values, np.int64)
    least = int(words.min()) if len(words) else 0
    above = words.astype(np.uint64) - np.uint64(least % 2**64)  # modulo 2**64, so that no difference overflows
    width = int(above.max()).bit_length() if len(words) else 0
    bits = np.unpackbits(above.astype("<u8").view(np.uint8).reshape(-1, 8), axis=1, bitorder="little")
    return least, width, np.packbits(bits[:, :width], bitorder="little").tobytes()


def unpack(packed: Packed, count: int) -> NDArray[np.int64]:
    """Return the integers that `pack` has packed.

    Args:
        packed: what it returned.
        count: of the integers.

    Raises:
        ValueError: they are not so many.
    """
    least, width, content = packed
    if not (0 <= width <= 64 and len(content) == (count * width + 7) // 8):
        raise ValueError(f"{len(content)} bytes do not hold {count} integers of {width} bits")
    bits = np.unpackbits(np.frombuffer(content, np.uint8), count=count * width, bitorder="little")
    words = np.zeros((count, 64), np.uint8)
    words[:, :width] = bits.reshape(count, width)
    above = np.packbits(words, axis=1, bitorder="little").view("<u8").reshape(count)
    return (above + np.uint64(least % 2**64)).astype(np.int64)
