"""Numbers against plain Python integers: digits by repeated division, rounding by fractions."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from pentary.numbers.word import (
    PENTS,
    WIDEST,
    WORD_MAX,
    PentaryError,
    as_words,
    checked_integers,
    from_digits,
    limit,
    round_shift,
    saturate,
    split,
    to_digits,
    wrap,
)

reproducible = settings(deadline=None, print_blob=True)


def edges(width: int) -> list[int]:
    """Return edge cases for carries, rounding and limits: 0, powers of five, their halves, and neighbours of these."""
    marks = {mark + by for k in range(width) for mark in (5**k, (5**k - 1) // 2) for by in (-1, 0, 1)}
    marks |= {limit(width) - 1, limit(width)}
    return sorted({sign * mark for mark in marks for sign in (-1, 1) if mark <= limit(width)})


def numbers(width: int) -> st.SearchStrategy[int]:
    return st.integers(-limit(width), limit(width)) | st.sampled_from(edges(width))


widths = st.integers(1, WIDEST)
widths_with_numbers = widths.flatmap(lambda width: st.tuples(st.just(width), numbers(width)))
any_shape = array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)


def spelled(value: int, width: int) -> list[int]:
    digits = []
    for _ in range(width):
        digit = (value + 2) % 5 - 2
        digits.append(digit)
        value = (value - digit) // 5
    assert value == 0
    return digits


def test_a_word_is_sixteen_pents_and_reaches_as_far_both_ways():
    assert PENTS == 16
    assert WORD_MAX == limit(16) == 76_293_945_312
    assert from_digits([2] * 16) == WORD_MAX
    assert from_digits([-2] * 16) == -WORD_MAX


def test_the_widest_number_and_its_double_fit_int64_and_the_next_width_does_not():
    assert 2 * limit(WIDEST) <= np.iinfo(np.int64).max < (5 ** (WIDEST + 1) - 1) // 2


def test_the_three_pent_words_are_the_125_integers_from_minus_62_to_62_each_spelled_once():
    digits = to_digits(np.arange(-62, 63), 3)
    assert digits.tolist() == [spelled(value, 3) for value in range(-62, 63)]
    assert len({tuple(row) for row in digits.tolist()}) == 125
    assert from_digits(digits).tolist() == list(range(-62, 63))


@reproducible
@given(widths_with_numbers)
def test_digits_are_those_of_repeated_division_and_spell_the_number_again(width_and_number):
    width, number = width_and_number
    digits = to_digits(number, width)
    assert digits.dtype == np.int8
    assert digits.tolist() == spelled(number, width)
    assert from_digits(digits) == number


@reproducible
@given(widths_with_numbers)
def test_negation_negates_each_digit(width_and_number):
    width, number = width_and_number
    assert to_digits(-number, width).tolist() == (-to_digits(number, width)).tolist()


@reproducible
@given(numbers(WIDEST), st.integers(0, WIDEST))
def test_dropping_low_digits_is_rounding_to_nearest(number, k):
    exact = Fraction(number, 5**k)
    dropped = spelled(number, WIDEST)[k:]
    assert round_shift(number, k) == round(exact) == sum(digit * 5**i for i, digit in enumerate(dropped))


@pytest.mark.parametrize("k", range(1, WIDEST + 1))
def test_no_integer_is_midway_between_two_results_of_a_shift(k):
    just_below_half = (5**k - 1) // 2
    assert Fraction(just_below_half, 5**k) < Fraction(1, 2) < Fraction(just_below_half + 1, 5**k)
    assert round_shift([just_below_half, -just_below_half], k).tolist() == [0, 0]
    if k < WIDEST:
        assert round_shift([just_below_half + 1, -just_below_half - 1], k).tolist() == [1, -1]


@reproducible
@given(numbers(WIDEST), st.integers(0, WIDEST))
def test_split_gives_the_low_pents_and_the_rest(number, k):
    high, low = (part.item() for part in split(number, k))
    assert high * 5**k + low == number
    assert abs(low) <= (5**k - 1) // 2


@reproducible
@given(numbers(WIDEST))
def test_wrapping_keeps_the_residue_within_a_word(number):
    wrapped = wrap(number).item()
    assert (number - wrapped) % 5**16 == 0
    assert abs(wrapped) <= WORD_MAX


@reproducible
@given(numbers(WIDEST), widths)
def test_saturating_gives_the_nearest_number_that_fits(number, width):
    assert saturate(number, width) == sorted((-limit(width), number, limit(width)))[1]


@reproducible
@given(arrays(np.int64, any_shape, elements=numbers(WIDEST)), st.integers(0, WIDEST))
def test_arrays_of_any_shape_give_what_their_elements_give(values, k):
    assert to_digits(values, WIDEST).shape == (*values.shape, WIDEST)
    np.testing.assert_array_equal(from_digits(to_digits(values, WIDEST)), values, strict=True)
    for function in (lambda v: round_shift(v, k), wrap, saturate):
        expected = np.array([function(v.item()) for v in values.flat], dtype=np.int64).reshape(values.shape)
        np.testing.assert_array_equal(function(values), expected, strict=True)


def test_shifts_broadcast_with_values():
    assert round_shift([[100], [-63]], [0, 1, 2]).tolist() == [[100, 20, 4], [-63, -13, -3]]


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int16, np.uint32, np.uint64, np.dtype(">i8"), object])
def test_every_integer_dtype_is_taken_and_becomes_int64(dtype):
    words = as_words(np.array([0, 5, 127], dtype=dtype))
    assert words.dtype == np.int64
    assert words.tolist() == [0, 5, 127]


def test_int64_words_are_not_copied():
    values = np.array([1, 2])
    assert as_words(values) is values


@pytest.mark.parametrize("values", [1.0, [1.5], True, [False], "1", [None], 1j, np.array([1, True], dtype=object)])
def test_what_is_not_an_integer_is_refused_with_its_type(values):
    with pytest.raises(PentaryError, match=r"^16-pent number must be an integer, not \S+$"):
        as_words(values)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (WORD_MAX + 1, "16-pent number 76293945313 is outside -76293945312..76293945312"),
        ([0, -WORD_MAX - 1, 10**12], "16-pent number -76293945313 at index [1] is outside -76293945312..76293945312"),
        ([[0, 0], [0, 10**11]], "16-pent number 100000000000 at index [1, 1] is outside -76293945312..76293945312"),
        (2**63, "16-pent number 9223372036854775808 is outside -76293945312..76293945312"),
        ([1, -(2**70)], "16-pent number -1180591620717411303424 at index [1] is outside -76293945312..76293945312"),
        ([np.int64(1), 10**30], f"16-pent number {10**30} at index [1] is outside -76293945312..76293945312"),
    ],
)
def test_a_value_out_of_range_is_refused_with_its_place_and_the_range(values, message):
    with pytest.raises(PentaryError) as refusal:
        as_words(values)
    assert str(refusal.value) == message


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: limit(0), "width 0 is outside 1..27"),
        (lambda: to_digits([62, 63], 3), "3-pent number 63 at index [1] is outside -62..62"),
        (lambda: from_digits([[0, 3]]), "digit 3 at index [0, 1] is outside -2..2"),
        (lambda: from_digits([0.5]), "digit must be an integer, not float64"),
        (lambda: from_digits(1), "width 0 is outside 1..27"),
        (lambda: from_digits(np.zeros((2, 0), int)), "width 0 is outside 1..27"),
        (lambda: from_digits([0] * 28), "width 28 is outside 1..27"),
        (lambda: round_shift(1, -1), "shift -1 is outside 0..27"),
        (lambda: round_shift(1, [1, 28]), "shift 28 at index [1] is outside 0..27"),
        (lambda: round_shift(1, 1.0), "shift must be an integer, not float64"),
        (lambda: wrap(4 * 10**18), f"27-pent number 4000000000000000000 is outside -{limit(27)}..{limit(27)}"),
        (lambda: checked_integers([3, 9], 0, 8, "register"), "register 9 at index [1] is outside 0..8"),
    ],
)
def test_a_mistake_is_told_in_one_line(call, message):
    with pytest.raises(PentaryError) as refusal:
        call()
    assert str(refusal.value) == message
