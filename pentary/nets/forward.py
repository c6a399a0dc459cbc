"""Forward pass of a network: of the centre, and of a population some pairs at a time.

A factored member computes x (W + s A B^T / 5**q), s = 1 or -1, without forming that matrix: the product x W is one
call of a backend for all members, and the rest is added before the rescale,

    round((5**q (x W + b) + s ((x A) B^T + N)) / 5**(q + shift)),

where N is the same perturbation of the bias, in units of its last pent. Sums are integers in float32, within the
bounds that `Sequential.check` has found to be exact.
"""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pentary.es.strategy import Population
from pentary.es.tensors import Visible
from pentary.nets import kernels
from pentary.nets.members import UNCHANGED, Buffers, Centre, Factored, Quantized, Weights
from pentary.nets.network import Sequential
from pentary.nets.operations import (
    EMBEDDED,
    MEAN_SHIFT,
    Branch,
    Clip,
    Gather,
    Greatest,
    Lookup,
    Normalise,
    Operation,
    Product,
    Recurrence,
    Values,
)
from pentary.nets.products import NUMPY, Gemm, check_weights
from pentary.numbers.exact import Float32

BLOCK: Final = 2**20
"""Numbers in the widest array of a chunk of pairs: few enough for the caches, and so many that workers, which take
turns at the work of Python between the kernels, seldom wait for each other."""

_POSITIONS: Final = 8
"""A recurrence works on one position of its sequences at a time: of its arrays over all positions, one part in so many
counts towards the size of a chunk."""


