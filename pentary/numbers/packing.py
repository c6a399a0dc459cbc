"""Pents as bits: 3 bits a pent in hardware, 7 bits for three pents in storage.

Hardware: each pent is a 3-bit two's-complement code, the least significant pent in the lowest bits. A word is 48 bits.
Codes 3, 4 and 5 (which would be +3, -4 and -3) are invalid.

Storage: three pents have 125 values, and 7 bits have 128. A group of three, the first pent least significant, is stored
as its value + 62, a number 0..124. The last group is filled up with zero pents. The groups follow one another as a
stream of bits, lowest bit first, and the last byte is filled up with zero bits.
"""

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pentary.numbers.word import PENTS, PentaryError, checked_integers, from_digits, limit, to_digits

_BITS_PER_PENT: Final = 3
_WIDEST_IN_BITS: Final = 21  # 63 bits

_PENTS_PER_GROUP: Final = 3
_BITS_PER_GROUP: Final = 7
_GROUP_LIMIT: Final = limit(_PENTS_PER_GROUP)


def to_bits(values: ArrayLike, width: int = PENTS) -> NDArray[np.uint64]:
    """Return each number as 3-bit two's-complement codes, least significant pent in the lowest bits.

    values: integers of any shape, each of `width` pents.
    width: pents, 1 to 21.
    Returns: uint64 array of the same shape; the lowest 3 * width bits are used.
    Raises: PentaryError if something is not an integer or is out of range.

    >>> print(f"{to_bits(3):#o}")  # one octal figure a pent: 3 = 1 * 5 - 2
    0o16
    """
    offsets = _bit_offsets(width)
    codes = to_digits(values, width).astype(np.int64) & 7
    return np.asarray((codes << offsets).sum(axis=-1)).astype(np.uint64)


def from_bits(bits: ArrayLike, width: int = PENTS) -> NDArray[np.int64]:
    """Return the number that each pattern of 3-bit codes stands for.

    bits: integers of any shape, 3 * width bits each.
    width: pents, 1 to 21.
    Returns: int64 array of the same shape.
    Raises: PentaryError if something is not an integer, a higher bit is set, or a code is 3, 4 or 5 (invalid).

    >>> from_bits([0o16, 0o72])
    array([ 3, -3])
    """
    offsets = _bit_offsets(width)
    patterns = checked_integers(bits, 0, 8**offsets.size - 1, f"{3 * offsets.size}-bit pattern")
    codes = (patterns[..., np.newaxis] >> offsets) & 7
    return from_digits((codes ^ 4) - 4)  # two's complement: codes 4..7 are -4..-1


def _bit_offsets(width: int) -> NDArray[np.int64]:
    return _BITS_PER_PENT * np.arange(checked_integers(width, 1, _WIDEST_IN_BITS, "width").item())


def pack(digits: ArrayLike) -> NDArray[np.uint8]:
    """Return pents as bytes, three pents in 7 bits.

    digits: integers -2..2 of any shape; taken in C order.
    Returns: uint8 array, one-dimensional.
    Raises: PentaryError if a digit is not an integer from -2 to 2.

    >>> pack([0, 0, 0, -2, 1, 0])
    array([190,  32], dtype=uint8)
    """
    pents = checked_integers(digits, -2, 2, "digit").ravel()
    groups = np.pad(pents, (0, -pents.size % _PENTS_PER_GROUP)).reshape(-1, _PENTS_PER_GROUP)
    codes = (from_digits(groups) + _GROUP_LIMIT).astype(np.uint8)
    bits = np.unpackbits(codes[:, np.newaxis], axis=1, count=_BITS_PER_GROUP, bitorder="little")
    return np.packbits(bits, bitorder="little")


def unpack(data: ArrayLike, count: int) -> NDArray[np.int8]:
    """Return the pents that `pack` stored.

    data: bytes (integers 0..255), one-dimensional, exactly as many as `count` pents take.
    count: pents, 0 or more.
    Returns: int8 array of shape (count,), digits -2..2.
    Raises: PentaryError if the data are too short or too long, or hold something that `pack` never writes: a group
    code 125..127, or padding that is not zero.

    >>> unpack(np.array([190, 32], dtype=np.uint8), count=5)
    array([ 0,  0,  0, -2,  1], dtype=int8)
    """
    count = checked_integers(count, 0, np.iinfo(np.int64).max, "count").item()
    groups = -(-count // _PENTS_PER_GROUP)
    size = -(-groups * _BITS_PER_GROUP // 8)
    stored = checked_integers(data, 0, 255, "byte").astype(np.uint8)
    if stored.shape != (size,):
        raise PentaryError(f"{count} pents take {size} bytes, but the data have shape {stored.shape}")
    bits, unused_bits = np.split(np.unpackbits(stored, bitorder="little"), [groups * _BITS_PER_GROUP])
    codes = np.packbits(bits.reshape(groups, _BITS_PER_GROUP), axis=1, bitorder="little")[:, 0]
    in_range = checked_integers(codes, 0, 2 * _GROUP_LIMIT, "group code")
    pents, unused_pents = np.split(to_digits(in_range - _GROUP_LIMIT, _PENTS_PER_GROUP).ravel(), [count])
    if unused_bits.any() or unused_pents.any():
        raise PentaryError(f"the padding after {count} pents is not zero")
    return pents
