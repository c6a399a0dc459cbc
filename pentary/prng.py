"""PRNG: a keyed bijection on 16-pent words, the only source of randomness in the kit.

`architecture/randomness.md` specifies it; `research/randomness/` measures it. Nothing is carried from one call to the
next: the pents of (seed, step, matrix, member) are found again from those four numbers alone, in any order.
"""

import threading

import numpy as np
from numpy.typing import ArrayLike, NDArray

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
_MIX = [3 * j % PENTS for j in range(PENTS)]
_REACH = 3

_ROUND = np.arange(ROUNDS + 1)
_ROTATION = (_ROUND[:, None] + np.arange(PENTS)) % PENTS
_ROUND_NUMBER = np.zeros((ROUNDS + 1, PENTS, 1), np.uint8)
_ROUND_NUMBER[:, 0, 0], _ROUND_NUMBER[:, 1, 0] = _ROUND % 5, _ROUND // 5

# Words permuted at a time: few enough for a core's caches, enough for workers not to wait for one another.
_CHUNK = 24575


class _Buffers(threading.local):
    """Memory of one thread, kept between calls: fresh pages for every call would cost as much as the permutation."""

    def __init__(self) -> None:
        self._flat: dict[str, NDArray[np.uint8]] = {}

    def bytes(self, name: str, rows: int, cols: int) -> NDArray[np.uint8]:
        """Give an array (rows, cols) that holds anything; it is kept unless it is wider than a chunk."""
        if cols > _CHUNK:
            return np.empty((rows, cols), np.uint8)
        if name not in self._flat:
            self._flat[name] = np.empty(rows * _CHUNK, np.uint8)
        return self._flat[name][: rows * cols].reshape(rows, cols)


_buffers = _Buffers()


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
    state = _residues(counters.reshape(-1))
    _permute(state, _round_keys(_residues(keys.reshape(-1))))
    return from_digits(state.T.view(np.int8)).reshape(counters.shape)


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
    low = _residues(numbers, BLOCK_WIDTH)[:, None, :]
    high = _residues(members, PENTS - BLOCK_WIDTH)[:, :, None]
    out = np.empty((len(members), blocks * PENTS), np.int8)
    rows = max(1, _CHUNK // max(1, blocks))
    for start in range(0, len(members), rows):
        part = high[:, start : start + rows]
        count = part.shape[1] * blocks
        flat = _buffers.bytes("state", PENTS, count)
        state = flat.reshape(PENTS, part.shape[1], blocks)
        state[:BLOCK_WIDTH] = low
        state[BLOCK_WIDTH:] = part
        _permute(flat, round_keys)
        out[start : start + rows].reshape(-1, PENTS)[...] = flat.view(np.int8).T
    return out


def _residues(words: NDArray[np.int64], width: int = PENTS) -> NDArray[np.uint8]:
    """Give the pents of (n,) words as residues 0..4 modulo 5, shape (width, n): -2 is 3 and -1 is 4."""
    return (to_digits(words, width).T % 5).astype(np.uint8, order="C")


def _round_keys(key: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Rotate the key (16, n) by one pent a round and add the round's number, so that no two rounds are alike."""
    keys = key[_ROTATION] + _ROUND_NUMBER
    keys[-1] += np.uint8(2)  # with the 2 taken away at the end: residues 0..4 become pents -2..2
    return keys % np.uint8(5)


def _permute(state: NDArray[np.uint8], round_keys: NDArray[np.uint8]) -> None:
    """Permute residues (16, n) in place, leaving pents -2..2 as the bytes of int8."""
    two, five = np.uint8(2), np.uint8(5)
    scratch = _buffers.bytes("scratch", *state.shape)
    ring = _buffers.bytes("ring", PENTS + _REACH, state.shape[1])  # reading past pent 15 goes on at pent 0

    def add_modulo_five(round_key: NDArray[np.uint8]) -> None:
        np.add(state, round_key, out=state)
        np.floor_divide(state, five, out=scratch)
        np.multiply(scratch, five, out=scratch)
        np.subtract(state, scratch, out=state)

    add_modulo_five(round_keys[0])
    for round_key in round_keys[1:]:
        # Cubing is the only step that is not linear. Sums of three cubes up to 64 and a key's pent still fit a byte.
        np.multiply(state, state, out=scratch)
        np.multiply(scratch, state, out=ring[:PENTS])
        ring[PENTS:] = ring[:_REACH]
        np.add(ring[:PENTS], ring[1 : PENTS + 1], out=scratch)
        np.add(scratch, ring[_REACH:], out=scratch)
        np.take(scratch, _MIX, axis=0, out=state, mode="clip")
        add_modulo_five(round_key)
    np.subtract(state, two, out=state)
