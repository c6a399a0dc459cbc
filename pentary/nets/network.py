"""A network: an input, layers and a loss, from which everything else follows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from pentary.es.strategy import Parameters
from pentary.es.tensors import Tensor
from pentary.nets.layers import CENTRE, Builder, Layer
from pentary.nets.losses import Loss
from pentary.nets.operations import Branch, Noise, Operation, Product, Recurrence, Values
from pentary.nets.products import NUMPY, Gemm, check_operands
from pentary.numbers.word import PentaryError


@dataclass(frozen=True)
class Input:
    """Numbers of an example.

    Attributes:
        shape: (features,), (length, channels) or (height, width, channels); one number for features.
        low, high: least and greatest value. Data that are no such integers are quantised to them.
    """

    shape: int | tuple[int, ...]
    low: int = -62
    high: int = 62

    def values(self) -> Values:
        """Return the numbers as values.

        Raises:
            PentaryError: shape or range make no sense.
        """
        shape = self.shape if isinstance(self.shape, tuple) else (self.shape,)
        if not 1 <= len(shape) <= 3 or any(not isinstance(each, int) or each < 1 for each in shape):
            raise PentaryError(
                f"input: shape {shape} is none of (features,), (length, channels) and (height, width, channels)"
            )
        if not self.low < self.high:
            raise PentaryError(f"input: the range {self.low}..{self.high} is empty")
        return Values(shape, self.low, self.high)


@dataclass(frozen=True)
class Tokens:
    """Tokens of an example, such as bytes.

    Attributes:
        length: how many.
        count: how many different ones, numbered from 0.
    """

    length: int
    count: int = 256

    def values(self) -> Values:
        """Return the tokens as values.

        Raises:
            PentaryError: a number is below 1.
        """
        if self.length < 1 or self.count < 1:
            raise PentaryError(f"input: {self.length} tokens of {self.count} are not at least one of one")
        return Values((self.length,), 0, self.count - 1, tokens=True)


STARTS: Final = (1, 5)
"""Choices of `pentary.es.Tensor.start` for weights, if a network does not restrict them."""


@dataclass(frozen=True, init=False, repr=False)
class Sequential:
    """A network whose layers take each what the one before makes.

    All bounds are checked when it is made: those of the unperturbed network here, those of members by `check`.

    Args:
        input: of the network.
        layers: at least one.
        loss: of its results.
        starts: permitted values of `pentary.es.Tensor.start` for weights, of which `rescale` takes the one that suits.

    Raises:
        PentaryError: two layers do not fit together, a sum could leave the exact range, or the loss cannot take the
            results; the message names the layer and the bound.

    >>> from pentary.nets import Clamp, Dense, SquaredHinge
    >>> network = Sequential(Input(64, 0, 16), Dense(32), Clamp(62, "relu"), Dense(10), loss=SquaredHinge())
    >>> [(name, tensor.shape) for name, tensor in network.tensors.items()]
    [('dense1', (64, 32)), ('dense1.bias', (1, 32)), ('dense2', (32, 10)), ('dense2.bias', (1, 10))]
    """

    input: Input | Tokens
    layers: tuple[Layer, ...]
    loss: Loss
    starts: tuple[int, ...]

    def __init__(self, input: Input | Tokens, *layers: Layer, loss: Loss, starts: Sequence[int] = STARTS) -> None:
        """Build the network."""
        for name, value in {"input": input, "layers": layers, "loss": loss, "starts": tuple(starts)}.items():
            object.__setattr__(self, name, value)
        self.loss.check(self.outputs)

    def __repr__(self) -> str:
        """Return the Python text that makes this network."""
        parts = [repr(self.input), *map(repr, self.layers), f"loss={self.loss!r}"]
        starts = [] if self.starts == STARTS else [f"starts={self.starts}"]
        return f"Sequential({', '.join([*parts, *starts])})"

    @cached_property
    def _built(self) -> tuple[Builder, Values]:
        if not self.layers:
            raise PentaryError("a network has at least one layer")
        builder, x = Builder(self.starts), self.input.values()
        for layer in self.layers:
            x = layer.build(builder, x)
        return builder, x

    @property
    def tensors(self) -> Mapping[str, Tensor]:
        """What is trained, by name, in the order of the digest."""
        return self._built[0].tensors

    @property
    def operations(self) -> Sequence[Operation]:
        """What it computes."""
        return self._built[0].operations

    @property
    def outputs(self) -> Values:
        """Results of the unperturbed network."""
        return self._built[1]

    @property
    def shifts(self) -> Mapping[str, int]:
        """Pents that the rescales of products drop, by the names of the matrices."""
        found = {}
        for operation in _flat(self.operations):
            if isinstance(operation, Product):
                found[operation.matrix] = operation.shift
            elif isinstance(operation, Recurrence):
                for matrix in (operation.matrix, operation.forget, operation.candidate):
                    found[matrix] = operation.shift
        return found

    @cached_property
    def macs(self) -> int:
        """Multiply-accumulates with weights for one example."""
        return sum(map(self._macs, _flat(self.operations)))

    def _macs(self, operation: Operation) -> int:
        if isinstance(operation, Product):
            return operation.inputs * Values(operation.shape, 0, 0).size
        if isinstance(operation, Recurrence):
            return self.input.values().shape[0] * 2 * operation.units * (operation.inputs + operation.units)
        return 0

    def check(self, parameters: Parameters, gemm: Gemm = NUMPY) -> Values:
        """Check the bounds of the members of a population.

        Args:
            parameters: of the run.
            gemm: the backend that multiplies.

        Returns:
            Results of the members.

        Raises:
            PentaryError: a sum could leave the exact range, or operands the range of the backend.
        """
        noise = noise_of(parameters)
        x = _checked(self.operations, self.input.values(), noise, gemm)
        self.loss.check(x)
        return x


def noise_of(parameters: Parameters) -> Noise:
    """Return the size of the perturbations in a run, for its bounds."""
    return Noise(parameters.rank, parameters.sigma_shift) if parameters.perturb == "factored" else CENTRE


def _flat(operations: Sequence[Operation]) -> list[Operation]:
    """Return operations with those inside of branches in place of the branches."""
    return [
        each
        for operation in operations
        for each in (_flat(operation.inner) if isinstance(operation, Branch) else [operation])
    ]


def _checked(operations: Sequence[Operation], x: Values, noise: Noise, gemm: Gemm) -> Values:
    for operation in operations:
        if isinstance(operation, Product | Recurrence):
            check_operands(gemm, x.limit, f"layer {operation.name}")
        elif isinstance(operation, Branch):
            _checked(operation.inner, x, noise, gemm)
        x = operation.values(x, noise)
    return x
