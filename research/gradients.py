"""Described networks trained with gradients in floating point, as a yardstick: plain NumPy, Adam, cross-entropy.

The layers are the same, without what integers need: no rescale, no upper limit of a relu, no five levels.
"""

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pentary.nets.network import Sequential
from pentary.nets.operations import Clip, Gather, Greatest, Product

Array = NDArray[np.floating]

RATE, DECAY, SQUARES = 0.002, 0.9, 0.999
"""Adam's step size, and its averages of gradients and of their squares."""

BATCH: Final = 100


class Network:
    """A network in float32.

    Args:
        network: description; its layers are Dense, convolutions, pools, clamps and Flatten.
        seed: of the initial weights, and of the order of the examples.
    """

    def __init__(self, network: Sequential, seed: int) -> None:
        """Draw weights with the variance of He et al. (2015), 2 over the inputs; biases are 0."""
        self._network, self._rng = network, np.random.default_rng(seed)
        self.weights: dict[str, NDArray[Any]] = {
            name: self._rng.normal(0, np.sqrt(2 / own.rows) if own.pents == 1 else 0, own.shape).astype(np.float32)
            for name, own in network.tensors.items()
        }

    def results(self, x: Array) -> Array:
        """Return the results for examples, (examples, outputs)."""
        return self._run(x)[0].reshape(len(x), -1)

    def gradients(self, x: Array, y: NDArray[np.int64]) -> dict[str, Array]:
        """Return the gradients of the mean cross-entropy of some examples, by tensor."""
        z, backwards = self._run(x)
        logits = z.reshape(len(x), -1)
        p = np.exp(logits - logits.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        p[np.arange(len(x)), y] -= 1
        found: dict[str, Array] = {}
        d = (p / len(x)).reshape(z.shape).astype(np.float32)
        for backward in reversed(backwards):
            d = backward(d, found)
        return found

    def train(self, x: Array, y: NDArray[np.int64], epochs: int) -> None:
        """Train on a number of passes over the examples; the step size falls linearly to 0."""
        moments = {name: (np.zeros_like(own), np.zeros_like(own)) for name, own in self.weights.items()}
        total, step = epochs * (len(x) // BATCH), 0
        for _ in range(epochs):
            order = self._rng.permutation(len(x))
            for start in range(0, len(x) - BATCH + 1, BATCH):
                some, step = order[start : start + BATCH], step + 1
                gradients = self.gradients(x[some], y[some])
                for name, gradient in gradients.items():
                    mean, square = moments[name]
                    mean += (1 - DECAY) * (gradient - mean)
                    square += (1 - SQUARES) * (gradient**2 - square)
                    unbiased = mean / (1 - DECAY**step), square / (1 - SQUARES**step)
                    self.weights[name] -= RATE * (1 - step / total) * unbiased[0] / (np.sqrt(unbiased[1]) + 1e-8)

    def _run(self, x: Array) -> tuple[Array, list[Callable[[Array, dict[str, Array]], Array]]]:
        """Return results, and of each operation the function that takes gradients back."""
        backwards: list[Callable[[Array, dict[str, Array]], Array]] = []
        for operation in self._network.operations:
            x, backward = _OPERATIONS[type(operation)](self, operation, x)
            backwards.append(backward)
        return x, backwards


def _product(net: Network, own: Product, x: Array) -> Any:
    rows, weights = x.reshape(-1, own.inputs), net.weights[own.matrix]
    z = rows @ weights + (net.weights[own.bias] if own.bias else 0)
    is_relu, is_clamped = own.low == 0, own.low is not None
    open_ = z > 0 if is_relu else np.abs(z) < 1
    # The last layer's clamp only bounds logits for the table of the integer loss.
    is_last = own is net._network.operations[-1]
    made = z if is_last or not is_clamped else np.maximum(z, 0) if is_relu else np.clip(z, -1, 1)

    def backward(d: Array, gradients: dict[str, Array]) -> Array:
        d = d.reshape(z.shape)
        d = d * open_ if is_clamped and not is_last else d
        gradients[own.matrix] = rows.T @ d
        if own.bias:
            gradients[own.bias] = d.sum(axis=0, keepdims=True)
        return (d @ weights.T).reshape(x.shape)

    return made.reshape(len(x), *own.shape), backward


def _gather(net: Network, own: Gather, x: Array) -> Any:
    flat = np.concatenate([x.reshape(len(x), -1), np.zeros((len(x), 1), x.dtype)], axis=1)  # -1 is the zero

    def backward(d: Array, gradients: dict[str, Array]) -> Array:
        found = np.zeros(flat.shape[::-1], x.dtype)
        np.add.at(found, own.index, d.reshape(len(x), -1).T)
        return found[:-1].T.reshape(x.shape)

    return flat[:, own.index].reshape(len(x), *own.shape), backward


def _greatest(net: Network, own: Greatest, x: Array) -> Any:
    flat = x.reshape(len(x), -1)
    places = own.index[np.arange(len(own.index)), flat[:, own.index].argmax(axis=2)]

    def backward(d: Array, gradients: dict[str, Array]) -> Array:
        found = np.zeros_like(flat)
        np.add.at(found, (np.arange(len(x))[:, None], places), d.reshape(len(x), -1))
        return found.reshape(x.shape)

    return np.take_along_axis(flat, places, axis=1).reshape(len(x), *own.shape), backward


def _clip(net: Network, own: Clip, x: Array) -> Any:
    return np.maximum(x, 0) if own.low == 0 else np.clip(x, -1, 1), lambda d, gradients: d * (x > own.low)


_OPERATIONS: Final[dict[type, Callable[..., Any]]] = {
    Product: _product,
    Gather: _gather,
    Greatest: _greatest,
    Clip: _clip,
}


def accuracy(results: Array, y: NDArray[np.int64]) -> float:
    """Return the share of examples whose greatest result is the right class."""
    return float((results.argmax(axis=1) == y).mean())
