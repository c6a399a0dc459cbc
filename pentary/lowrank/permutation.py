"""Permutation of counter words for `pentary.lowrank.generator`, compiled by Numba.

SIMD within a register: a 64-bit integer holds one residue 0..4 of each of eight words, a byte for each, and no
operation carries from one byte to the next.
"""

import numpy as np
from numpy.typing import NDArray

from pentary.lowrank.layout import BLOCK_WIDTH, BYTES, ROUNDS
from pentary.numbers.word import PENTS
from pentary.support.compiled import Store, imported_sources

# Pent j of the mixing layer is the sum of pents 3j, 3j + 1 and 3j + 3. The three distances between these places
# are all different, so two changed pents meet in at most one sum. (Places 0, 1, 2 would be weak:
# `research/randomness.md`.)
_MIX = 3

_BATCH = 512  # words permuted at a time; they fit the first-level cache

_ONES = np.uint64(0x0101010101010101)
_THREES = np.uint64(0x0303030303030303)
_TWOS = np.uint64(0x0202020202020202)
_TOPS = np.uint64(0x8080808080808080)
_u64 = np.uint64

_compiled = Store("prng", "the generator", imported_sources(__name__)).compiled(nogil=True)


@_compiled
def _modulo_five(sums: np.uint64) -> np.uint64:
    """Return each byte n (0..16) modulo 5; floor(n / 5) is computed as floor(13 n / 64)."""
    fives = ((sums + (sums << _u64(2)) + (sums << _u64(3))) >> _u64(6)) & _THREES
    return sums - (fives + (fives << _u64(2)))


@_compiled
def permute(state: NDArray[np.uint64], cubes: NDArray[np.uint64], round_keys: NDArray[np.uint64]) -> None:
    """Permute the words of state (16, n), residues of pents, in place; the results are pents plus 2, in 0..4.

    cubes: (16, n), scratch. round_keys: (rounds + 1, 16, n), or (rounds + 1, 16, 1) for one key.
    """
    one_key = round_keys.shape[2] == 1
    for j in range(PENTS):
        for i in range(state.shape[1]):
            state[j, i] = _modulo_five(state[j, i] + round_keys[0, j, 0 if one_key else i])
    for rotation in range(1, ROUNDS + 1):
        # Cubing is the only non-linear step: modulo 5 it exchanges 2 and 3.
        for j in range(PENTS):
            for i in range(state.shape[1]):
                cubes[j, i] = state[j, i] ^ ((state[j, i] >> _u64(1)) & _ONES)
        for j in range(PENTS):
            first, second, third = _MIX * j % PENTS, (_MIX * j + 1) % PENTS, (_MIX * j + 3) % PENTS
            for i in range(state.shape[1]):
                key = round_keys[rotation, j, 0 if one_key else i]
                state[j, i] = _modulo_five(cubes[first, i] + cubes[second, i] + cubes[third, i] + key)


@_compiled
def draw(
    low: NDArray[np.uint8], high: NDArray[np.uint8], round_keys: NDArray[np.uint8], out: NDArray[np.uint64]
) -> None:
    """Draw the words of all members and blocks by permuting their counters.

    low, high: (8, blocks) and (8, members) residues of the two counter fields. round_keys: (rounds + 1, 16, 1)
    residues. out: (members * blocks, 2), eight pents (int8) in an integer.
    """
    blocks = low.shape[1]
    state = np.empty((PENTS, _BATCH // BYTES), np.uint64)
    cubes = np.empty_like(state)
    residues = state.view(np.uint8)
    half = np.empty((PENTS // BYTES, _BATCH), np.uint64)
    keys = round_keys * _ONES
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
        permute(state, cubes, keys)
        for side in range(PENTS // BYTES):
            _gather(residues[BYTES * side : BYTES * (side + 1)], half[side])
        for i in range(count):
            out[start + i, 0], out[start + i, 1] = half[0, i], half[1, i]


@_compiled
def _gather(rows: NDArray[np.uint8], out: NDArray[np.uint64]) -> None:
    """Pack the eight bytes of each column into one integer, the first one lowest, and subtract 2 from each byte."""
    a, b, c, d, e, f, g, h = rows[0], rows[1], rows[2], rows[3], rows[4], rows[5], rows[6], rows[7]
    for i in range(out.size):
        low = _u64(a[i]) | _u64(b[i]) << _u64(8) | _u64(c[i]) << _u64(16) | _u64(d[i]) << _u64(24)
        high = _u64(e[i]) << _u64(32) | _u64(f[i]) << _u64(40) | _u64(g[i]) << _u64(48) | _u64(h[i]) << _u64(56)
        out[i] = (((low | high) | _TOPS) - _TWOS) ^ _TOPS
