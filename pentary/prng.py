"""PRNG: a keyed bijection on 16-pent words, the only source of randomness in the kit.

`architecture/randomness.md` specifies it; `research/randomness/` measures it. Nothing is carried from one call to the
next: the pents of (seed, step, matrix, member) are found again from those four numbers alone, in any order.
"""

from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pentary.compiled import Store
from pentary.word import PENTS, as_words, checked_integers, from_digits, limit, to_digits

ROUNDS = 8

# A counter word is member * 5**8 + block; a key's counter is step * 5**6 + matrix.
BLOCK_WIDTH, MATRIX_WIDTH = 8, 6
MEMBER_MAX = limit(PENTS - BLOCK_WIDTH)
BLOCK_MAX = limit(BLOCK_WIDTH)
STEP_MAX = limit(PENTS - MATRIX_WIDTH)
MATRIX_MAX = limit(MATRIX_WIDTH)

# Pent j of the mixing layer is the sum of pents 3j, 3j + 1 and 3j + 3. No two of these places are as far apart as two
# others, so two changed pents meet in at most one sum. (Places 0, 1, 2 would be weak: `research/randomness.md`.)
_MIX = 3

_ROUND = np.arange(ROUNDS + 1)
_ROTATION = (_ROUND[:, None] + np.arange(PENTS)) % PENTS
_ROUND_NUMBER = np.zeros((ROUNDS + 1, PENTS, 1), np.uint8)
_ROUND_NUMBER[:, 0, 0], _ROUND_NUMBER[:, 1, 0] = _ROUND % 5, _ROUND // 5

# Words permuted at a time, which a core's first cache holds; eight of them share an integer, a byte for each.
_BATCH = 512
_BYTES = 8


def prng(key: ArrayLike, counter: ArrayLike) -> NDArray[np.int64]:
    """Permute counter words under key words: the PRNG instruction.

    For every key this is a bijection of the 5**16 words, so over all counters each pent takes each of its five values
    exactly equally often, and no two counters share a result.

    Args:
        key: words, any shape that broadcasts with `counter`.
        counter: words.

    Returns:
        Words in the broadcast shape, int64.

    Raises:
        PentaryError: a key or counter is not an integer or does not fit 16 pents.

    >>> prng(0, [0, 1, 2]).tolist()
    [50363428604, -41712969738, -6190221623]
    """
    keys, counters = np.broadcast_arrays(as_words(key), as_words(counter))
    count = counters.size
    padding = (0, -count % _BYTES)  # to whole integers of eight bytes
    state = np.pad(_residues(counters.reshape(-1)), ((0, 0), padding))
    round_keys = _round_keys(np.pad(_residues(keys.reshape(-1)), ((0, 0), padding)))
    lanes = state.view(np.uint64)
    _permute(lanes, np.empty_like(lanes), round_keys.view(np.uint64))
    return from_digits(state.view(np.int8)[:, :count].T - np.int8(2)).reshape(counters.shape)


def matrix_key(seed: int, step: int, matrix: int) -> int:
    """Derive the key under which the members of one matrix draw their pents in one step.

    For one seed, different (step, matrix) always give different keys.

    Args:
        seed: a word.
        step: 0 for the initial weights, then 1, 2, ...; at most `STEP_MAX`.
        matrix: number of the matrix; negative numbers are free for other uses. At most `MATRIX_MAX` in magnitude.

    Returns:
        The key, a word.

    Raises:
        PentaryError: an argument is out of its range.
    """
    high = checked_integers(step, 0, STEP_MAX, "step").item()
    low = checked_integers(matrix, -MATRIX_MAX, MATRIX_MAX, "matrix").item()
    return prng(seed, high * 5**MATRIX_WIDTH + low).item()


