"""Compiled arithmetic on words, against Python integers and the array functions of `pentary.numbers`."""

from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pentary.interpreter.words import cons
from pentary.numbers.word import WORD_MAX, limit, to_digits
from pentary_sim import words

SIZE = 5**16
reproducible = settings(deadline=None, print_blob=True)

CARRIES = [sign * (5**k // 2) + n for k in range(17) for sign in (-1, 1) for n in (-1, 0, 1)]
EDGES = [number for number in CARRIES if abs(number) <= WORD_MAX]
numbers = st.sampled_from(EDGES) | st.integers(-WORD_MAX, WORD_MAX)
wide = st.integers(-(2**62) + 1, 2**62 - 1)


def nearest(numerator: int, k: int) -> int:
    """Return numerator / 5**k, rounded to the nearest integer; there are no ties."""
    below, rest = divmod(numerator, 5**k)
    return below + (2 * rest > 5**k)


@given(wide, st.integers(0, 16))
@reproducible
def test_round_shift_gives_the_nearest_integer(value: int, k: int) -> None:
    assert words.round_shift(value, k) == nearest(value, k)


@given(wide | numbers, st.integers(1, 16))
@reproducible
def test_saturate_gives_the_nearest_number_that_fits(value: int, width: int) -> None:
    largest = limit(width)
    assert words.saturate(value, width) == (value if abs(value) <= largest else largest if value > 0 else -largest)


@given(wide)
@reproducible
def test_carry_out_splits_above_a_word(value: int) -> None:
    high, low = words.carry_out(value)
    assert abs(low) <= WORD_MAX
    assert high * SIZE + low == value


@given(numbers, numbers)
@reproducible
def test_multiply_gives_both_words_of_the_product(a: int, b: int) -> None:
    high, low = map(int, words.multiply(a, b))
    assert abs(low) <= WORD_MAX and abs(high) <= WORD_MAX
    assert high * SIZE + low == a * b


@given(numbers, st.integers(0, 16))
@reproducible
def test_shift_left_gives_both_words_of_the_product_with_a_power(a: int, k: int) -> None:
    high, low = map(int, words.shift_left(a, k))
    assert abs(low) <= WORD_MAX
    assert high * SIZE + low == a * 5**k


@given(numbers, numbers.filter(bool))
@reproducible
def test_quotient_goes_towards_zero(a: int, b: int) -> None:
    quotient = words.quotient(a, b)
    rest = a - quotient * b
    assert abs(rest) < abs(b)
    assert rest * a >= 0


@given(numbers, numbers)
@reproducible
def test_consensus_is_that_of_the_interpreter(a: int, b: int) -> None:
    assert words.consensus(a, b) == words.consensus(b, a) == cons(a, b)
    assert words.consensus(a, a) == a


@given(numbers)
@reproducible
def test_mask_has_a_bit_for_each_pent_that_is_not_zero(value: int) -> None:
    used = to_digits(value) != 0
    assert words.mask(words.MASKS, value) == sum(1 << k for k in np.flatnonzero(used).tolist())
    assert words.nonzero(words.MASKS, value) == used.sum()


def test_masks_of_all_numbers_of_six_pents() -> None:
    values = np.arange(-limit(6), limit(6) + 1)
    expected = (to_digits(values, 6) != 0) @ (1 << np.arange(6))
    np.testing.assert_array_equal(words.MASKS, expected)


@pytest.mark.parametrize("seed", range(3))
def test_ones_counts_bits(seed: int) -> None:
    rng = Random(seed)
    for bits in [0, 2**16 - 1, *(rng.getrandbits(16) for _ in range(100))]:
        assert words.ones(bits) == bits.bit_count()
