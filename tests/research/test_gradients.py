"""Gradients of described networks in floating point: those of differences, and they train."""

import numpy as np
import pytest

from gradients import Network, accuracy
from pentary.nets import Clamp, Conv1d, CrossEntropy, Dense, Flatten, Input, MaxPool, Sequential
from pentary.tasks import digits

NETWORKS = {
    "dense": Sequential(
        *(Input(6), Dense(5), Clamp(62, "relu"), Dense(4), Clamp(62), Dense(3), Clamp(312)), loss=CrossEntropy()
    ),
    "convolution": Sequential(
        *(Input((7, 2)), Conv1d(3, 3, padding=1), Clamp(62, "relu"), MaxPool(2), Flatten(), Dense(3), Clamp(312)),
        loss=CrossEntropy(),
    ),
}


def loss(net: Network, x: np.ndarray, y: np.ndarray) -> float:
    z = net.results(x).astype(np.float64)
    return float((np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(x)), y]).mean())


@pytest.mark.parametrize("name", NETWORKS)
def test_gradients_are_those_of_small_differences(name: str) -> None:
    net, rng = Network(NETWORKS[name], seed=1), np.random.default_rng(1)
    # In float64, where small differences are seen.
    net.weights = {key: own.astype(np.float64) * 0.5 for key, own in net.weights.items()}
    x, y = rng.normal(size=(8, *NETWORKS[name].input.values().shape)), np.arange(8) % 3
    found = net.gradients(x, y)
    assert found.keys() == net.weights.keys()
    for key, gradient in found.items():
        for place in np.ndindex(gradient.shape):
            own, values = net.weights[key], []
            for step in (1e-6, -1e-6):
                kept = own[place]
                own[place] = kept + step
                values.append(loss(net, x, y))
                own[place] = kept
            assert gradient[place] == pytest.approx((values[0] - values[1]) / 2e-6, abs=2e-5), (key, place)


def test_digits_are_learned() -> None:
    own = digits.load()
    net = Network(digits.NETWORK, seed=0)
    net.train(own.train.x / 16, own.train.y, epochs=60)
    assert accuracy(net.results(own.test.x / 16), own.test.y) > 0.95
