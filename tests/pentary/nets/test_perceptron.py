from fractions import Fraction

import numpy as np
import pytest

from pentary import es
from pentary.es.strategy import Parameters, Population
from pentary.nets.perceptron import Layer, Mlp, scaled_centre
from pentary.numbers.word import PentaryError

NETWORK = Mlp(
    (Layer("hidden", 6, 20, shift=1, low=0, high=12), Layer("output", 20, 3, shift=0, low=-62, high=62)),
    input_limit=16,
)


def plain_forward(x: list[int], matrices: list[list[list[Fraction]]]) -> list[int]:
    """Return the output of the network for one example in exact fractions, for any weights."""
    for layer, w in zip(NETWORK.layers, matrices, strict=True):
        sums = [sum((x[i] * w[i][j] for i in range(layer.inputs)), Fraction(0)) for j in range(layer.outputs)]
        x = [max(layer.low, min(layer.high, round(s / 5**layer.shift))) for s in sums]
    return x


def outputs(population: Population, x: np.ndarray, part: slice) -> np.ndarray:
    chunks = NETWORK.forward_pairs(scaled_centre(population), x, population, part)
    return np.concatenate([chunk.copy() for chunk in chunks])


def exact(weights: np.ndarray, move: np.ndarray | int = 0, q: int = 0) -> list[list[Fraction]]:
    moved = weights.astype(np.int64) * 5**q + move
    return [[Fraction(int(v), 5**q) for v in row] for row in moved]


@pytest.mark.parametrize("rank", [1, 3, 8])
@pytest.mark.parametrize("own_inputs", [False, True])
def test_perturbed_forward_equals_forming_every_members_matrix(rank: int, own_inputs: bool) -> None:
    p = Parameters(population=8, rank=rank, perturb="factored")
    population = es.ask(p, es.init(p, NETWORK.shapes))
    examples, part = 5, slice(1, 4)
    rng = np.random.default_rng(rank)
    shape = (3, 2 * examples, 6) if own_inputs else (examples, 6)
    x = rng.integers(0, 17, shape).astype(np.float32)
    NETWORK.check(rank, p.sigma_shift)
    got = outputs(population, x, part)
    assert got.shape == (3, 2 * examples, 3)

    factors = {name: population.factors(name, part) for name in NETWORK.shapes}
    for pair in range(3):
        for row in range(2 * examples):
            sign = 1 if row < examples else -1
            matrices = []
            for name, weights in population.centre().items():
                a, b = (factor[pair].astype(np.int64) for factor in factors[name])
                matrices.append(exact(weights, sign * a.T @ b, p.sigma_shift))
            inputs = x[pair, row] if own_inputs else x[row % examples]
            assert got[pair, row].tolist() == plain_forward([int(v) for v in inputs], matrices)


def test_forward_takes_one_set_of_weights_or_one_for_each_member() -> None:
    rng = np.random.default_rng(0)
    x = rng.integers(0, 17, (4, 6)).astype(np.float32)
    members = {name: rng.integers(-2, 3, (2, *shape)).astype(np.int8) for name, shape in NETWORK.shapes.items()}
    got = NETWORK.forward(members, x)
    for member in range(2):
        single = {name: weights[member] for name, weights in members.items()}
        assert np.array_equal(got[member], NETWORK.forward(single, x))
        for row in range(4):
            expected = plain_forward([int(v) for v in x[row]], [exact(w) for w in single.values()])
            assert got[member, row].tolist() == expected


def test_working_set_of_many_pairs_is_cut_without_changing_results() -> None:
    p = Parameters(population=400, rank=1, perturb="factored")
    population = es.ask(p, es.init(p, NETWORK.shapes))
    x = np.arange(60, dtype=np.float32).reshape(10, 6) % 17
    together = outputs(population, x, slice(0, 200))
    apart = [outputs(population, x, slice(i, i + 1)) for i in range(200)]
    assert np.array_equal(together, np.concatenate(apart))


def test_a_layer_too_wide_for_float32_is_refused_with_its_bound() -> None:
    wide = Mlp((Layer("wide", 100_000, 4, shift=3, low=0, high=62),), input_limit=62)
    with pytest.raises(PentaryError, match="layer wide: sums can reach 12400000"):
        wide.check()
    narrow = Mlp((Layer("narrow", 1000, 4, shift=3, low=0, high=62),), input_limit=62)
    narrow.check(rank=1, sigma_shift=1)
    with pytest.raises(PentaryError, match="layer narrow"):
        narrow.check(rank=8, sigma_shift=2)
