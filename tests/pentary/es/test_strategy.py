"""One training step against a deliberately simple reference in Python integers."""

from dataclasses import replace
from fractions import Fraction
from math import isqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pentary import es
from pentary.es.strategy import Parameters, State
from pentary.es.tensors import Tensor
from pentary.lowrank import generator
from pentary.numbers.word import PentaryError, to_digits

TENSORS = {"first": Tensor(5, 18), "second": Tensor(3, 2)}


def word(key: int, member: int, block: int) -> list[int]:
    return to_digits(generator.prng(key, member * 5**8 + block)).tolist()


def plain_perturbation(key: int, pair: int, rows: int, cols: int, rank: int) -> list[list[int]]:
    """Return A B^T of one pair, computed pent by pent."""
    a_blocks, b_blocks = -(-rows // 16), -(-cols // 16)
    a = [[word(key, pair, k * a_blocks + i // 16)[i % 16] for i in range(rows)] for k in range(rank)]
    b = [[word(key, pair, rank * a_blocks + k * b_blocks + j // 16)[j % 16] for j in range(cols)] for k in range(rank)]
    return [[sum(a[k][i] * b[k][j] for k in range(rank)) for j in range(cols)] for i in range(rows)]


def plain_shaping(fitness: list[tuple[int, int]], shaping: str) -> list[int]:
    difference = [plus - minus for plus, minus in fitness]
    sign = [(d > 0) - (d < 0) for d in difference]
    if shaping == "sign":
        return sign
    pairs = len(sign)
    order = sorted(range(pairs), key=lambda p: (abs(difference[p]), p))
    weight = [0] * (pairs // 3) + [1] * (pairs - pairs // 3 - pairs // 5) + [2] * (pairs // 5)
    shaped = [0] * pairs
    for pair, times in zip(order, weight, strict=True):
        shaped[pair] = times * sign[pair]
    return shaped


def plain_step(p: Parameters, state: State, fitness: list[tuple[int, int]]) -> list[list[list[int]]]:
    step = state.step + 1
    shaped = plain_shaping(fitness, p.shaping)
    largest = (5**p.latent - 1) // 2
    variance = 2 if p.perturb == "quantized" else 4 * p.rank
    first = largest * 5**8 // isqrt(p.steps * p.pairs * variance)
    gain = first * (p.steps - step + 1) // p.steps
    moved = []
    for number, words in enumerate(state.latents.values()):
        rows, cols = words.shape
        key = int(generator.prng(p.seed, step * 5**6 + number))
        total = [[0] * cols for _ in range(rows)]
        for pair, weight in enumerate(shaped):
            s = plain_perturbation(key, pair, rows, cols, p.rank)
            for i in range(rows):
                for j in range(cols):
                    e = s[i][j]
                    if p.perturb == "quantized":
                        level = (4 * e * e > p.rank) + (4 * e * e > 9 * p.rank)
                        e = level if e > 0 else -level
                    total[i][j] += weight * e
        moved.append(
            [
                [
                    max(-largest, min(largest, int(words[i, j]) + round(Fraction(total[i][j] * gain, 5**8))))
                    for j in range(cols)
                ]
                for i in range(rows)
            ]
        )
    return moved


@pytest.mark.parametrize("perturb", ["factored", "quantized"])
@pytest.mark.parametrize("shaping", ["sign", "rank"])
@pytest.mark.parametrize(("rank", "seed"), [(1, 0), (4, -12345), (7, 76_293_945_312)])
def test_a_step_equals_the_plain_interpreter(perturb, shaping, rank: int, seed: int) -> None:
    p = Parameters(population=14, rank=rank, steps=3, seed=seed, perturb=perturb, shaping=shaping, latent=4)
    state = es.init(p, TENSORS)
    rng = np.random.default_rng(abs(seed))
    for _ in range(p.steps):
        fitness = rng.integers(-9, 10, (7, 2))
        expected = plain_step(p, state, [(int(a), int(b)) for a, b in fitness])
        state = es.tell(p, state, fitness)
        assert [words.tolist() for words in state.latents.values()] == expected


def test_members_are_the_rounded_latent_words_moved_by_the_perturbation() -> None:
    p = Parameters(population=6, rank=3, perturb="quantized")
    state = es.init(p, TENSORS)
    population = es.ask(p, state)
    plus, minus = population.weights("first", slice(1, 3))
    assert plus.shape == minus.shape == (2, 5, 18)
    key, words = population.keys["first"], state.latents["first"]
    for member, pair in enumerate((1, 2)):
        s = plain_perturbation(key, pair, 5, 18, 3)
        for i in range(5):
            for j in range(18):
                level = (4 * s[i][j] ** 2 > 3) + (4 * s[i][j] ** 2 > 27)
                e = level if s[i][j] > 0 else -level
                for sign, weights in ((1, plus), (-1, minus)):
                    moved = int(words[i, j]) + sign * e * p.sigma
                    assert weights[member, i, j] == max(-2, min(2, round(Fraction(moved, 5 ** (p.latent - 1)))))


@pytest.mark.parametrize(("rank", "unit"), [(3, 5), (5, 25)])
def test_factored_members_are_the_visible_weights_moved_by_a_fraction_of_the_product(rank: int, unit: int) -> None:
    population = es.ask(p := Parameters(population=6, rank=rank, perturb="factored"), es.init(p, TENSORS))
    members = population.weights("first", slice(1, 3))
    centre = population.centre()["first"].astype(int) * unit
    for member, pair in enumerate((1, 2)):
        s = np.array(plain_perturbation(population.keys["first"], pair, 5, 18, rank))
        assert [side[member].tolist() for side in members] == [(centre + s).tolist(), (centre - s).tolist()]


def test_no_float_enters_the_trained_state() -> None:
    for perturb in ("factored", "quantized"):
        p = Parameters(population=8, rank=2, steps=2, perturb=perturb)
        state = es.init(p, TENSORS)
        for _ in range(2):
            population = es.ask(p, state)
            assert all(type(key) is int for key in population.keys.values())
            assert all(weights.dtype == np.int8 for weights in population.centre().values())
            assert all(factor.dtype == np.int8 for factor in population.factors("first", slice(0, 4)))
            if perturb == "quantized":
                assert all(member.dtype == np.int8 for member in population.weights("first", slice(0, 4)))
            assert type(p.gain(population.step)) is int
            # Floats returned by a black box are only compared.
            state = es.tell(p, state, np.linspace(0, 1, 8).reshape(4, 2) ** 2)
            assert all(words.dtype == np.int64 for words in state.latents.values())


def test_start_is_uniform_over_the_range_of_the_latent_word() -> None:
    words = es.init(Parameters(latent=6), {"w": Tensor(300, 300)}).latents["w"]
    counts = np.bincount((words.ravel() + 7812) // 625, minlength=25)
    assert ((counts - 3600) ** 2 / 3600).sum() < 50  # chi-square, 24 degrees of freedom: p = 0.0014
    visible = es.visible_weights(Parameters(latent=6), State(0, {"w": words}, {"w": Tensor(*words.shape)}))["w"]
    assert abs(np.bincount(visible.ravel() + 2) - 18_000).max() < 600


def test_the_digest_is_sha256_of_the_words_and_shows_any_change() -> None:
    import hashlib

    state = es.init(Parameters(), TENSORS)
    plain = b"".join(int(w).to_bytes(8, "little", signed=True) for m in state.latents.values() for w in m.ravel())
    assert state.digest() == hashlib.sha256(plain).hexdigest()
    moved = {name: words.copy() for name, words in state.latents.items()}
    moved["second"][0, 0] += 1
    assert es.digest(moved) != state.digest()


@given(st.lists(st.tuples(st.integers(-5, 5), st.integers(-5, 5)), min_size=1, max_size=40))
def test_shaping_equals_sorting_in_python(fitness: list[tuple[int, int]]) -> None:
    for shaping in ("sign", "rank"):
        assert es.shape_fitness(fitness, shaping).tolist() == plain_shaping(fitness, shaping)


def test_unsigned_fitness_does_not_wrap() -> None:
    assert es.shape_fitness(np.array([[1, 2]], np.uint8), "sign").tolist() == [-1]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_fitness_that_is_not_finite_is_refused(bad: float) -> None:
    with pytest.raises(PentaryError, match="finite"):
        es.shape_fitness([[1.0, bad]], "rank")


def test_fitness_of_the_wrong_size_is_refused() -> None:
    p = Parameters(population=4)
    state = es.init(p, TENSORS)
    with pytest.raises(PentaryError, match="shape"):
        es.tell(p, state, np.zeros(4))
    with pytest.raises(PentaryError, match="3 pairs, but the population has 2"):
        es.tell(p, state, np.zeros((3, 2)))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"population": 3}, "population 3 is odd"),
        ({"population": 0}, "population 0 is outside 2.."),
        ({"population": 2.0}, "population must be an integer"),
        ({"rank": 0}, "rank 0 is not supported"),
        ({"rank": 65}, "rank 65 is not supported"),
        ({"steps": 0}, "number of steps 0 is outside 1.."),
        ({"seed": 5**16}, "is outside -76293945312..76293945312"),
        ({"latent": 1}, "width of the latent word 1 is outside 2..8"),
        ({"perturb": "dense"}, "neither 'factored' nor 'quantized'"),
        ({"shaping": "cubic"}, "neither 'sign' nor 'rank'"),
        ({"shift": 4, "perturb": "factored"}, "shift of the perturbation 4 is outside 0..3"),
        ({"shift": -1, "perturb": "factored"}, "shift of the perturbation -1 is outside 0..3"),
        ({"shift": 2, "perturb": "quantized"}, "a shift is for factored perturbations"),
    ],
)
def test_parameters_out_of_range_are_refused(change: dict, message: str) -> None:
    with pytest.raises(PentaryError, match=message):
        replace(Parameters(), **change)


def test_sigma_never_reaches_half_a_level_so_no_member_is_a_tie() -> None:
    for latent in range(2, 9):
        p = Parameters(latent=latent)
        assert 2 * p.sigma < 5 ** (latent - 1) < 2 * (p.sigma + 1)


def test_the_gain_falls_to_the_share_of_the_last_step() -> None:
    p = Parameters(steps=50)
    gains = [p.gain(step) for step in range(1, 51)]
    assert gains == sorted(gains, reverse=True)
    assert gains[-1] == gains[0] // 50
