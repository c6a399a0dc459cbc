"""An integer multilayer perceptron with five-level weights, forward over a whole population.

A layer computes clamp(round(x W / 5**shift)): the rescale is a pent shift, the clamp at zero is the nonlinearity. A
member of a factored population computes x (W + A B^T / 5**q) without forming that matrix: the product x W with the
shared weights is one BLAS call for all members, and the low-rank term is added before the rescale,

    clamp(round((5**q x W + (x A) B^T) / 5**(q + shift))).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pentary.es import Population
from pentary.exact import ROUNDABLE, Float32, check_exact, round_shift_
from pentary.lowrank import Pents

CACHED = 2**16
"""Activations of one layer computed at a time: with their temporaries they stay in the cache of a core."""


@dataclass(frozen=True)
class Layer:
    """One layer.

    Attributes:
        name: of its weight matrix.
        inputs, outputs: widths; the matrix has shape (inputs, outputs).
        shift: pents that the rescale drops.
        low, high: clamp of the outputs.
    """

    name: str
    inputs: int
    outputs: int
    shift: int
    low: int
    high: int


@dataclass(frozen=True)
class Mlp:
    """A stack of layers.

    Attributes:
        layers: first to last; each takes as many inputs as the one before has outputs.
        input_limit: largest magnitude of an input.
    """

    layers: Sequence[Layer]
    input_limit: int

    @property
    def shapes(self) -> dict[str, tuple[int, int]]:
        """(rows, cols) of each weight matrix by name."""
        return {layer.name: (layer.inputs, layer.outputs) for layer in self.layers}

    def check(self, rank: int = 0, sigma_shift: int = 0) -> None:
        """Refuse a network in which some sum could leave the exact range of float32.

        Args:
            rank: of the factored perturbation, 0 without one.
            sigma_shift: its q.

        Raises:
            PentaryError: some layer is too wide; the message gives the bound.
        """
        largest = self.input_limit
        for layer in self.layers:
            product = layer.inputs * largest * 2
            check_exact(product * 5**sigma_shift + product * rank * 2, f"layer {layer.name}", ROUNDABLE)
            largest = max(abs(layer.low), abs(layer.high))

    def forward(self, weights: Mapping[str, Pents | Float32], x: Float32) -> Float32:
        """Compute the outputs with one set of weights, or with one set for each member.

        Args:
            weights: (rows, cols) pents by name, int8 or float32; or (members, rows, cols).
            x: (examples, inputs) integers in float32.

        Returns:
            (examples, outputs) or (members, examples, outputs) integers in float32.
        """
        for layer in self.layers:
            x = np.matmul(x, weights[layer.name].astype(np.float32, copy=False))
            _activate(x, layer, 0)
        return x

    def forward_pairs(self, population: Population, weights: Mapping[str, Float32], part: slice, x: Float32) -> Float32:
        """Compute the outputs of some pairs of a factored population.

        Args:
            population: whose factors to use.
            weights: from `scaled_centre`.
            part: which pairs.
            x: (examples, inputs) that every member sees, or (pairs, 2 examples, inputs): first those of the plus
                member, then those of the minus member.

        Returns:
            (pairs, 2 examples, outputs) integers in float32.
        """
        q = population.parameters.sigma_shift
        factors = [population.factors(layer.name, part) for layer in self.layers]
        pairs = part.stop - part.start
        examples = x.shape[0] if x.ndim == 2 else x.shape[1] // 2
        widest = max(layer.outputs for layer in self.layers)
        size = max(1, CACHED // (2 * examples * widest))
        outputs = np.empty((pairs, 2 * examples, self.layers[-1].outputs), np.float32)
        for start in range(0, pairs, size):
            some = slice(start, min(start + size, pairs))
            h = x if x.ndim == 2 else x[some]
            for layer, (a, b) in zip(self.layers, factors, strict=True):
                h = _perturbed(h, weights[layer.name], a[some].astype(np.float32), b[some].astype(np.float32))
                _activate(h, layer, q)
            outputs[some] = h
        return outputs


def scaled_centre(population: Population) -> dict[str, Float32]:
    """Give the centre's weights times 5**q in float32: what a factored population's base products are made with."""
    scale = np.float32(5**population.parameters.sigma_shift)
    return {name: weights.astype(np.float32) * scale for name, weights in population.centre().items()}


def _perturbed(x: Float32, weights: Float32, a: Float32, b: Float32) -> Float32:
    """Compute x W + (x A) B^T for plus members and x W - (x A) B^T for minus members; see `Mlp.forward_pairs`."""
    pairs, outputs = len(a), b.shape[-1]
    base = np.matmul(x.reshape(-1, x.shape[-1]), weights)
    if x.ndim == 2:
        low_rank = _outer(np.matmul(x, a.transpose(0, 2, 1)), b)
        z = np.empty((pairs, 2 * len(x), outputs), np.float32)
        np.add(base, low_rank, out=z[:, : len(x)])
        np.subtract(base, low_rank, out=z[:, len(x) :])
        return z
    z = base.reshape(pairs, -1, outputs)
    projected = np.matmul(x, a.transpose(0, 2, 1))
    np.negative(projected[:, x.shape[1] // 2 :], out=projected[:, x.shape[1] // 2 :])
    z += _outer(projected, b)
    return z


def _outer(projected: Float32, b: Float32) -> Float32:
    """Multiply (pairs, examples, rank) by (pairs, rank, outputs)."""
    return projected * b if b.shape[1] == 1 else np.matmul(projected, b)  # BLAS is slow where the sum has one term


def _activate(z: Float32, layer: Layer, sigma_shift: int) -> None:
    round_shift_(z, layer.shift + sigma_shift)
    np.clip(z, layer.low, layer.high, out=z)
