"""The figures are PNG files of the documented size, for every length of run."""

import struct

import numpy as np
import pytest

from pentary.runs import plots
from pentary.runs.health import Health


def size(png):
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    assert png.endswith(b"IEND\xaeB`\x82")
    return struct.unpack(">II", png[16:24])


@pytest.mark.parametrize(
    "centre",
    [
        [-2.0],
        [-2.0, -1.5],
        [0.0] * 5,
        [1e300, -1e300, 1e300],
        [-9.0, -1e-90, 0.0],
        [-1e-300, -1e-323, 0.0],
        [-1e300, -1e200, -1.0],
    ],
    ids=["start", "one step", "constant", "huge", "near zero", "least", "greatest"],
)
def test_fitness_of_any_length_and_magnitude_is_drawn(centre):
    png = plots.fitness_png(centre, centre[1:], centre[1:], "mine.py:$a_$b, seed 3")
    assert size(png) == (840, 504)
    assert len(png) > 5_000


@pytest.mark.parametrize("title", ["重さ.py", "a\udcff.py", "\U0001f600"])
def test_a_title_of_any_characters_is_drawn_without_a_word(title):
    assert size(plots.fitness_png([0.0, 1.0], [0.0], [1.0], title)) == (840, 504)


def test_what_is_drawn_depends_on_the_fitness():
    assert plots.fitness_png([0, 1], [0], [1]) != plots.fitness_png([1, 0], [0], [1])


@pytest.mark.parametrize("steps", [[0], [0, 1, 2]])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.97, 1.0])
def test_accuracies_are_drawn_above_the_fitness(steps, share):
    accuracies = [(step, {"train_accuracy": 1 - share, "test_accuracy": share}) for step in steps]
    png = plots.fitness_png([-9.0, -0.5, -0.1], [-9.0, -1.0], [-1.0, 0.5], "digits", accuracies)
    assert size(png) == (840, 792)
    other = [(step, {name: 0.5 for name in shares}) for step, shares in accuracies]
    assert png != plots.fitness_png([-9.0, -0.5, -0.1], [-9.0, -1.0], [-1.0, 0.5], "digits", other)


@pytest.mark.parametrize("names", [["weights"], ["hidden", "output"]])
def test_weights_of_every_matrix_are_drawn(names):
    before = {name: np.full((4, 6), 2, np.int8) for name in names}
    after = {name: np.zeros((4, 6), np.int8) for name in names}
    png = plots.weights_png(before, after, "run")
    width, height = size(png)
    assert (width, height) == (round(120 * (1.2 + 4 * len(names))), 504)
    assert png != plots.weights_png(after, before, "run")


def test_many_matrices_take_several_rows_of_four():
    weights = {f"{number}.up": np.full((2, 3), 1, np.int8) for number in range(9)}
    assert size(plots.weights_png(weights, weights)) == (round(120 * (1.2 + 4 * 4)), round(120 * (0.6 + 3.6 * 3)))


def test_the_matrices_of_many_layers_are_drawn_by_layer():
    weights = {f"{number // 3}.{number % 3}": np.full((2, 3), 1, np.int8) for number in range(18)}
    assert size(plots.weights_png(weights, weights)) == (round(120 * (1.2 + 4 * 4)), round(120 * (0.6 + 3.6 * 2)))


@pytest.mark.parametrize("records", [1, 2, 30])
@pytest.mark.parametrize("matrices", [1, 40])
def test_health_of_any_length_is_drawn_with_activations_below_if_there_are_any(records, matrices):
    of_one = {f"{number}.up": Health(2.3, 0.25, 0.5) for number in range(matrices)}
    plain = plots.health_png(range(records), [of_one] * records, "run")
    assert size(plain) == (960, 900)
    more = plots.health_png(range(records), [of_one] * records, "run", [{"0.gates": 0.5, "logits": 0.0}] * records)
    assert size(more) == (960, 1200)


@pytest.mark.parametrize("records", [1, 2, 30])
def test_bits_per_byte_are_drawn_against_the_ngram_lines(records):
    curve = [8.0 - 0.1 * number for number in range(records)]
    lines = {"unigram": 4.6, "trigram": 2.4}
    assert size(plots.bits_png(range(records), curve, curve, lines, "run")) == (840, 540)
    assert plots.bits_png(range(records), curve, curve, lines) != plots.bits_png(range(records), curve, curve, {})
