"""Integers in few bits: read back as they were, by a code that plain Python writes, too."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pentary.distributed.integers import WHOLE, pack, unpack

WORD = st.integers(-(2**63), 2**63 - 1)
VALUES = st.lists(st.one_of(WORD, st.integers(-5, 5), st.integers(-3000, 3000)), max_size=40)


def folded(value: int) -> int:
    return 2 * value if value >= 0 else -2 * value - 1


def bits(numbers: list[int]) -> int:
    """Return the bytes of a stream of bits, as an integer."""
    return sum(bit << place for place, bit in enumerate(numbers))


@given(VALUES)
def test_integers_are_read_back_as_they_were(values):
    assert unpack(pack(np.array(values, np.int64)), len(values)).tolist() == values


@given(VALUES)
def test_the_code_is_that_of_rice(values):
    width, low, unary = pack(np.array(values, np.int64))
    lowest = [folded(value) >> place & 1 for value in values for place in range(width)]
    above = [] if width == WHOLE else [one for value in values for one in [1] * (folded(value) >> width) + [0]]
    assert int.from_bytes(low, "little") == bits(lowest) and len(low) == (len(lowest) + 7) // 8
    assert int.from_bytes(unary, "little") == bits(above) and len(unary) == (len(above) + 7) // 8


@given(st.lists(st.integers(-3000, 3000), min_size=1, max_size=40))
def test_no_other_width_takes_fewer_bits(values):
    width, low, unary = pack(np.array(values, np.int64))
    sizes = [sum(each + 1 + (folded(value) >> each) for value in values) for each in range(20)]
    assert sizes[width] == min(sizes) and len(low) + len(unary) <= min(sizes) // 8 + 2


def test_shaped_fitness_takes_three_bits():
    _, low, unary = pack(np.resize(np.arange(-2, 3), 1000))
    assert len(low) + len(unary) <= 375


@pytest.mark.parametrize("packed", [(3, b"\0", b"\0\0"), (65, bytes(82), b""), (-1, b"", b"\0\0"), (0, b"", b"\xff\0")])
def test_what_does_not_hold_so_many_is_refused(packed):
    with pytest.raises(ValueError, match="do not hold 10 integers"):
        unpack(packed, 10)
