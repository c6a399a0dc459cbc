"""Arithmetic and flags against exact Python integers, and against an adder that works digit by digit."""

from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays, mutually_broadcastable_shapes

from pentary.numbers.alu import (
    Flags,
    Result,
    add,
    compare,
    multiply,
    multiply_wide,
    negate,
    shift_left,
    shift_right,
    subtract,
)
from pentary.numbers.word import WORD_MAX, PentaryError, from_digits, to_digits

reproducible = settings(deadline=None, print_blob=True)

MARKS = {mark + by for k in range(16) for mark in (5**k, (5**k - 1) // 2) for by in (-1, 0, 1)} | {WORD_MAX}
EDGES = sorted({sign * mark for mark in MARKS for sign in (-1, 1)})
words = st.integers(-WORD_MAX, WORD_MAX) | st.sampled_from(EDGES)
shifts = st.integers(0, 16)
THREE_PENTS = np.arange(-62, 63)


def sign_flag(value: int) -> Flags:
    return Flags.N if value < 0 else Flags.P if value > 0 else Flags.Z


def delivered(exact: int, saturating: bool) -> tuple[int, Flags]:
    """Return the result and flags of an operation by the table of flags, from its exact result."""
    if abs(exact) <= WORD_MAX:
        return exact, sign_flag(exact)
    if saturating:
        edge = WORD_MAX if exact > 0 else -WORD_MAX
        return edge, sign_flag(edge) | Flags.V | Flags.C | Flags.S
    wrapped = (exact + WORD_MAX) % 5**16 - WORD_MAX
    return wrapped, sign_flag(wrapped) | Flags.V | Flags.C


def plain(result: Result) -> tuple[int, Flags]:
    return result.value.item(), Flags(result.flags.item())


def ripple_add(a: list[int], b: list[int]) -> list[int]:
    """Return the sum computed by a ripple-carry adder, with the carry out as the last digit."""
    total, carry = [], 0
    for x, y in zip(a, b, strict=True):
        column = x + y + carry
        carry = 1 if column > 2 else -1 if column < -2 else 0
        total.append(column - 5 * carry)
    return [*total, carry]


def test_the_sum_of_any_two_three_pent_words_is_that_of_a_ripple_adder():
    digits = to_digits(THREE_PENTS, 3).tolist()
    expected = [[from_digits(ripple_add(a, b)).item() for b in digits] for a in digits]
    assert add(THREE_PENTS[:, np.newaxis], THREE_PENTS).value.tolist() == expected


def test_the_product_of_any_two_three_pent_words_is_a_sum_of_shifted_copies():
    digits = to_digits(THREE_PENTS, 3).tolist()
    products = multiply(THREE_PENTS[:, np.newaxis], THREE_PENTS).value.tolist()
    for a, row in zip(digits, products, strict=True):
        for b, product in zip(digits, row, strict=True):
            total = [0] * 6
            for place, pent in enumerate(b):
                copy = [0] * place + a + [0] * (3 - place)
                for _ in range(abs(pent)):
                    total = ripple_add(total, copy if pent > 0 else [-digit for digit in copy])[:6]
            assert from_digits(total) == product


def test_a_carry_leaves_the_top_of_a_word_just_when_the_sum_does_not_fit():
    edges = np.array(EDGES)
    flags = add(edges[:, np.newaxis], edges).flags
    digits = to_digits(edges).tolist()
    carry_out = [[ripple_add(a, b)[-1] != 0 for b in digits] for a in digits]
    assert (flags & Flags.C != 0).tolist() == carry_out
    assert (flags & Flags.V != 0).tolist() == carry_out


@reproducible
@given(words, words, st.booleans())
def test_add_subtract_and_multiply_deliver_the_exact_result_wrapped_or_clamped(a, b, saturating):
    assert plain(add(a, b, saturating)) == delivered(a + b, saturating)
    assert plain(subtract(a, b, saturating)) == delivered(a - b, saturating)
    assert plain(multiply(a, b, saturating)) == delivered(a * b, saturating)


@reproducible
@given(words)
def test_negation_always_fits(a):
    assert plain(negate(a)) == (-a, sign_flag(-a))


@reproducible
@given(words, words)
def test_the_wide_product_is_exact_in_two_words(a, b):
    high, low = (word.item() for word in multiply_wide(a, b))
    assert high * 5**16 + low == a * b
    assert max(abs(high), abs(low)) <= WORD_MAX


@reproducible
@given(words, shifts, st.booleans())
def test_a_left_shift_multiplies_by_a_power_of_five(a, k, saturating):
    assert plain(shift_left(a, k, saturating)) == delivered(a * 5**k, saturating)


@reproducible
@given(words, shifts)
def test_a_left_shift_moves_pents_up_and_its_carry_tells_that_one_was_lost(a, k):
    digits = to_digits(a).tolist()
    result = shift_left(a, k)
    assert to_digits(result.value).tolist() == [0] * k + digits[: 16 - k]
    assert bool(result.flags & Flags.C) == any(digits[16 - k :])


@reproducible
@given(words, shifts)
def test_a_right_shift_rounds_to_nearest_and_its_carry_tells_that_it_rounded(a, k):
    exact = Fraction(a, 5**k)
    rounded = round(exact)
    inexact = Flags.C if rounded != exact else Flags(0)
    assert plain(shift_right(a, k)) == (rounded, sign_flag(rounded) | inexact)


@reproducible
@given(words, words)
def test_comparison_sees_the_exact_difference_even_where_it_overflows(a, b):
    assert Flags(compare(a, b).item()) == sign_flag(a - b)


operations: list[Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, ...]]] = [
    add,
    subtract,
    multiply,
    multiply_wide,
    lambda a, b: shift_left(a, abs(b) % 17),
    lambda a, b: shift_right(a, abs(b) % 17),
    lambda a, b: (compare(a, b),),
]


