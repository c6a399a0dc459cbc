"""The two binary forms, against Python integers and strings of bits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from pentary.numbers.packing import from_bits, pack, to_bits, unpack
from pentary.numbers.word import WORD_MAX, PentaryError, limit, to_digits

reproducible = settings(deadline=None, print_blob=True)

words = st.integers(-WORD_MAX, WORD_MAX)
any_shape = array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)
pents = st.integers(-2, 2)
CODES = {-2: "110", -1: "111", 0: "000", 1: "001", 2: "010"}


def packed(digits: list[int]) -> bytes:
    """Pack with Python's own integers: the whole stream is one number, 7 bits a group."""
    digits = digits + [0] * (-len(digits) % 3)
    groups = [digits[i] + 5 * digits[i + 1] + 25 * digits[i + 2] + 62 for i in range(0, len(digits), 3)]
    stream = sum(group << (7 * i) for i, group in enumerate(groups))
    return stream.to_bytes((7 * len(groups) + 7) // 8, "little")


def test_every_three_pent_word_has_the_bits_of_its_pents_and_comes_back():
    values = np.arange(-62, 63)
    expected = [int("".join(CODES[pent] for pent in row[::-1]), 2) for row in to_digits(values, 3).tolist()]
    assert to_bits(values, 3).tolist() == expected
    assert from_bits(expected, 3).tolist() == values.tolist()


def test_of_the_512_patterns_of_three_codes_only_the_125_made_of_pents_are_accepted():
    accepted = []
    for pattern in range(512):
        try:
            accepted.append(from_bits(pattern, 3).item())
        except PentaryError:
            continue
    assert sorted(accepted) == list(range(-62, 63))


@reproducible
@given(words)
def test_a_word_is_48_bits_and_comes_back(word):
    bits = to_bits(word)
    assert bits.dtype == np.uint64
    assert f"{bits.item():048b}" == "".join(CODES[pent] for pent in to_digits(word)[::-1].tolist())
    assert from_bits(bits) == word


@reproducible
@given(arrays(np.int64, any_shape, elements=words))
def test_bits_keep_any_shape(values):
    assert to_bits(values).shape == values.shape
    np.testing.assert_array_equal(from_bits(to_bits(values)), values, strict=True)


def test_the_widest_form_takes_63_bits():
    assert to_bits(-limit(21), 21) == int("110" * 21, 2)
    assert from_bits(to_bits(-limit(21), 21), 21) == -limit(21)


@reproducible
@given(arrays(np.int8, any_shape, elements=pents))
def test_packed_pents_are_the_stream_of_groups_and_come_back(digits):
    data = pack(digits)
    assert data.dtype == np.uint8
    assert data.tobytes() == packed(digits.ravel().tolist())
    np.testing.assert_array_equal(unpack(data, digits.size), digits.ravel(), strict=True)


def test_every_group_of_three_pents_comes_back():
    digits = to_digits(np.arange(-62, 63), 3)
    assert unpack(pack(digits), 375).tolist() == digits.ravel().tolist()


def test_a_matrix_of_4096_pents_takes_1196_bytes():
    assert pack(np.zeros((64, 64), dtype=np.int8)).shape == (1196,)


def test_no_pents_take_no_bytes():
    assert pack(np.zeros(0, dtype=np.int8)).tobytes() == b""
    assert unpack(np.zeros(0, dtype=np.uint8), 0).shape == (0,)


@pytest.mark.parametrize("length", [0, 1, 3])
def test_data_of_the_wrong_length_are_refused(length):
    with pytest.raises(PentaryError) as refusal:
        unpack(np.zeros(length, dtype=np.uint8), 5)
    assert str(refusal.value) == f"5 pents take 2 bytes, but the data have shape ({length},)"


@pytest.mark.parametrize("code", [125, 126, 127])
def test_a_group_code_that_stands_for_nothing_is_refused(code):
    with pytest.raises(PentaryError) as refusal:
        unpack([62 | code << 7 & 255, code >> 1], 6)
    assert str(refusal.value) == f"group code {code} at index [1] is outside 0..124"


@pytest.mark.parametrize(
    ("data", "count"),
    [
        ([62 | 128], 3),  # the eighth bit
        ([62 + 5], 1),  # a second pent of one
        ([62 + 25], 2),  # a third pent of two
    ],
)
def test_padding_that_is_not_zero_is_refused(data, count):
    with pytest.raises(PentaryError) as refusal:
        unpack(data, count)
    assert str(refusal.value) == f"the padding after {count} pents is not zero"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: to_bits(63, 3), "3-pent number 63 is outside -62..62"),
        (lambda: to_bits(0, 22), "width 22 is outside 1..21"),
        (lambda: to_bits(0.0), "16-pent number must be an integer, not float64"),
        (lambda: from_bits([0, 0o103], 3), "digit 3 at index [1, 0] is outside -2..2"),
        (lambda: from_bits(0o400, 3), "digit -4 at index [2] is outside -2..2"),
        (lambda: from_bits(0o050, 3), "digit -3 at index [1] is outside -2..2"),
        (lambda: from_bits(1 << 9, 3), "9-bit pattern 512 is outside 0..511"),
        (lambda: from_bits(-1), "48-bit pattern -1 is outside 0..281474976710655"),
        (lambda: from_bits(0, 0), "width 0 is outside 1..21"),
        (lambda: pack([1, -3]), "digit -3 at index [1] is outside -2..2"),
        (lambda: unpack([256], 3), "byte 256 at index [0] is outside 0..255"),
        (lambda: unpack([0.0], 3), "byte must be an integer, not float64"),
        (lambda: unpack([0], -1), "count -1 is outside 0..9223372036854775807"),
    ],
)
def test_a_mistake_is_told_in_one_line(call, message):
    with pytest.raises(PentaryError) as refusal:
        call()
    assert str(refusal.value) == message
