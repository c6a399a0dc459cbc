"""Parts of messages, beyond the examples in the module: their length is bounded for every input."""

import pytest

from pentary.support.messages import excerpt, shortened, some


@pytest.mark.parametrize("length", [0, 1, 199, 200, 201, 10_000])
def test_no_part_is_longer_than_it_may_be(length):
    assert len(shortened("x" * length)) <= 200
    assert len(some(["x"] * length)) <= len("x, " * 20 + "and 9,980 more")


@pytest.mark.parametrize("length", [1, 199, 200, 201, 999])
def test_an_excerpt_holds_the_character_at_the_column(length):
    text = "".join(chr(0x4E00 + n) for n in range(length))
    for column in range(length):
        part, place = excerpt(text, column)
        assert len(part) <= 202
        assert part[place] == text[column]
