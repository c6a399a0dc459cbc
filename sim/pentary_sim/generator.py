"""Pseudo-random generator, compiled: the permutation of `pentary.lowrank.generator`, one word at a time."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from pentary.lowrank.generator import ROUNDS
from pentary.numbers.word import PENTS, WORD_MAX
from pentary_sim.compiled import compiled

Bytes = NDArray[np.uint8]

_CUBE: Final = np.array([0, 1, 3, 2, 4], np.uint8)  # n**3 modulo 5
_MODULO: Final = np.array([n % 5 for n in range(17)], np.uint8)


@compiled
def spread(word: int, out: Bytes) -> None:
    """Write the pents of a word into out (16,) as residues 0..4 modulo 5."""
    rest = word + WORD_MAX
    for j in range(PENTS):
        out[j] = (rest % 5 + 3) % 5
        rest //= 5


@compiled
def schedule(key: int, round_keys: Bytes, scratch: Bytes) -> None:
    """Expand a key word into round_keys (ROUNDS + 1, 16)."""
    spread(key, scratch)
    for number in range(ROUNDS + 1):
        for j in range(PENTS):
            round_keys[number, j] = scratch[(number + j) % PENTS]
        round_keys[number, 0] = (round_keys[number, 0] + number % 5) % 5
        round_keys[number, 1] = (round_keys[number, 1] + number // 5) % 5


@compiled
def permute(counter: int, round_keys: Bytes, pents: Bytes) -> None:
    """Write the permuted counter word into pents[0] (16,) as residues modulo 5; pents[1] is scratch."""
    state, cubes = pents[0], pents[1]
    spread(counter, state)
    for j in range(PENTS):
        state[j] = _MODULO[state[j] + round_keys[0, j]]
    for number in range(1, ROUNDS + 1):
        for j in range(PENTS):
            cubes[j] = _CUBE[state[j]]
        for j in range(PENTS):
            k = 3 * j % PENTS
            total = cubes[k] + cubes[(k + 1) % PENTS] + cubes[(k + 3) % PENTS] + round_keys[number, j]
            state[j] = _MODULO[total]


@compiled
def balanced(residue: int) -> np.int64:
    """Return the pent, -2..2, congruent to a residue 0..4."""
    return np.int64(residue) if residue < 3 else np.int64(residue) - 5


@compiled
def prng(key: int, counter: int, round_keys: Bytes, pents: Bytes) -> np.int64:
    """Return the result word of the PRNG instruction."""
    schedule(key, round_keys, pents[0])
    permute(counter, round_keys, pents)
    word = np.int64(0)
    for j in range(PENTS - 1, -1, -1):
        word = word * 5 + balanced(pents[0, j])
    return word
