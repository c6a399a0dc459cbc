"""The figures are PNG files of the promised size, for every length of run."""

import struct

import numpy as np
import pytest

from pentary import plots


def size(png):
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    assert png.endswith(b"IEND\xaeB`\x82")
    return struct.unpack(">II", png[16:24])


@pytest.mark.parametrize(
    "centre", [[-2.0], [-2.0, -1.5], [0.0] * 5, [1e300, -1e300, 1e300]], ids=["start", "one step", "constant", "huge"]
)
def test_fitness_of_any_length_and_magnitude_is_drawn(centre):
    png = plots.fitness_png(centre, centre[1:], centre[1:], "mine.py:$a_$b, seed 3")
    assert size(png) == (840, 504)
    assert len(png) > 5_000


def test_what_is_drawn_depends_on_the_fitness():
    assert plots.fitness_png([0, 1], [0], [1]) != plots.fitness_png([1, 0], [0], [1])


@pytest.mark.parametrize("names", [["weights"], ["hidden", "output"]])
def test_weights_of_every_matrix_are_drawn(names):
    before = {name: np.full((4, 6), 2, np.int8) for name in names}
    after = {name: np.zeros((4, 6), np.int8) for name in names}
    png = plots.weights_png(before, after, "run")
    width, height = size(png)
    assert (width, height) == (round(120 * (1.2 + 4 * len(names))), 504)
    assert png != plots.weights_png(after, before, "run")
