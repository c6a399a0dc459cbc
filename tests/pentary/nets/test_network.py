"""Networks as a whole: bounds hold, their text makes them again, and members are checked."""

import random

import numpy as np
import pytest

from pentary import es, nets
from pentary.es.strategy import Parameters
from pentary.nets import Clamp, Dense, Input, MinGRU, Sequential, SquaredError
from pentary.nets.forward import Forward
from pentary.nets.products import backend
from pentary.numbers.word import PentaryError
from tests.pentary.nets import drawn


@pytest.mark.parametrize("kind", drawn.KINDS)
def test_results_stay_within_what_is_derived(kind: str) -> None:
    for seed in range(20):
        rng = random.Random(f"range {kind} {seed}")
        network = drawn.network(kind, rng)
        values = network.input.values()
        weights = {name: t.offset + np.full(t.shape, rng.choice([-2, 2])) for name, t in network.tensors.items()}
        x = np.random.default_rng(seed).choice([values.low, values.high], (4, *values.shape)).astype(np.float32)
        got = Forward(network).centre(weights, x)
        assert network.outputs.low <= got.min()
        assert got.max() <= network.outputs.high


@pytest.mark.parametrize("kind", drawn.KINDS)
def test_the_text_of_a_network_makes_it_again(kind: str) -> None:
    for seed in range(5):
        network = drawn.network(kind, random.Random(f"text {kind} {seed}"))
        again = eval(repr(network), {name: getattr(nets, name) for name in nets.__all__})
        assert again == network
        assert again.tensors == network.tensors


def test_members_have_bounds_of_their_own() -> None:
    network = Sequential(Input(13_000), Dense(4, bias=False, name="wide"), loss=SquaredError())
    network.check(Parameters(perturb="quantized"))
    with pytest.raises(PentaryError, match="layer wide: sums can reach 11284000, but"):
        network.check(Parameters(perturb="factored", rank=1))


def test_a_backend_of_bytes_refuses_operands_that_are_none() -> None:
    network = Sequential(Input(3), Dense(4), Clamp(312), Dense(2, name="second"), Clamp(312), loss=SquaredError())
    p = Parameters(perturb="factored", rank=1)
    network.check(p)
    with pytest.raises(PentaryError, match=r"layer second has operands up to .*, but the backend int8 holds only"):
        network.check(p, backend("int8"))


def test_both_backends_compute_the_same_members() -> None:
    network = Sequential(Input((6, 5)), MinGRU(7), Clamp(125), Dense(3), Clamp(312), loss=SquaredError())
    p = Parameters(population=6, perturb="factored", rank=2)
    population = es.ask(p, es.init(p, network.tensors))
    x = np.random.default_rng(0).integers(-62, 63, (4, 6, 5)).astype(np.float32)
    found = []
    for name in ("numpy", "int8"):
        network.check(p, backend(name))
        forward = Forward(network, backend(name))
        chunks = forward.members(population, slice(0, 3), x, forward.prepare(population))
        found.append(np.concatenate([chunk.copy() for chunk in chunks]))
    assert np.array_equal(*found)


def test_operands_of_their_own_are_those_of_each_member() -> None:
    network = Sequential(Input(5), Dense(7), Clamp(62, "relu"), Dense(3), Clamp(312), loss=SquaredError())
    p = Parameters(population=40, perturb="factored", rank=1)
    population = es.ask(p, es.init(p, network.tensors))
    x = np.random.default_rng(0).integers(-62, 63, (20, 8, 5)).astype(np.float32)
    forward = Forward(network)
    scaled = forward.prepare(population)
    together = np.concatenate([chunk.copy() for chunk in forward.members(population, slice(0, 20), x, scaled)])
    for pair in range(20):
        for side in range(2):
            own = x[pair, 4 * side : 4 * side + 4]
            (alone,) = forward.members(population, slice(pair, pair + 1), own, scaled)
            assert np.array_equal(alone[0, side], together[pair, side])


def test_work_counts_the_multiplications() -> None:
    assert Sequential(Input(5), Dense(7), Dense(3), loss=SquaredError()).macs == 5 * 7 + 7 * 3
    network = Sequential(Input((6, 5)), MinGRU(7), Dense(3), loss=SquaredError())
    assert network.macs == 6 * (5 * 14 + 2 * 7 * 7) + 7 * 3
