"""Sampling: odds against fractions and powers of two, and text that depends on the arguments only."""

from itertools import islice

import numpy as np
import pytest

from pentary.nets import products
from pentary.nets.lm import evolve
from pentary.nets.lm.forward import Forward, Weights
from pentary.nets.lm.model import Model
from pentary.nets.lm.sampling import generate, odds
from pentary.numbers.word import PentaryError

MODEL = Model(1, 8)


def weights(backend="numpy", **biases):
    """Return a model; with given head biases, all other weights but the norms are 0, so the logits are constant."""
    latents = evolve.init(MODEL, evolve.Parameters(population=2, seed=7)).latents
    if biases:
        latents = {name: np.zeros_like(words) for name, words in latents.items()}
        for character, bias in biases.items():
            latents["head.bias"][0, ord(character)] = bias
    filled = Weights(MODEL, products.backend(backend))
    filled.fill(latents)
    return filled


def logits(weights, text):
    """Return the logits after the beginning of a document followed by a text."""
    forward = Forward(weights, 1)
    rows = [forward.step(np.array([byte], np.uint8))[0].copy() for byte in b"\0" + text]
    return rows[-1]


@pytest.mark.parametrize("temperature", [0.1, 0.8, 1.0, 1.7, 100.0])
def test_odds_are_powers_of_two_of_cooled_distances(temperature):
    table = odds(temperature, 0)
    exact = np.exp2(-np.arange(625) / 25 / temperature)
    kept = table > 0
    assert table.dtype == np.int64
    # Distances are rounded to 1/25 bit, and the smallest powers in the table are integers near 184.
    assert np.abs(np.log2(table[kept] / table[0] / exact[kept])).max() <= 0.5 / 25 + 0.003
    assert (exact[~kept] < 2**-24.9).all()


def test_at_temperature_one_odds_are_the_table_of_powers():
    table = odds(1.0, 0)
    assert (table[0], table[25], table[624]) == (round(2 ** (312 / 25 + 20)), round(2 ** (287 / 25 + 20)), 184)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_min_p_leaves_out_what_is_less_likely_at_that_temperature(temperature):
    table, whole = odds(temperature, 0.2499), odds(temperature, 0)
    kept = whole >= 0.2499 * whole[0]
    assert np.array_equal(table, np.where(kept, whole, 0))
    assert np.flatnonzero(kept)[-1] == 50 * temperature + temperature // 2  # two bits, and distances rounded to them
    assert np.count_nonzero(odds(temperature, 1)) == 1 + temperature // 2  # distances rounded to 0


@pytest.mark.parametrize("temperature", [0.0, 5e-324])
def test_no_temperature_leaves_the_likeliest(temperature):
    assert np.flatnonzero(odds(temperature, 0)).tolist() == [0]


def test_bytes_come_as_often_as_their_probabilities_say():
    own = weights(a=7812, b=7812, c=6500)
    row = logits(own, b"")
    expected = np.exp2(row / 25)
    expected /= expected.sum()
    count = 1500
    counts = np.bincount(list(generate(own, count=count, temperature=1, min_p=0, seed=1)), minlength=256)
    seen = np.append(counts[[97, 98, 99]], count - counts[[97, 98, 99]].sum())
    wanted = count * np.append(expected[[97, 98, 99]], 1 - expected[[97, 98, 99]].sum())
    assert ((seen - wanted) ** 2 / wanted).sum() < 16.3  # chi-square, 3 degrees of freedom: p = 0.001


def test_min_p_bars_unlikely_bytes_from_the_text():
    drawn = list(generate(weights(a=7812, b=7812), count=200, temperature=1, min_p=0.9))
    assert set(drawn) == set(b"ab")


def test_greedy_takes_the_least_of_the_likeliest_whatever_the_seed():
    for seed in (0, 1):
        assert bytes(generate(weights(b=7812, a=7812), count=5, temperature=0, seed=seed)) == b"aaaaa"
    own = weights()
    text = bytes(generate(own, b"xy", 10, temperature=0))
    for place, byte in enumerate(text):
        assert byte == logits(own, b"xy" + text[:place]).argmax()


def test_the_same_seed_gives_the_same_text_with_either_backend_and_another_seed_another():
    text = bytes(generate(weights(), b"xy", 40, seed=5))
    assert bytes(generate(weights("int8"), b"xy", 40, seed=5)) == text
    assert bytes(islice(generate(weights(), b"xy", 1000, seed=5), 40)) == text
    assert bytes(generate(weights(), b"xy", 40, seed=6)) != text


def test_a_text_is_the_same_on_every_machine():
    assert (
        bytes(generate(weights(), b"The ", 12, temperature=0.9, min_p=0.01, seed=2))
        == b"\xdc\x86y\xd8I\xd8B\x1d\x82\xa3T\x9e"
    )


def test_byte_0_begins_a_new_document():
    own = weights()
    assert bytes(generate(own, b"other\0text", 20, seed=4)) == bytes(generate(own, b"text", 20, seed=4))


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"count": 0}, "number of bytes 0 is outside 1.."),
        ({"seed": 10**11}, "seed 100000000000 is outside"),
        ({"temperature": -0.1}, "temperature -0.1 is outside 0..100"),
        ({"temperature": float("nan")}, "temperature nan is outside 0..100"),
        ({"temperature": float("inf")}, "temperature inf is outside 0..100"),
        ({"min_p": 1.01}, "min-p 1.01 is outside 0..1"),
        ({"min_p": float("nan")}, "min-p nan is outside 0..1"),
    ],
)
def test_arguments_out_of_range_are_refused_at_once(arguments, told):
    with pytest.raises(PentaryError, match=told):
        generate(weights(), **arguments)
