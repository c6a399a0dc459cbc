"""PRNG: a keyed bijection on 16-pent words, the only source of randomness in the kit.

`architecture/randomness.md` specifies it; `research/randomness/` measures it. The generator has no state: the
pents of (seed, step, matrix, member) follow from these four numbers alone and can be drawn again in any order.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pentary.lowrank.layout import BLOCK_MAX, BLOCK_WIDTH, BYTES, MATRIX_MAX, MATRIX_WIDTH, MEMBER_MAX, ROUNDS, STEP_MAX
from pentary.numbers.word import PENTS, as_words, checked_integers, from_digits, to_digits

_ROUND = np.arange(ROUNDS + 1)
_ROTATION = (_ROUND[:, None] + np.arange(PENTS)) % PENTS
_ROUND_NUMBER = np.zeros((ROUNDS + 1, PENTS, 1), np.uint8)
_ROUND_NUMBER[:, 0, 0], _ROUND_NUMBER[:, 1, 0] = _ROUND % 5, _ROUND // 5


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
    from pentary.lowrank.permutation import permute  # here, since it compiles and not every importer needs it

    keys, counters = np.broadcast_arrays(as_words(key), as_words(counter))
    count = counters.size
    padding = (0, -count % BYTES)  # to whole integers of eight bytes
    state = np.pad(_residues(counters.reshape(-1)), ((0, 0), padding))
    round_keys = _round_keys(np.pad(_residues(keys.reshape(-1)), ((0, 0), padding)))
    lanes = state.view(np.uint64)
    permute(lanes, np.empty_like(lanes), round_keys.view(np.uint64))
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
    from pentary.lowrank.permutation import draw

    members = checked_integers(members, 0, MEMBER_MAX, "member").reshape(-1)
    numbers = checked_integers(np.arange(first, first + blocks), 0, BLOCK_MAX, "block")
    round_keys = _round_keys(_residues(as_words(key).reshape(1)))
    low = _residues(numbers, BLOCK_WIDTH)
    high = _residues(members, PENTS - BLOCK_WIDTH)
    out = np.empty((len(members), blocks * PENTS), np.int8)
    draw(low, high, round_keys, out.view(np.uint64).reshape(-1, PENTS // BYTES))
    return out


def _residues(words: NDArray[np.int64], width: int = PENTS) -> NDArray[np.uint8]:
    """Return the pents of (n,) words as residues 0..4 modulo 5, shape (width, n): -2 is 3 and -1 is 4."""
    return (to_digits(words, width).T % 5).astype(np.uint8, order="C")


def _round_keys(key: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the round keys (rounds + 1, 16, n): the key rotated by one pent a round, plus the round's number."""
    keys = key[_ROTATION] + _ROUND_NUMBER
    keys[-1] += np.uint8(2)  # subtracted again at the end, which turns residues 0..4 into pents -2..2
    return keys % np.uint8(5)
