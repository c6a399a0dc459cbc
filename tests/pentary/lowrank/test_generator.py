"""PRNG against an independent implementation of its specification, with quick tests of randomness."""

import random
import re
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pentary.lowrank import permutation
from pentary.lowrank.generator import BLOCK_MAX, MATRIX_MAX, MEMBER_MAX, STEP_MAX, matrix_key, pents, prng
from pentary.numbers.notation import parse_pents
from pentary.numbers.word import WORD_MAX, PentaryError, to_digits

reproducible = settings(deadline=None, print_blob=True)

words = st.integers(-WORD_MAX, WORD_MAX)
EDGES = [0, 1, -1, 2, -2, 3, 5**8, -(5**8), 5**15, WORD_MAX, WORD_MAX - 1, -WORD_MAX]
SPECIFICATION = Path(__file__).parents[3] / "architecture" / "randomness.md"


def residues_of(word: int) -> list[int]:
    found = []
    for _ in range(16):
        found.append(word % 5)
        word = (word - (word + 2) % 5 + 2) // 5
    return found


def word_of(residues: list[int]) -> int:
    return sum([0, 1, 2, -2, -1][residue] * 5**i for i, residue in enumerate(residues))


def round_key(key: list[int], number: int) -> list[int]:
    rotated = key[number:] + key[:number]
    return [(rotated[0] + number) % 5, (rotated[1] + number // 5) % 5, *rotated[2:]]


def encrypt(key: int, counter: int) -> int:
    k, x = residues_of(key), residues_of(counter)
    x = [(a + b) % 5 for a, b in zip(x, round_key(k, 0), strict=True)]
    for number in range(1, 9):
        x = [a**3 for a in x]
        x = [x[3 * j % 16] + x[(3 * j + 1) % 16] + x[(3 * j + 3) % 16] for j in range(16)]
        x = [(a + b) % 5 for a, b in zip(x, round_key(k, number), strict=True)]
    return word_of(x)


@cache
def inverse_of_mixing() -> list[list[int]]:
    """Return the inverse of the mixing layer, by elimination."""
    rows = [
        [int((i - 3 * j) % 16 in (0, 1, 3)) for i in range(16)] + [int(i == j) for i in range(16)] for j in range(16)
    ]
    for column in range(16):
        pivot = next(row for row in rows[column:] if row[column])
        rows.remove(pivot)
        pivot = [value * pow(pivot[column], -1, 5) % 5 for value in pivot]
        rows = [[(a - row[column] * b) % 5 for a, b in zip(row, pivot, strict=True)] for row in rows]
        rows.insert(column, pivot)
    return [row[16:] for row in rows]


def unmix(sums: list[int]) -> list[int]:
    return [sum(a * b for a, b in zip(row, sums, strict=True)) % 5 for row in inverse_of_mixing()]


def decrypt(key: int, word: int) -> int:
    k, x = residues_of(key), residues_of(word)
    for number in range(8, 0, -1):
        x = [(a - b) % 5 for a, b in zip(x, round_key(k, number), strict=True)]
        x = [a**3 % 5 for a in unmix(x)]  # cubing twice is a**9, which is a
    return word_of([(a - b) % 5 for a, b in zip(x, round_key(k, 0), strict=True)])


def chi_square(observed: np.ndarray, expected: float) -> float:
    return float(((observed - expected) ** 2 / expected).sum())


@reproducible
@given(words, words)
def test_a_word_is_what_the_specification_says(key, counter):
    assert prng(key, counter) == encrypt(key, counter)


@pytest.mark.parametrize("key", EDGES)
def test_the_specification_holds_at_the_edges(key):
    assert prng(key, EDGES).tolist() == [encrypt(key, counter) for counter in EDGES]


@reproducible
@given(words, words)
def test_the_counter_comes_back_from_key_and_result(key, counter):
    assert decrypt(key, int(prng(key, counter))) == counter
    assert prng(key, decrypt(key, counter)) == counter


@pytest.mark.parametrize("seed", [1, 2])
def test_counters_come_back_from_many_results(seed):
    chance = random.Random(seed)
    key = chance.randint(-WORD_MAX, WORD_MAX)
    counters = [chance.randint(-WORD_MAX, WORD_MAX) for _ in range(200)] + EDGES
    assert [decrypt(key, word) for word in prng(key, counters).tolist()] == counters


def test_under_one_key_no_two_counters_share_a_result():
    assert len(np.unique(prng(7, np.arange(200_000)))) == 200_000


def test_keys_and_counters_broadcast():
    keys, counters = np.array([[0], [5], [-WORD_MAX]]), np.arange(-2, 2)
    result = prng(keys, counters)
    assert result.shape == (3, 4)
    assert result.dtype == np.int64
    assert result.tolist() == [[encrypt(key, counter) for counter in range(-2, 2)] for key in (0, 5, -WORD_MAX)]
    assert prng(3, 4).shape == ()
    assert prng(0, np.zeros((0, 3), int)).shape == (0, 3)
    assert prng(np.int8(3), np.uint64(4)) == prng(3, 4)


def test_arguments_are_left_as_they_were():
    keys, counters = np.arange(5), np.arange(5)
    prng(keys, counters)
    assert keys.tolist() == counters.tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("arguments", [(WORD_MAX + 1, 0), (0, -WORD_MAX - 1), (0.0, 0), (0, True), (2**70, 0)])
def test_what_is_not_a_word_is_refused(arguments):
    with pytest.raises(PentaryError, match="number"):
        prng(*arguments)


@reproducible
@given(words, st.integers(0, MEMBER_MAX), st.integers(0, BLOCK_MAX))
def test_pents_are_the_words_at_member_and_block(key, member, block):
    drawn = pents(key, [member], block, 1)
    assert drawn.tolist() == [to_digits(encrypt(key, member * 5**8 + block)).tolist()]


def test_pents_reach_the_last_member_and_block():
    drawn = pents(9, [0, MEMBER_MAX], BLOCK_MAX - 1, 2)
    expected = prng(9, np.add.outer([0, MEMBER_MAX * 5**8], [BLOCK_MAX - 1, BLOCK_MAX]))
    np.testing.assert_array_equal(drawn, to_digits(expected).reshape(2, 32))


# One block more than an internal chunk, in one row and in many; then shapes that are not multiples of it.
@pytest.mark.parametrize(
    ("members", "blocks"), [(1, permutation._BATCH + 1), (permutation._BATCH + 1, 1), (3, 5000), (2800, 3), (1, 1)]
)
def test_pents_are_the_same_words_across_chunks(members, blocks):
    numbers = np.arange(members) * 3 + 1
    drawn = pents(-4, numbers, 2, blocks)
    assert drawn.shape == (members, 16 * blocks)
    assert drawn.dtype == np.int8
    expected = prng(-4, numbers[:, None] * 5**8 + np.arange(2, 2 + blocks))
    np.testing.assert_array_equal(drawn.reshape(members, blocks, 16), to_digits(expected))


@pytest.mark.parametrize("seed", range(3))
def test_any_members_and_blocks_in_any_order_get_the_same_pents(seed):
    generator = np.random.default_rng(seed)
    whole = pents(11, np.arange(300), 0, 40)
    members = generator.choice(300, 17)  # in any order, some more than once
    first, end = sorted(generator.choice(41, 2, replace=False).tolist())
    part = pents(11, members, first, end - first)
    np.testing.assert_array_equal(part, whole[members, 16 * first : 16 * end], strict=True)


def test_no_members_or_no_blocks_give_no_pents():
    assert pents(0, np.zeros(0, int), 0, 3).shape == (0, 48)
    assert pents(0, [1, 2], 5, 0).shape == (2, 0)


@pytest.mark.parametrize(
    ("arguments", "noun"),
    [
        ((WORD_MAX + 1, [0], 0, 1), "number"),
        ((0, [-1], 0, 1), "member"),
        ((0, [MEMBER_MAX + 1], 0, 1), "member"),
        ((0, [0.5], 0, 1), "member"),
        ((0, [0], -1, 1), "block"),
        ((0, [0], BLOCK_MAX, 2), "block"),
    ],
)
def test_pents_out_of_range_are_refused(arguments, noun):
    with pytest.raises(PentaryError, match=noun):
        pents(*arguments)


def test_a_matrix_key_is_the_word_at_step_and_matrix_under_the_seed():
    for seed, step, matrix in [(0, 0, 0), (5, 3, 2), (-WORD_MAX, STEP_MAX, MATRIX_MAX), (1, STEP_MAX, -MATRIX_MAX)]:
        key = matrix_key(seed, step, matrix)
        assert type(key) is int
        assert key == encrypt(seed, step * 5**6 + matrix)


def test_matrix_keys_of_one_seed_are_all_different():
    steps = [0, 1, 2, 3, 4, 5, 24, 25, 3124, STEP_MAX]
    matrices = [-MATRIX_MAX, -3, -2, -1, 0, 1, 2, 3, 4, 5, 25, MATRIX_MAX]
    keys = {matrix_key(12, step, matrix) for step in steps for matrix in matrices}
    assert len(keys) == len(steps) * len(matrices)


def test_no_two_pairs_of_step_and_matrix_or_of_member_and_block_share_a_counter():
    """The lower field covers exactly the range of its pents, so the two fields never overlap."""
    assert 2 * MATRIX_MAX + 1 == 5**6
    assert 2 * BLOCK_MAX + 1 == 5**8
    assert STEP_MAX * 5**6 + MATRIX_MAX == WORD_MAX
    assert MEMBER_MAX * 5**8 + BLOCK_MAX == WORD_MAX


@pytest.mark.parametrize(
    ("arguments", "noun"),
    [
        ((WORD_MAX + 1, 0, 0), "number"),
        ((0, -1, 0), "step"),
        ((0, STEP_MAX + 1, 0), "step"),
        ((0, 0, MATRIX_MAX + 1), "matrix"),
        ((0, 0, -MATRIX_MAX - 1), "matrix"),
        ((0, 1.5, 0), "step"),
    ],
)
def test_a_matrix_key_out_of_range_is_refused(arguments, noun):
    with pytest.raises(PentaryError, match=noun):
        matrix_key(*arguments)


def test_the_vectors_of_the_specification_are_what_the_code_gives():
    pattern = re.compile(r"([=\-012]{16}) ([=\-012]{16}) ([=\-012]{16}) +(-?\d+) +(-?\d+) +(-?\d+)")
    vectors = pattern.findall(SPECIFICATION.read_text(encoding="utf-8"))
    assert len(vectors) == 3
    for vector in vectors:
        key, counter, word = map(int, vector[3:])
        assert [parse_pents(text) for text in vector[:3]] == [key, counter, word]
        assert prng(key, counter) == encrypt(key, counter) == word


# Quick tests of randomness with fixed inputs: limits are so wide that a good generator fails one in about 1e6 tests.

STREAMS = {
    "blocks": lambda n: pents(matrix_key(1, 1, 0), [3], 0, n),
    "members": lambda n: pents(matrix_key(1, 1, 0), np.arange(n), 0, 1),
    "steps": lambda n: to_digits(prng(prng(1, np.arange(n) * 5**6), 0)),
    "matrices": lambda n: to_digits(prng(prng(1, 5**6 + np.arange(n) - MATRIX_MAX), 0)),  # fewer than there are
    "seeds": lambda n: to_digits(prng(prng(np.arange(n), 5**6), 0)),
    "keys": lambda n: to_digits(prng(np.arange(n), 0)),
}


@pytest.mark.parametrize("stream", STREAMS)
def test_each_pent_of_the_word_takes_its_five_values_equally_often(stream):
    drawn = STREAMS[stream](15_000).reshape(-1, 16)
    for place in range(16):
        assert chi_square(np.bincount(drawn[:, place] + 2, minlength=5), 3000) < 35  # 4 degrees of freedom


@pytest.mark.parametrize("stream", STREAMS)
def test_pents_of_neighbouring_words_are_independent(stream):
    drawn = STREAMS[stream](15_000).reshape(-1, 16).astype(np.int64)
    for lag in (1, 2, 3):
        pairs = 5 * (drawn[:-lag] + 2) + drawn[lag:] + 2
        assert chi_square(np.bincount(pairs.ravel(), minlength=25), pairs.size / 25) < 80  # 24 degrees of freedom


@pytest.mark.parametrize("stream", STREAMS)
def test_neighbouring_words_do_not_correlate(stream):
    drawn = STREAMS[stream](15_000).reshape(-1, 16)
    left, right = drawn[:-1].ravel(), drawn[1:].ravel()
    assert abs(np.corrcoef(left, right)[0, 1]) * np.sqrt(left.size) < 5


@pytest.mark.parametrize("pent", [0, 7, 15])
@pytest.mark.parametrize("where", ["key", "counter", "both"])
def test_one_changed_pent_changes_every_pent_of_the_result_at_random(where, pent):
    keys, counters = prng(1, np.arange(10_000)), np.arange(10_000)
    change = np.where(np.arange(10_000) % 2, 5**pent, -(5**pent))
    inputs = (keys + change * (where != "counter"), counters - change * (where != "key"))
    fits = (np.abs(inputs[0]) <= WORD_MAX) & (np.abs(inputs[1]) <= WORD_MAX)
    differences = (to_digits(prng(inputs[0][fits], inputs[1][fits])) - to_digits(prng(keys, counters))[fits]) % 5
    for place in range(16):
        assert chi_square(np.bincount(differences[:, place], minlength=5), fits.sum() / 5) < 35


def test_differences_of_two_counter_pents_do_not_show_in_two_pents_of_the_result():
    """With the places 0, 1, 2 in the mixing layer they do, in a quarter of all words: see `research/randomness.md`."""
    counters = np.random.default_rng(1).integers(-WORD_MAX, WORD_MAX + 1, 50_000)
    before, after = to_digits(counters), to_digits(prng(2026, counters))
    before, after = before - np.roll(before, -3, 1), after - np.roll(after, -3, 1)
    for i in range(16):
        sums = (after - before[:, [i]]) % 5
        for j in range(16):
            assert chi_square(np.bincount(sums[:, j], minlength=5), 10_000) < 45