class Forward:
    """Forward pass of a network.

    Args:
        network: whose bounds have been checked for the members.
        gemm: the backend that multiplies by what all members share; results do not depend on it.
    """

    def __init__(self, network: Sequential, gemm: Gemm = NUMPY) -> None:
        """Find out how wide the network is."""
        self.network, self._gemm = network, gemm
        self._input = network.input.values()
        self._widest = max(self._input.size, *_sizes(network.operations, self._input))

    @staticmethod
    def buffers() -> Buffers:
        """Return buffers for a thread, to be passed to `members` again and again."""
        return Buffers()

    def centre(self, weights: Mapping[str, Visible], x: Float32) -> Float32:
        """Compute the results with one set of weights.

        Args:
            weights: visible numbers by tensor.
            x: (examples, *input shape) integers in float32.

        Returns:
            (examples, outputs) integers in float32.
        """
        found = np.empty((len(x), self.network.outputs.size), np.float32)
        few, own, buffers = max(1, BLOCK // self._widest), Centre(weights, NUMPY), Buffers()
        for start in range(0, len(x), few):
            some = slice(start, start + few)
            found[some] = self._run(self.network.operations, x[None, some], own, buffers)[0]
        return found

    def plain(self, weights: Mapping[str, NDArray[Any]], x: Float32, buffers: Buffers) -> Iterator[Float32]:
        """Compute the results of unperturbed members with operands of their own, to compare the speed of others with.

        Args:
            weights: visible numbers by tensor.
            x: (pairs, 2 examples, *input shape) integers in float32.
            buffers: of the calling thread.

        Yields:
            As `members` does.
        """
        own, few = Centre(weights, self._gemm), max(1, BLOCK // (x.shape[1] * self._widest))
        for start in range(0, len(x), few):
            some = x[start : start + few].reshape(1, -1, *self._input.shape)
            h = self._run(self.network.operations, some, own, buffers)
            yield h.reshape(-1, 2, x.shape[1] // 2, self.network.outputs.size)

    def prepare(self, population: Population) -> Mapping[str, NDArray[Any]]:
        """Return the centre of a factored population times 5**q, in the types of the products.

        Raises:
            PentaryError: the backend is not exact with such weights.
        """
        scale = 5**population.parameters.sigma_shift
        check_weights(self._gemm, 2 * scale, "the perturbed network")
        multiplied = _multiplied(self.network.operations)
        return {
            name: weights.astype(self._gemm.weight if name in multiplied else np.float32) * scale
            for name, weights in population.centre().items()
        }

    def members(
        self,
        population: Population,
        part: slice,
        x: Float32,
        scaled: Mapping[str, NDArray[Any]] | None,
        buffers: Buffers | None = None,
    ) -> Iterator[Float32]:
        """Compute the results of some pairs, a few at a time.

        Args:
            population: whose members these are.
            part: which pairs.
            x: (examples, *input shape) integers in float32, the same for all members; or (pairs, 2 examples, *input
                shape), of each pair first those of the plus, then those of the minus member.
            scaled: from `prepare`, for a factored population.
            buffers: of the calling thread.

        Yields:
            (some pairs, 2, examples, outputs) integers in float32, pair after pair; valid until the next are asked for.
        """
        buffers = buffers or Buffers()
        shared = x.ndim == 1 + len(self._input.shape)
        examples = len(x) if shared else x.shape[1] // 2
        tensors, own = population.state.tensors, population.parameters
        widest = 2 * examples * self._widest
        if scaled is None:
            widest = max(widest, 2 * max(tensor.size for tensor in tensors.values()))
        few = max(1, BLOCK // widest)
        factors = {} if scaled is None else {name: population.factors(name, part) for name in tensors}
        for start in range(part.start, part.stop, few):
            some = slice(start, min(start + few, part.stop))
            here = slice(some.start - part.start, some.stop - part.start)
            if scaled is None:
                weights: Weights = Quantized(population, some)
            else:
                chosen = {name: (a[here], b[here]) for name, (a, b) in factors.items()}
                units = {name: tensor.noise_unit for name, tensor in tensors.items()}
                weights = Factored(scaled, own.sigma_shift, units, chosen, self._gemm, buffers)
            h = self._run(self.network.operations, x[None] if shared else x[here], weights, buffers, examples)
            yield self._apart(h, weights, examples).reshape(-1, 2, examples, self.network.outputs.size)

    def _run(
        self,
        operations: Sequence[Operation],
        x: Float32,
        weights: Weights,
        buffers: Buffers,
        examples: int = 0,
        path: tuple[int, ...] = (),
    ) -> Float32:
        """Execute operations.

        Args:
            operations: of the network, or of a branch.
            x: (groups, rows, *shape), or (1, examples, *shape) shared by all members.
            weights: of the centre or of members.
            buffers: of the thread.
            examples: of a member; 0 for the centre.
            path: of the branch.

        Returns:
            The same of the result; what all members share until a product comes stays so.
        """
        h = x
        for number, operation in enumerate(operations):
            key = (*path, number)
            shared = h.shape[1] == examples
            if isinstance(operation, Product):
                h = self._product(operation, h, shared, weights, buffers, key)
            elif isinstance(operation, Clip):
                h = np.clip(h, operation.low, operation.high, out=buffers.take(key, h.shape))
            elif isinstance(operation, Gather | Greatest):
                out = buffers.take(key, (*h.shape[:2], *operation.shape))
                kernel = kernels.gather if isinstance(operation, Gather) else kernels.greatest
                rows = h.shape[0] * h.shape[1]
                kernel(h.reshape(rows, -1), operation.index, out.reshape(rows, -1))
                h = out
            elif isinstance(operation, Normalise):
                h = self._apart(h, weights, examples)
                out, gains = buffers.take(key, h.shape), weights.row(operation.gains)
                flat = (*h.shape[:2], -1, operation.width)
                unit = 1 / 5 ** (MEAN_SHIFT + weights.shift)
                kernels.normalise(h.reshape(flat), gains, weights.sides, unit, out.reshape(flat))
                h = out
            elif isinstance(operation, Lookup):
                found = weights.rows(operation.matrix, h[0].astype(np.int64))
                found *= np.float32(EMBEDDED / 5**weights.shift)
                h = found.reshape(weights.groups, -1, *found.shape[3:])
            elif isinstance(operation, Recurrence):
                h = self._recurrence(operation, h, shared, weights, buffers, key)
            else:
                assert isinstance(operation, Branch), "there is no other operation"
                y = self._run(operation.inner, h, weights, buffers, examples, key)
                h = self._apart(h, weights, examples) if h.shape != y.shape else h
                h = np.clip(h + self._apart(y, weights, examples), -operation.limit, operation.limit)
        return h

    def _product(
        self, own: Product, h: Float32, shared: bool, weights: Weights, buffers: Buffers, key: Hashable
    ) -> Float32:
        operands = h.reshape(h.shape[0], -1, own.inputs)
        rows = operands.shape[1] * (weights.sides if shared else 1)
        out = buffers.take(key, (weights.groups, rows, own.outputs))
        then = UNCHANGED._replace(unit=_unit(weights, own.shift))
        if own.low is not None and own.high is not None:
            then = then._replace(low=np.float32(own.low), high=np.float32(own.high))
        weights.multiply((own.matrix, own.bias), operands, shared, then, out)
        return out.reshape(weights.groups, -1, *own.shape)

    def _recurrence(
        self, own: Recurrence, h: Float32, shared: bool, weights: Weights, buffers: Buffers, key: Hashable
    ) -> Float32:
        length, units = h.shape[2], own.units
        operands = h.reshape(h.shape[0], -1, own.inputs)
        rows = operands.shape[1] * (weights.sides if shared else 1)
        u = buffers.take((key, "u"), (weights.groups, rows, 2 * units))
        weights.multiply((own.matrix, own.bias), operands, shared, UNCHANGED, u)
        u = u.reshape(-1, length, 2 * units)
        hidden, gate, operand, sums = (
            buffers.take((key, name), (len(u), units)) for name in ("hidden", "gate", "operand", "sums")
        )
        states = buffers.take((key, "all"), (len(u), length, units))
        hidden[:] = 0
        unit = _unit(weights, own.shift)
        grouped = (weights.groups, -1, units)
        for place in range(length):
            now = np.ascontiguousarray(u[:, place])
            kernels.to_operand(hidden.reshape(-1), operand.reshape(-1))
            weights.multiply((own.forget, ""), operand.reshape(grouped), False, UNCHANGED, sums.reshape(grouped))
            kernels.open_gates(now, sums, hidden, unit, gate, operand)
            weights.multiply((own.candidate, ""), operand.reshape(grouped), False, UNCHANGED, sums.reshape(grouped))
            kernels.move_hidden(now, sums, gate, unit, hidden)
            states[:, place] = hidden
        found = hidden if own.last else states
        return found.reshape(weights.groups, -1, *found.shape[1:])

    @staticmethod
    def _apart(h: Float32, weights: Weights, examples: int) -> Float32:
        """Return numbers that all members share as numbers of each."""
        if h.shape[1] != examples or weights.sides == 1:
            return h
        return np.broadcast_to(h[:, None], (weights.groups, 2, *h.shape[1:])).reshape(weights.groups, -1, *h.shape[2:])


def _unit(weights: Weights, shift: int) -> np.float32:
    """Return the factor of a rescale by 5**shift."""
    return np.float32(1 / 5 ** (shift + weights.shift))


def _sizes(operations: Sequence[Operation], x: Values) -> Iterator[int]:
    """Yield how many numbers of an example each operation makes or needs."""
    from pentary.nets.layers import CENTRE

    for operation in operations:
        if isinstance(operation, Branch):
            yield from _sizes(operation.inner, x)
        if isinstance(operation, Recurrence):
            yield 2 * operation.units * x.shape[0] // _POSITIONS
        x = operation.values(x, CENTRE)
        yield x.size


def _multiplied(operations: Sequence[Operation]) -> set[str]:
    """Return the names of the matrices that a backend multiplies by."""
    names: set[str] = set()
    for operation in operations:
        if isinstance(operation, Product):
            names.add(operation.matrix)
        elif isinstance(operation, Recurrence):
            names |= {operation.matrix, operation.forget, operation.candidate}
        elif isinstance(operation, Branch):
            names |= _multiplied(operation.inner)
    return names
