import random
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from pentary import es
from pentary.es.strategy import Parameters, Population
from pentary.nets.forward import Forward
from pentary.nets.layers import rescale
from pentary.nets.members import Buffers
from pentary.nets.network import Sequential
from pentary.nets.operations import Branch, Product, Recurrence
from tests.pentary.nets import drawn, reference

NETWORKS = 12  # of each kind and perturbation


def shifts(network: Sequential) -> dict[str, int]:
    """Return the rescales by the rule, from the layers' gains."""
    found = {}

    def look(operations) -> None:
        for each in operations:
            if isinstance(each, Branch):
                look(each.inner)
            elif isinstance(each, Product | Recurrence):
                found[each.matrix] = each.shift

    look(network.operations)
    return found


def examples(network: Sequential, count: int, rng: np.random.Generator) -> np.ndarray:
    values = network.input.values()
    return rng.integers(values.low, values.high + 1, (count, *values.shape))


def members(population: Population, pair: int) -> list[dict[str, reference.Matrix]]:
    """Return the weights of both members of a pair as fractions, formed in integers."""
    own = population.parameters
    found: list[dict[str, reference.Matrix]] = [{}, {}]
    for name, tensor in population.state.tensors.items():
        a, b = (factor[0].astype(int) for factor in population.factors(name, slice(pair, pair + 1)))
        s = a.T @ b
        words = population.state.latents[name]
        for side, sign in enumerate((1, -1)):
            if own.perturb == "factored":
                centre = plain_visible(tensor, words, own.latent)
                matrix = [
                    [
                        c + Fraction(sign * int(m) * 5 ** (tensor.pents - 1), 5**own.sigma_shift)
                        for c, m in zip(*row, strict=True)
                    ]
                    for row in zip(centre, s.tolist(), strict=True)
                ]
            else:
                root = own.rank**0.5
                e = np.array([[max(-2, min(2, round(v / root))) if root % 2 or v else 0 for v in row] for row in s])
                largest = (5**own.latent - 1) // 2
                moved = np.clip(words + sign * own.sigma * e, -largest, largest)
                matrix = plain_visible(tensor, moved, own.latent)
            found[side][name] = matrix
    return found


def plain_visible(tensor: es.Tensor, words: np.ndarray, latent: int) -> reference.Matrix:
    unit = Fraction(5) ** (tensor.pents - latent)
    return [[Fraction(tensor.offset + round(int(word) * unit)) for word in row] for row in words]


@pytest.mark.parametrize("kind", drawn.KINDS)
@pytest.mark.parametrize("perturb", ["factored", "quantized"])
def test_members_compute_what_the_description_says(kind: str, perturb: Any) -> None:
    for seed in range(NETWORKS):
        rng = random.Random(f"{kind} {perturb} {seed}")
        network = drawn.network(kind, rng)
        # Of these ranks no quotient by the root lies in the middle between two levels.
        p = Parameters(
            population=6, rank=rng.choice([1, 2, 3, 5, 7]), perturb=perturb, seed=seed, latent=rng.choice([4, 6])
        )
        network.check(p)
        state = es.init(p, network.tensors)
        moved = {name: words + rng.randint(-100, 100) for name, words in state.latents.items()}
        largest = (5**p.latent - 1) // 2
        state = es.State(3, {name: np.clip(words, -largest, largest) for name, words in moved.items()}, state.tensors)
        population = es.ask(p, state)
        x = examples(network, 2, np.random.default_rng(seed))
        forward = Forward(network)
        scaled = forward.prepare(population) if perturb == "factored" else None
        got = np.concatenate(
            [each.copy() for each in forward.members(population, slice(1, 3), x.astype(np.float32), scaled, Buffers())]
        )
        assert got.shape == (2, 2, 2, network.outputs.size)
        for pair in (1, 2):
            for side, weights in enumerate(members(population, pair)):
                for number, example in enumerate(x.tolist()):
                    expected = reference.run(network, weights, shifts(network), example)
                    assert got[pair - 1, side, number].tolist() == expected, (seed, network)


@pytest.mark.parametrize("kind", drawn.KINDS)
def test_the_centre_computes_what_the_description_says(kind: str) -> None:
    for seed in range(NETWORKS):
        rng = random.Random(f"{kind} {seed}")
        network, p = drawn.network(kind, rng), Parameters(seed=seed)
        state = es.init(p, network.tensors)
        x = examples(network, 3, np.random.default_rng(seed))
        got = Forward(network).centre(es.visible_weights(p, state), x.astype(np.float32))
        weights = {name: plain_visible(t, state.latents[name], p.latent) for name, t in network.tensors.items()}
        for row, example in zip(got, x.tolist(), strict=True):
            assert row.tolist() == reference.run(network, weights, shifts(network), example), (seed, network)


def test_rescales_bring_the_gain_nearest_to_what_is_wanted() -> None:
    for rows, gain in ((64, 1.0), (64, 2), (3, 0.1), (2000, 1)):
        for starts in ((1,), (1, 5)):
            ratios = {}
            for shift in range(4):
                for start in starts:
                    variance = Fraction(25, 12) if start == 1 else Fraction(1, 2)
                    found = float(rows * variance) ** 0.5 / 5**shift
                    ratios[shift, start] = max(found / gain, gain / found)
            assert rescale(rows, gain, starts) == min(ratios, key=lambda key: ratios[key])
