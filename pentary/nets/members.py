"""Weights of the centre and of members, as the forward pass multiplies by them."""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, Final, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from pentary.es.strategy import Population
from pentary.nets import kernels
from pentary.nets.products import Gemm, multiply
from pentary.numbers.exact import Float32

_BLAS_RANK: Final = 5  # from this rank on, BLAS projects faster than a loop


class Buffers:
    """Arrays that are used again for every chunk: page faults of new ones would cost as much as the products."""

    def __init__(self) -> None:
        """Create an empty set of arrays."""
        self._arrays: dict[Hashable, Float32] = {}

    def take(self, key: Hashable, shape: Sequence[int]) -> Float32:
        """Return an array with whatever is in it, float32 and contiguous; another one for another key."""
        size = int(np.prod(shape))
        found = self._arrays.get(key)
        if found is None or found.size < size:
            found = self._arrays[key] = np.empty(size, np.float32)
        return found[:size].reshape(shape)


class Rescale(NamedTuple):
    """What becomes of a sum: clamp(round(sum * unit), low, high)."""

    unit: np.float32
    low: np.float32
    high: np.float32


UNCHANGED: Final = Rescale(np.float32(1), np.float32(-np.inf), np.float32(np.inf))
"""Sums as they are."""


class Weights(Protocol):
    """Weights of the centre, or of the members of some pairs.

    Attributes:
        sides: members in a group, 1 or 2.
        groups: pairs, or 1.
        shift: q: numbers are in units of 1 / 5**q.
    """

    sides: int
    groups: int
    shift: int

    def multiply(self, names: tuple[str, str], x: Float32, shared: bool, then: Rescale, out: Float32) -> None:
        """Compute x W + b, rescaled.

        Args:
            names: of the matrix, and of its biases or "".
            x: (groups, rows, inputs); or (1, rows, inputs), shared by all members.
            shared: whether it is.
            then: rescale.
            out: (groups, rows of all sides, outputs), written.
        """
        ...

    def row(self, name: str) -> Float32:
        """Return a tensor of one row: (groups, sides, cols)."""
        ...

    def rows(self, name: str, numbers: NDArray[np.int64]) -> Float32:
        """Return some rows of a tensor: (groups, sides, *numbers.shape, cols)."""
        ...

    def bias(self, name: str) -> Float32 | None:
        """Return `row`, or None for no name."""
        return self.row(name) if name else None


class Centre(Weights):
    """Weights without members.

    Args:
        weights: visible numbers by tensor, integers in any type.
        gemm: the backend.
    """

    sides = groups = 1
    shift = 0

    def __init__(self, weights: Mapping[str, NDArray[Any]], gemm: Gemm) -> None:
        """Keep the weights."""
        self._weights, self._gemm = weights, gemm

    def multiply(self, names: tuple[str, str], x: Float32, shared: bool, then: Rescale, out: Float32) -> None:
        """Compute x W + b, rescaled: see `Weights.multiply`."""
        own = np.ascontiguousarray(self._weights[names[0]], self._gemm.weight)
        multiply(self._gemm, x.reshape(-1, x.shape[-1]), own, out.reshape(-1, out.shape[-1]))
        kernels.finish(out, None, None, self.bias(names[1]), 1, *then)

    def row(self, name: str) -> Float32:
        """Return a tensor of one row: see `Weights.row`."""
        return self._weights[name].astype(np.float32)[None]

    def rows(self, name: str, numbers: NDArray[np.int64]) -> Float32:
        """Return some rows of a tensor: see `Weights.rows`."""
        return self._weights[name].astype(np.float32)[numbers][None, None]