@reproducible
@given(mutually_broadcastable_shapes(num_shapes=2, min_dims=0, min_side=0, max_side=3), st.data())
def test_operands_of_any_shapes_broadcast(broadcast, data):
    a, b = (data.draw(arrays(np.int64, shape, elements=words)) for shape in broadcast.input_shapes)
    for operation in operations:
        outcome = operation(a, b)
        assert {part.shape for part in outcome} == {broadcast.result_shape}
        for place in np.ndindex(broadcast.result_shape):
            alone = operation(*(operand[place] for operand in np.broadcast_arrays(a, b)))
            assert [part[place] for part in outcome] == list(alone)


@reproducible
@given(arrays(np.int64, array_shapes(min_dims=0, min_side=0, max_side=3), elements=words))
def test_results_are_int64_words_and_uint8_flags(values):
    for result in (add(values, 1), negate(values), multiply(values, 2), shift_left(values, 1), shift_right(values, 1)):
        assert result.value.dtype == np.int64
        assert result.flags.dtype == np.uint8
        assert result.value.shape == result.flags.shape == values.shape
    assert compare(values, 0).dtype == np.uint8


@pytest.mark.parametrize("operation", [add, subtract, multiply, multiply_wide, compare])
def test_an_operand_that_is_not_a_word_is_refused(operation):
    with pytest.raises(PentaryError, match=r"^16-pent number 76293945313 at index \[1\] is outside"):
        operation([0, WORD_MAX + 1], 1)
    with pytest.raises(PentaryError, match=r"^16-pent number -76293945313 is outside"):
        operation(1, -WORD_MAX - 1)
    with pytest.raises(PentaryError, match=r"^16-pent number must be an integer, not float64$"):
        operation(1, 0.5)


@pytest.mark.parametrize("operation", [shift_left, shift_right])
def test_a_shift_by_more_than_a_word_or_less_than_nothing_is_refused(operation):
    with pytest.raises(PentaryError, match=r"^shift 17 is outside 0\.\.16$"):
        operation(1, 17)
    with pytest.raises(PentaryError, match=r"^shift -1 at index \[1\] is outside 0\.\.16$"):
        operation(1, [0, -1])
    with pytest.raises(PentaryError, match=r"^16-pent number must be an integer, not bool$"):
        operation(True, 1)


def test_negating_what_is_not_a_word_is_refused():
    with pytest.raises(PentaryError, match=r"^16-pent number 10000000000000 is outside"):
        negate(10**13)
