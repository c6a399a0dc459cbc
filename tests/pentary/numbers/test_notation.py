"""Text forms: output in both alphabets, input in either or mixed, and precise errors for everything else."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from pentary.numbers.notation import format_pents, parse_pents
from pentary.numbers.word import WORD_MAX, PentaryError, limit

reproducible = settings(deadline=None, print_blob=True)

words = st.integers(-WORD_MAX, WORD_MAX)
any_shape = array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)
WEIGHT = {"⊖": -2, "=": -2, "-": -1, "−": -1, "0": 0, "+": 1, "1": 1, "⊕": 2, "2": 2}


def meaning(text: str) -> int:
    return sum(WEIGHT[glyph] * 5**i for i, glyph in enumerate(reversed(text.replace("_", ""))))


@pytest.mark.parametrize(("alphabet", "ascii"), [("⊖-0+⊕", False), ("=-012", True)])
def test_the_three_pent_words_in_order_are_the_125_texts_in_order(alphabet, ascii):
    texts = ["".join(glyphs) for glyphs in product(alphabet, repeat=3)]
    assert format_pents(np.arange(-62, 63), 3, ascii=ascii).tolist() == texts
    assert parse_pents(texts).tolist() == list(range(-62, 63))


@reproducible
@given(words, st.booleans())
def test_a_word_is_sixteen_glyphs_with_leading_zeros_and_reads_back(word, ascii):
    text = format_pents(word, ascii=ascii)
    assert isinstance(text, str)
    assert len(text) == 16
    assert text.isascii() or not ascii
    assert meaning(text) == word
    assert parse_pents(text) == word


@reproducible
@given(st.lists(st.sampled_from(sorted(WEIGHT)), min_size=1, max_size=16))
def test_alphabets_may_be_mixed_and_pents_separated(glyphs):
    assert parse_pents("".join(glyphs)) == parse_pents("_".join(glyphs)) == meaning("".join(glyphs))


@reproducible
@given(arrays(np.int64, any_shape, elements=words), st.booleans())
def test_arrays_of_any_shape_are_spelled_and_read_element_by_element(values, ascii):
    texts = format_pents(values, ascii=ascii)
    assert np.shape(texts) == values.shape
    assert np.ravel(texts).tolist() == [format_pents(value, ascii=ascii) for value in values.ravel().tolist()]
    np.testing.assert_array_equal(parse_pents(np.asarray(texts)), values, strict=True)


def test_one_number_gives_str_and_one_text_gives_int():
    assert type(format_pents(np.int64(-7))) is str
    assert type(format_pents(np.array(-7))) is str
    assert type(parse_pents("-⊖")) is int


def test_the_widest_number_has_27_glyphs():
    assert format_pents(limit(27), 27) == "⊕" * 27


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("+x0", "'x' at position 1 of '+x0' is not a pent"),
        ("+ 0", "' ' at position 1 of '+ 0' is not a pent"),
        ("103", "'3' at position 2 of '103' is not a pent"),
        ("_10", "'_' at position 0 of '_10' is not a pent"),
        ("10_", "'_' at position 2 of '10_' is not a pent"),
        ("1__0", "'_' at position 1 of '1__0' is not a pent"),
        ("1\0", r"'\x00' at position 1 of '1\x00' is not a pent"),
        ("", "'' has 0 pents, a word has 1 to 16"),
        ("0" * 17, "'00000000000000000' has 17 pents, a word has 1 to 16"),
        (["1", "1*"], "'*' at position 1 of '1*' is not a pent"),
        ([1], "pents are read from text, not from int 1"),
        (b"1", "pents are read from text, not from bytes b'1'"),
    ],
)
def test_a_text_that_spells_no_word_is_refused_with_the_place_and_the_character(text, message):
    with pytest.raises(PentaryError) as refusal:
        parse_pents(text)
    assert str(refusal.value) == message


def test_a_number_that_does_not_fit_the_width_is_refused():
    with pytest.raises(PentaryError) as refusal:
        format_pents([0, 13], width=2)
    assert str(refusal.value) == "2-pent number 13 at index [1] is outside -12..12"
