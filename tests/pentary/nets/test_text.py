"""Descriptions as text: what `repr` gives is read back, and nothing else is executed."""

import random

import pytest

from pentary.nets.text import parse
from pentary.numbers.word import PentaryError
from tests.pentary.nets import drawn


@pytest.mark.parametrize("kind", drawn.KINDS)
def test_networks_are_read_back(kind: str) -> None:
    for seed in range(20):
        network = drawn.network(kind, random.Random(f"{kind} {seed}"))
        again = parse(repr(network))
        assert again == network
        assert repr(again) == repr(network)


@pytest.mark.parametrize(
    "text", ["", "3", "Dense(3)", "open('x')", "Sequential(", "Sequential(Input(4), Dense(two), loss=CrossEntropy())"]
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(PentaryError, match="no description of a network"):
        parse(text)


def test_what_the_layers_refuse_is_told() -> None:
    with pytest.raises(PentaryError, match="layer dense1: a width of 0"):
        parse("Sequential(Input(4), Dense(0), Clamp(312), loss=CrossEntropy())")
