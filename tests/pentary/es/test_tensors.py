"""Tensors: visible numbers and initial words against plain Python integers."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pentary.es.tensors import Tensor
from pentary.lowrank import generator
from pentary.numbers.word import PentaryError, limit


@given(pents=st.integers(1, 8), width=st.integers(2, 8), offset=st.integers(-99, 99), data=st.data())
def test_visible_numbers_are_the_top_pents_rounded_and_the_offset(pents: int, width: int, offset: int, data) -> None:
    offset = 0 if pents == 1 else offset
    words = data.draw(st.lists(st.integers(-limit(width), limit(width)), min_size=1, max_size=9))
    got = Tensor(1, len(words), pents=pents, offset=offset).visible(np.array(words), width)
    assert got.tolist() == [round(word * Fraction(5) ** (pents - width)) + offset for word in words]


@pytest.mark.parametrize("start", [0, 1, 5])
def test_initial_words_are_means_of_uniform_ones(start: int) -> None:
    tensor, width = Tensor(3, 20, start=start), 6
    got = tensor.draw(key=77, width=width)
    for row in range(3):
        for col in range(20):
            total = 0
            for part in range(start):
                digits = generator.pents(77, [row], part * 20 + col, 1)[0, :width]
                total += sum(int(digit) * 5**place for place, digit in enumerate(digits))
            assert got[row, col] == (round(Fraction(total, start)) if start else 0)


def test_many_words_are_drawn_in_parts_without_a_change(monkeypatch) -> None:
    tensor = Tensor(7, 9, start=5)
    whole = tensor.draw(5, 6)
    monkeypatch.setattr("pentary.es.tensors._DRAWN", 20)
    assert np.array_equal(tensor.draw(5, 6), whole)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [({"start": 3}, "3 words is not supported"), ({"pents": 0}, "visible pents"), ({"offset": 1}, "no offset")],
)
def test_what_makes_no_sense_is_refused(wrong: dict, told: str) -> None:
    with pytest.raises(PentaryError, match=told):
        Tensor(2, 2, **wrong)
