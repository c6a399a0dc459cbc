"""Fitness as exact numbers, with Python integers as the oracle."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pentary import es
from pentary.es.fitness import Summary, as_fitness, differences
from pentary.numbers.word import PentaryError

SMALL = st.integers(-3, 3)
CLOSE = st.builds(
    lambda base, offset: base + offset, st.sampled_from([0, 2**53, -(2**62), 2**63, 2**64, 10**40]), SMALL
)
PAIRS = st.lists(st.tuples(CLOSE, CLOSE), min_size=1, max_size=30)
INT64 = st.integers(-(2**63), 2**63 - 1) | st.sampled_from([-(2**63), 2**63 - 1, 2**62, -(2**62)])


def plain_ranks(pairs):
    """Return the rank shaping of the fitness of pairs, in Python integers."""
    order = sorted(range(len(pairs)), key=lambda pair: abs(pairs[pair][0] - pairs[pair][1]))  # stable
    shaped = [(plus > minus) - (plus < minus) for plus, minus in pairs]
    for pair in order[: len(pairs) // 3]:
        shaped[pair] = 0
    for pair in order[len(pairs) - len(pairs) // 5 :]:
        shaped[pair] *= 2
    return shaped


@given(PAIRS)
def test_integers_of_any_size_are_compared_exactly(pairs):
    assert es.shape_fitness(pairs, "rank").tolist() == plain_ranks(pairs)
    assert es.shape_fitness(np.array(pairs, object), "sign").tolist() == [(a > b) - (a < b) for a, b in pairs]
    assert differences(as_fitness(pairs)).tolist() == [a - b for a, b in pairs]
    assert as_fitness(pairs).tolist() == [list(pair) for pair in pairs]
    assert Summary.of(pairs).best == max(map(max, pairs))
    found = Summary.of(pairs)
    assert found.tied == sum(a == b for a, b in pairs) / len(pairs)
    assert found.total == sum(map(sum, pairs)) and found.mean(3) == found.total / (6 * len(pairs))


@given(st.lists(st.tuples(INT64, INT64), min_size=1, max_size=20))
def test_differences_beyond_64_bits_do_not_wrap(pairs):
    assert es.shape_fitness(np.array(pairs, np.int64), "rank").tolist() == plain_ranks(pairs)
    assert es.shape_fitness([[np.int64(a), np.int64(b)] for a, b in pairs], "rank").tolist() == plain_ranks(pairs)
    unsigned = [(a + 2**63, b + 2**63) for a, b in pairs]
    assert es.shape_fitness(np.array(unsigned, np.uint64), "rank").tolist() == plain_ranks(unsigned)


@pytest.mark.parametrize("kind", [np.int8, np.uint8, np.int16, np.uint16, np.int32, np.uint32, np.int64, np.uint64])
def test_the_ends_of_every_type_of_integers_are_compared_exactly(kind):
    least, most = int(np.iinfo(kind).min), int(np.iinfo(kind).max)
    pairs = [(least, most), (most, least), (most, most - 1), (least, least), (least + 1, least), (0, most)]
    assert es.shape_fitness(np.array(pairs, kind), "rank").tolist() == plain_ranks(pairs)


@given(st.lists(st.tuples(st.floats(-1e300, 1e300), st.floats(-1e300, 1e300)), min_size=1, max_size=20))
def test_floats_are_compared_as_floats(pairs):
    assert as_fitness(pairs).dtype == np.float64
    assert es.shape_fitness(pairs, "rank").tolist() == plain_ranks(pairs)


MIXED = CLOSE | st.floats(-1e20, 1e20)


@given(st.lists(st.tuples(MIXED, MIXED), min_size=1, max_size=20))
def test_an_integer_and_a_float_are_compared_as_python_subtracts_them(pairs):
    assert es.shape_fitness(pairs, "rank").tolist() == plain_ranks(pairs)
    assert Summary.of(pairs).best == max(map(max, pairs))


@given(st.lists(st.tuples(INT64, INT64), min_size=1, max_size=20), st.integers(1, 20))
def test_the_summary_of_a_population_is_that_of_its_parts(pairs, size):
    values = np.array(pairs, np.int64)
    whole = Summary.of(values)
    joined = Summary.joined([Summary.of(values[first : first + size]) for first in range(0, len(values), size)])
    assert joined.differences.tolist() == whole.differences.tolist() == [a - b for a, b in pairs]
    assert (joined.total, joined.best, joined.tied) == (whole.total, whole.best, whole.tied)
    assert Summary.of(whole) is whole


def test_narrow_floats_do_not_overflow():
    with warnings.catch_warnings(action="error"):
        assert es.shape_fitness(np.array([[6e4, -6e4], [6e4, -5e4]] * 3, np.float16), "rank").tolist() == [
            *(1, 0, 1, 0, 2, 1)
        ]


@pytest.mark.parametrize(
    ("fitness", "told"),
    [
        ([[1, 2, 3]], r"shape \(pairs, 2\), not \(1, 3\)"),
        ([[1, 2], [3]], r"shape \(pairs, 2\)"),
        ([[True, False]], "integers or floats"),
        (np.array([[True, False]]), "finite numbers, not bool"),
        ([["1", 2]], "integers or floats"),
        ([[None, 2]], "integers or floats"),
        ([[1j, 2]], "integers or floats"),
        ([[float("nan"), 2]], "finite"),
        ([[float("inf"), 2.0]], "finite"),
        ([[10**400, 2.0]], "an integer is too large to be compared with fitness that are floats"),
    ],
)
def test_what_is_no_fitness_is_refused(fitness, told):
    with pytest.raises(PentaryError, match=told):
        es.shape_fitness(fitness, "rank")