class Factored(Weights):
    """Weights of factored pairs.

    Args:
        scaled: the centre's times 5**q, matrices in the backend's type.
        shift: q.
        units: of each tensor, what a unit of A B^T adds to its visible number, in units of 1 / 5**q.
        factors: of each tensor, (pairs, rank, rows) and (pairs, rank, cols).
        gemm: the backend.
        buffers: of the thread.
    """

    sides = 2

    def __init__(
        self,
        scaled: Mapping[str, NDArray[Any]],
        shift: int,
        units: Mapping[str, int],
        factors: Mapping[str, tuple[NDArray[np.int8], NDArray[np.int8]]],
        gemm: Gemm,
        buffers: Buffers,
    ) -> None:
        """Convert the factors."""
        self._scaled, self.shift, self._units = scaled, shift, units
        self._factors = {name: (a.astype(np.float32), b.astype(np.float32)) for name, (a, b) in factors.items()}
        self.groups = len(next(iter(factors.values()))[0])
        self._gemm, self._buffers = gemm, buffers

    def multiply(self, names: tuple[str, str], x: Float32, shared: bool, then: Rescale, out: Float32) -> None:
        """Compute x W + b, rescaled: see `Weights.multiply`."""
        matrix, bias = names
        (a, b), own = self._factors[matrix], self.bias(bias)
        coefficients = self._project(x, a, shared)
        if shared:
            product = self._buffers.take("shared", (x.shape[1], out.shape[2]))
            multiply(self._gemm, x[0], self._scaled[matrix], product)
            kernels.finish_shared(product, coefficients, b, own, *then, out)
        else:
            multiply(self._gemm, x.reshape(-1, x.shape[2]), self._scaled[matrix], out.reshape(-1, out.shape[2]))
            kernels.finish(out, coefficients, b, own, 2, *then)

    def _project(self, x: Float32, a: Float32, shared: bool) -> Float32:
        """Return x A, (pairs, rows, rank); of minus members, which have operands of their own, -x A."""
        out = self._buffers.take("projected", (len(a), x.shape[1], a.shape[1]))
        if a.shape[1] < _BLAS_RANK:
            kernels.project(x, a, 1 if shared else 2, out)
        else:
            np.matmul(x, a.transpose(0, 2, 1), out=out)
            if not shared:
                minus = out[:, out.shape[1] // 2 :]
                np.negative(minus, out=minus)
        return out

    def row(self, name: str) -> Float32:
        """Return a tensor of one row: see `Weights.row`."""
        return self.rows(name, np.zeros((), np.int64))

    def rows(self, name: str, numbers: NDArray[np.int64]) -> Float32:
        """Return some rows of a tensor: see `Weights.rows`."""
        a, b = self._factors[name]
        moved = np.einsum("pln,plc->pnc", a[:, :, numbers.reshape(-1)], b).reshape(len(a), *numbers.shape, -1)
        moved *= np.float32(self._units[name])
        centre = self._scaled[name][numbers].astype(np.float32)
        return np.stack([centre + moved, centre - moved], axis=1)


class Quantized(Weights):
    """Weights of quantized pairs, formed.

    Args:
        population: whose members these are.
        part: which pairs.
    """

    sides = 2
    shift = 0

    def __init__(self, population: Population, part: slice) -> None:
        """Form the weights."""
        pairs = {name: population.weights(name, part) for name in population.state.tensors}
        self._weights = {name: np.stack(both, axis=1).astype(np.float32) for name, both in pairs.items()}
        self.groups = part.stop - part.start

    def multiply(self, names: tuple[str, str], x: Float32, shared: bool, then: Rescale, out: Float32) -> None:
        """Compute x W + b, rescaled: see `Weights.multiply`."""
        own = self._weights[names[0]]
        operands = x[:, None] if shared else x.reshape(self.groups, 2, -1, x.shape[2])
        np.matmul(operands, own, out=out.reshape(self.groups, 2, -1, out.shape[2]))
        kernels.finish(out, None, None, self.bias(names[1]), 2, *then)

    def row(self, name: str) -> Float32:
        """Return a tensor of one row: see `Weights.row`."""
        return np.ascontiguousarray(self._weights[name][:, :, 0])

    def rows(self, name: str, numbers: NDArray[np.int64]) -> Float32:
        """Return some rows of a tensor: see `Weights.rows`."""
        return self._weights[name][:, :, numbers]