def pents(key: int, members: ArrayLike, first: int, blocks: int) -> NDArray[np.int8]:
    """Draw uniform pents: the words at consecutive counters of each member, least significant pent first.

    Args:
        key: a word, from `matrix_key`.
        members: (M,) integers in 0..MEMBER_MAX.
        first: number of the first block of 16 pents.
        blocks: how many blocks to draw.

    Returns:
        (M, 16 * blocks) int8 in -2..2: row m holds the pents of `prng(key, members[m] * 5**8 + block)` for the blocks
        in order.

    Raises:
        PentaryError: a member or block number is out of its range.
    """
    members = checked_integers(members, 0, MEMBER_MAX, "member").reshape(-1)
    numbers = checked_integers(np.arange(first, first + blocks), 0, BLOCK_MAX, "block")
    round_keys = _round_keys(_residues(as_words(key).reshape(1)))
    low = _residues(numbers, BLOCK_WIDTH)
    high = _residues(members, PENTS - BLOCK_WIDTH)
    out = np.empty((len(members), blocks * PENTS), np.int8)
    _draw(low, high, round_keys * _ONES, out.view(np.uint64).reshape(-1, PENTS // _BYTES))
    return out


def _residues(words: NDArray[np.int64], width: int = PENTS) -> NDArray[np.uint8]:
    """Give the pents of (n,) words as residues 0..4 modulo 5, shape (width, n): -2 is 3 and -1 is 4."""
    return (to_digits(words, width).T % 5).astype(np.uint8, order="C")


def _round_keys(key: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Rotate the key (16, n) by one pent a round and add the round's number, so that no two rounds are alike."""
    keys = key[_ROTATION] + _ROUND_NUMBER
    keys[-1] += np.uint8(2)  # with the 2 taken away at the end: residues 0..4 become pents -2..2
    return keys % np.uint8(5)


# From here on an integer holds a residue 0..4 of each of eight words, a byte for each, and what is done to it never
# carries from one byte to the next.

_ONES = np.uint64(0x0101010101010101)
_THREES = np.uint64(0x0303030303030303)
_TWOS = np.uint64(0x0202020202020202)
_TOPS = np.uint64(0x8080808080808080)
_u64 = np.uint64
_HERE = Path(__file__).parent
_compiled = Store("prng", _HERE, [_HERE / "prng.py", _HERE / "word.py"]).compiled(nogil=True)


@_compiled
def _modulo_five(sums: np.uint64) -> np.uint64:
    """Reduce bytes 0..16: 13 n / 64 is n / 5, rounded down."""
    fives = ((sums + (sums << _u64(2)) + (sums << _u64(3))) >> _u64(6)) & _THREES
    return sums - (fives + (fives << _u64(2)))


@_compiled
def _permute(state: NDArray[np.uint64], cubes: NDArray[np.uint64], round_keys: NDArray[np.uint64]) -> None:
    """Permute residues (16, n) in place, leaving pents raised by 2.

    cubes: (16, n), scratch. round_keys: (rounds + 1, 16, n), or (rounds + 1, 16, 1) for one key.
    """
    one_key = round_keys.shape[2] == 1
    for j in range(PENTS):
        for i in range(state.shape[1]):
            state[j, i] = _modulo_five(state[j, i] + round_keys[0, j, 0 if one_key else i])
    for rotation in range(1, ROUNDS + 1):
        # Cubing is the only step that is not linear: modulo 5 it exchanges 2 and 3.
        for j in range(PENTS):
            for i in range(state.shape[1]):
                cubes[j, i] = state[j, i] ^ ((state[j, i] >> _u64(1)) & _ONES)
        for j in range(PENTS):
            first, second, third = _MIX * j % PENTS, (_MIX * j + 1) % PENTS, (_MIX * j + 3) % PENTS
            for i in range(state.shape[1]):
                key = round_keys[rotation, j, 0 if one_key else i]
                state[j, i] = _modulo_five(cubes[first, i] + cubes[second, i] + cubes[third, i] + key)


@_compiled
def _draw(
    low: NDArray[np.uint8], high: NDArray[np.uint8], round_keys: NDArray[np.uint64], out: NDArray[np.uint64]
) -> None:
    """Permute the counters of all members and blocks.

    low, high: (8, blocks) and (8, members) residues. round_keys: (rounds + 1, 16, 1). out: (members * blocks, 2), eight
    pents an integer.
    """
    blocks = low.shape[1]
    state = np.empty((PENTS, _BATCH // _BYTES), np.uint64)
    cubes = np.empty_like(state)
    residues = state.view(np.uint8)
    half = np.empty((PENTS // _BYTES, _BATCH), np.uint64)
    for start in range(0, out.shape[0], _BATCH):
        count = min(_BATCH, out.shape[0] - start)
        place = 0
        while place < count:
            member, block = divmod(start + place, blocks)
            width = min(blocks - block, count - place)
            for j in range(BLOCK_WIDTH):
                residues[j, place : place + width] = low[j, block : block + width]
                residues[BLOCK_WIDTH + j, place : place + width] = high[j, member]
            place += width
        _permute(state, cubes, round_keys)
        for side in range(PENTS // _BYTES):
            _gather(residues[_BYTES * side : _BYTES * (side + 1)], half[side])
        for i in range(count):
            out[start + i, 0], out[start + i, 1] = half[0, i], half[1, i]


@_compiled
def _gather(rows: NDArray[np.uint8], out: NDArray[np.uint64]) -> None:
    """Make an integer of the eight bytes of each column, the first lowest, and take 2 from each byte."""
    a, b, c, d, e, f, g, h = rows[0], rows[1], rows[2], rows[3], rows[4], rows[5], rows[6], rows[7]
    for i in range(out.size):
        low = _u64(a[i]) | _u64(b[i]) << _u64(8) | _u64(c[i]) << _u64(16) | _u64(d[i]) << _u64(24)
        high = _u64(e[i]) << _u64(32) | _u64(f[i]) << _u64(40) | _u64(g[i]) << _u64(48) | _u64(h[i]) << _u64(56)
        out[i] = (((low | high) | _TOPS) - _TWOS) ^ _TOPS
