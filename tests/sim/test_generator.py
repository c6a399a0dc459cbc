"""The compiled generator against that of `pentary.lowrank`."""

from random import Random

import numpy as np

from pentary.lowrank import generator as library
from pentary.numbers.word import PENTS, WORD_MAX, to_digits
from pentary_sim import generator

EDGES = [0, 1, -1, 2, -2, 3, 5**8, -(5**8), 5**15, WORD_MAX, -WORD_MAX]


def scratch() -> tuple[np.ndarray, np.ndarray]:
    """Return buffers for round keys and pents, filled with arbitrary values."""
    return np.full((library.ROUNDS + 1, PENTS), 4, np.uint8), np.full((2, PENTS), 3, np.uint8)


def test_words_are_those_of_the_library() -> None:
    rng = Random(1)
    keys = [*EDGES, *(rng.randint(-WORD_MAX, WORD_MAX) for _ in range(40))]
    counters = [*EDGES, *(rng.randint(-WORD_MAX, WORD_MAX) for _ in range(40))]
    expected = library.prng(np.array(keys)[:, None], np.array(counters))
    round_keys, pents = scratch()
    actual = [[generator.prng(key, counter, round_keys, pents) for counter in counters] for key in keys]
    np.testing.assert_array_equal(actual, expected)


def test_spread_gives_the_pents_modulo_5_and_balanced_takes_them_back() -> None:
    rng = Random(2)
    for word in [*EDGES, *(rng.randint(-WORD_MAX, WORD_MAX) for _ in range(100))]:
        residues = np.full(PENTS, 9, np.uint8)
        generator.spread(word, residues)
        np.testing.assert_array_equal(residues, to_digits(word) % 5)
        assert [generator.balanced(residue) for residue in residues.tolist()] == to_digits(word).tolist()


def test_permute_gives_the_pents_of_a_block() -> None:
    key, pair = library.matrix_key(seed=5, step=2, matrix=1), 777
    round_keys, pents = scratch()
    generator.schedule(key, round_keys, pents[0])
    drawn = []
    for block in range(8):
        generator.permute(pair * 5**library.BLOCK_WIDTH + block, round_keys, pents)
        drawn += [generator.balanced(residue) for residue in pents[0].tolist()]
    np.testing.assert_array_equal(drawn, library.pents(key, np.array([pair]), 0, 8)[0])
