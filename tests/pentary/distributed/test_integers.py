"""Integers in as few bits as they need: read back as they were, and as short as said."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pentary.distributed.integers import pack, unpack

WORD = st.integers(-(2**63), 2**63 - 1)


@given(st.lists(st.one_of(WORD, st.integers(-5, 5)), max_size=40))
def test_integers_are_read_back_as_they_were(values):
    packed = pack(np.array(values, np.int64))
    assert unpack(packed, len(values)).tolist() == values


@given(st.lists(WORD, min_size=1, max_size=40))
def test_they_take_the_bits_that_the_widest_distance_from_the_least_needs(values):
    least, width, content = pack(np.array(values, np.int64))
    assert (least, width) == (min(values), (max(values) - min(values)).bit_length())
    number = sum((value - least) << (place * width) for place, value in enumerate(values))
    assert int.from_bytes(content, "little") == number and len(content) == (width * len(values) + 7) // 8


def test_shaped_fitness_takes_three_bits():
    assert len(pack(np.resize(np.arange(-2, 3), 1000))[2]) == 375


@pytest.mark.parametrize("packed", [(0, 3, b"\0"), (0, 65, bytes(82)), (0, -1, b""), (0, 0, b"\0")])
def test_what_does_not_hold_so_many_is_refused(packed):
    with pytest.raises(ValueError, match="do not hold 10 integers"):
        unpack(packed, 10)
