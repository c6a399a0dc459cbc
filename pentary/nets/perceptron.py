"""An integer multilayer perceptron with five-level weights, forward over a whole population.

A layer computes clamp(round(x W / 5**shift)): the rescale is a pent shift, the clamp at zero is the nonlinearity. A
member of a factored population computes x (W + A B^T / 5**q) without forming that matrix: the product x W with the
shared weights is one call of a backend for all members, and the low-rank term is added before the rescale,

    clamp(round((5**q x W + (x A) B^T) / 5**(q + shift))).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pentary.es.strategy import Population
from pentary.lowrank.operations import Pents
from pentary.nets.products import NUMPY, Gemm, check_operands, check_weights, multiply
from pentary.numbers.exact import ROUNDABLE, Float32, check_exact, round_shift_

CACHED = 2**17
"""Activations per block of element-wise work; with their temporaries they stay in the cache of a core."""


@dataclass(frozen=True)
class Layer:
    """One layer: matrix product, rescale and clamp.

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

    def check(self, rank: int = 0, sigma_shift: int = 0, gemm: Gemm = NUMPY) -> None:
        """Raise an error if some sum in the network could leave the exact range of float32.

        Args:
            rank: of the factored perturbation; 0: no perturbation.
            sigma_shift: q of the perturbation A B^T / 5**q.
            gemm: the backend that multiplies.

        Raises:
            PentaryError: some layer is too wide, or its inputs are out of the backend's range; the message gives the
                bound.
        """
        largest = self.input_limit
        for layer in self.layers:
            check_operands(gemm, largest, f"layer {layer.name}")
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

    def forward_pairs(
        self,
        weights: Mapping[str, NDArray[Any]],
        x: Float32,
        population: Population | None = None,
        part: slice = slice(0),
        gemm: Gemm = NUMPY,
    ) -> Iterator[Float32]:
        """Compute the outputs of some pairs of a factored population, a few pairs at a time.

        Args:
            weights: from `scaled_centre`; or, without a population, the unperturbed weights in the backend's type.
            x: (pairs, 2 examples, inputs), first those of the plus member, then those of the minus member; or
                (examples, inputs), shared by all members.
            population: its factors perturb the weights; None: unperturbed members, for comparison, which need inputs of
                their own.
            part: which pairs of the population.
            gemm: the backend that multiplies by the shared weights; all activations must be in the range of its
                operands.

        Yields:
            (some pairs, 2 examples, outputs) integers in float32, pair after pair; valid until the next are asked for.
        """
        q = 0 if population is None else population.parameters.sigma_shift
        factors = {} if population is None else {name: _factors(population, name, part) for name in self.shapes}
        pairs = len(x) if x.ndim == 3 else part.stop - part.start
        rows = x.shape[1] if x.ndim == 3 else 2 * x.shape[0]
        widest = rows * max(layer.outputs for layer in self.layers)
        size = min(pairs, max(1, 4 * CACHED // widest))
        # Buffers are reused: page faults of fresh ones for every product would cost as much as the products.
        buffers = np.empty((2, size * widest), np.float32)
        scratch = np.empty(max(CACHED, widest), np.float32)
        for start in range(0, pairs, size):
            some = slice(start, min(start + size, pairs))
            h = x if x.ndim == 2 else x[some]
            for number, layer in enumerate(self.layers):
                z = _view(buffers[number % 2], (some.stop - start, rows, layer.outputs))
                own = [factor[some] for factor in factors.get(layer.name, ())]
                _layer(layer, q, h, weights[layer.name], own, z, scratch, gemm)
                h = z
            yield h


def scaled_centre(population: Population, gemm: Gemm = NUMPY) -> dict[str, NDArray[Any]]:
    """Return the unperturbed weights times 5**q in a backend's type, for the products shared by a factored population.

    Raises:
        PentaryError: the backend is not exact with such weights.
    """
    scale = 5**population.parameters.sigma_shift
    check_weights(gemm, 2 * scale, "the perturbed network")
    return {
        name: weights.astype(gemm.weight) * gemm.weight.type(scale) for name, weights in population.centre().items()
    }


def _layer(
    layer: Layer,
    q: int,
    x: Float32,
    weights: NDArray[Any],
    factors: list[Float32],
    z: Float32,
    scratch: Float32,
    gemm: Gemm,
) -> None:
    """Compute one layer of some pairs into z: one product for all, then element-wise work on a few pairs at a time."""
    if x.ndim == 2:
        shared = np.empty((len(x), layer.outputs), np.float32)
        multiply(gemm, x, weights, shared)
    else:
        shared = None
        multiply(gemm, x.reshape(-1, layer.inputs), weights, z.reshape(-1, layer.outputs))
    terms = (_project(x, factors[0]), factors[1]) if factors else ()
    few = max(1, CACHED // (z.shape[1] * layer.outputs))
    for start in range(0, len(z), few):
        block = slice(start, start + few)
        if terms:
            projected, b = (term[block] for term in terms)
            _perturb(shared, projected, b, z[block], scratch)
        _activate(z[block], layer, q)


def _project(x: Float32, a: Float32) -> Float32:
    """Return x A; where members have inputs of their own, negated for the minus members."""
    projected = np.matmul(x, a.transpose(0, 2, 1))
    if x.ndim == 3:
        minus = projected[:, x.shape[1] // 2 :]
        np.negative(minus, out=minus)
    return projected


def _perturb(shared: Float32 | None, projected: Float32, b: Float32, z: Float32, scratch: Float32) -> None:
    """Add (x A) B^T to z; or set the halves of z to a shared product plus and minus (x A) B^T."""
    if shared is None:
        z += np.matmul(projected, b, out=_view(scratch, z.shape))
    else:
        half = z.shape[1] // 2
        low_rank = np.matmul(projected, b, out=_view(scratch, (len(z), half, z.shape[2])))
        np.add(shared, low_rank, out=z[:, :half])
        np.subtract(shared, low_rank, out=z[:, half:])


def _view(buffer: Float32, shape: tuple[int, ...]) -> Float32:
    return buffer[: prod(shape)].reshape(shape)


def _factors(population: Population, matrix: str, part: slice) -> list[Float32]:
    """Return the factors in float32, rank 1 padded with a zero vector: BLAS is slow for sums of one term."""
    converted = []
    for factor in population.factors(matrix, part):
        pairs, rank, width = factor.shape
        floats = np.zeros((pairs, max(2, rank), width), np.float32)
        floats[:, :rank] = factor
        converted.append(floats)
    return converted


def _activate(z: Float32, layer: Layer, sigma_shift: int) -> None:
    round_shift_(z, layer.shift + sigma_shift)
    np.clip(z, layer.low, layer.high, out=z)
