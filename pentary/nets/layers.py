"""Layers, as a network is described with them: each derives its tensors, operations and ranges from what it is given.

Names and arguments are those of the common libraries, as far as there is something to say in integers. A product is
rescaled by a power of five so that its spread comes near to `gain` times that of its operands, by the rule of
`rescale`; what follows it clamps.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import sqrt
from typing import Final, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from pentary.es.tensors import Tensor
from pentary.nets.operations import (
    NORM,
    NORM_PENTS,
    Branch,
    Clip,
    Gather,
    Greatest,
    Lookup,
    Noise,
    Normalise,
    Operation,
    Product,
    Recurrence,
    Values,
)
from pentary.numbers.word import WORD_MAX, PentaryError, limit

CENTRE: Final = Noise()

STREAM: Final = limit(5)
"""Largest magnitude behind a residual connection, if none is given: 1562."""

_SHIFTS: Final = (0, 1, 2, 3)

_NAME: Final = re.compile(r"[A-Za-z0-9_]+(\.[A-Za-z0-9_]+)*")

_BIAS: Final = range(2, 6)  # pents of biases
_BIAS_SPREAD: Final = 4  # standard deviations of the sums that a bias may at most come to


class Builder:
    """Tensors and operations of a network while its layers are built.

    Args:
        starts: permitted values of `Tensor.start` for weights.

    Attributes:
        tensors: by name.
        operations: in order.
    """

    def __init__(self, starts: Sequence[int]) -> None:
        """Create a network without layers."""
        self.starts = starts
        self.tensors: dict[str, Tensor] = {}
        self.operations: list[Operation] = []
        self._names: set[str] = set()

    def name(self, given: str, kind: str) -> str:
        """Return the name of a layer: the given one, or its kind with a number."""
        name = given or next(
            each for number in range(1, len(self._names) + 2) if (each := f"{kind}{number}") not in self._names
        )
        if name in self._names:
            raise PentaryError(f"two layers are called {name}: give each its own name")
        if not _NAME.fullmatch(name):
            raise PentaryError(f"layer {name!r}: a name has letters, digits and underscores, and dots between them")
        self._names.add(name)
        return name

    def add(self, operation: Operation, x: Values) -> Values:
        """Add an operation, and return what it makes of some values."""
        made = operation.values(x, CENTRE)
        self.operations.append(operation)
        return made

    def tensor(self, name: str, tensor: Tensor) -> None:
        """Add what is trained."""
        if name in self.tensors:
            raise PentaryError(f"two tensors are called {name}: give their layers other names")
        self.tensors[name] = tensor

    def matrix(self, name: str, rows: int, cols: int, gain: float) -> int:
        """Add a weight matrix, and return the pents that the rescale of its product drops."""
        shift, start = rescale(rows, gain, self.starts)
        self.tensor(name, Tensor(rows, cols, start=start))
        return shift

    def biases(self, layer: str, cols: int, asked: bool | int, largest: int, matrix: str) -> tuple[str, int]:
        """Add a layer's biases, if there are any, and return their name and pents.

        Args:
            layer: its name.
            cols: how many.
            asked: whether there are any; or their pents.
            largest: magnitude of the layer's operands.
            matrix: name of its weights.
        """
        if asked is False or asked == 0:
            return "", 0
        if asked is True:
            weights = self.tensors[matrix]
            spread = largest / sqrt(3) * gain_of(weights.rows, 0, weights.start)
            fit = [pents for pents in _BIAS if limit(pents) <= _BIAS_SPREAD * spread]
            asked = max(fit, default=_BIAS[0])
        if not _BIAS[0] <= asked <= 8:
            raise PentaryError(f"layer {layer}: biases have {_BIAS[0]} to 8 pents, not {asked}")
        self.tensor(f"{layer}.bias", Tensor(1, cols, pents=asked, start=0))
        return f"{layer}.bias", asked


class Layer(Protocol):
    """A layer of a description."""

    def build(self, builder: Builder, x: Values) -> Values:
        """Add the tensors and operations of the layer.

        Args:
            builder: of the network.
            x: what comes from the layer before.

        Returns:
            What the layer makes of it.

        Raises:
            PentaryError: the layer cannot take that, or a sum could leave the exact range.
        """
        ...


@dataclass(frozen=True)
class Dense:
    """Fully connected layer, on the last axis.

    Attributes:
        units: width of the result.
        bias: whether there are biases; or their pents, if not those that suit the sums.
        gain: wanted ratio of the spread of the result to that of its operands.
        name: of the layer and its weights.
    """

    units: int
    bias: bool | int = True
    gain: float = 1.0
    name: str = ""

    def build(self, builder: Builder, x: Values) -> Values:
        """Add the layer: see `Layer.build`."""
        name = builder.name(self.name, "dense")
        _check_numbers(name, x)
        return _product(builder, name, self, self.units, x, x)


@dataclass(frozen=True)
class Conv1d:
    """Convolution over (length, channels).

    Attributes:
        channels: of the result.
        kernel: length of a window.
        stride: positions from one window to the next.
        padding: zeros before and behind the operand.
        bias, gain, name: as of `Dense`.
    """

    channels: int
    kernel: int
    stride: int = 1
    padding: int = 0
    bias: bool | int = True
    gain: float = 1.0
    name: str = ""

    def build(self, builder: Builder, x: Values) -> Values:
        """Add the layer: see `Layer.build`."""
        name = builder.name(self.name, "conv")
        return _convolution(builder, name, self, x, ("length",), (self.kernel,))


@dataclass(frozen=True)
class Conv2d:
    """Convolution over (height, width, channels).

    Attributes:
        channels: of the result.
        kernel: (height, width) of a window; one number for a square one.
        stride, padding: as of `Conv1d`, in both directions.
        bias, gain, name: as of `Dense`.
    """

    channels: int
    kernel: int | tuple[int, int]
    stride: int = 1
    padding: int = 0
    bias: bool | int = True
    gain: float = 1.0
    name: str = ""

    def build(self, builder: Builder, x: Values) -> Values:
        """Add the layer: see `Layer.build`."""
        name = builder.name(self.name, "conv")
        kernel = self.kernel if isinstance(self.kernel, tuple) else (self.kernel, self.kernel)
        return _convolution(builder, name, self, x, ("height", "width"), kernel)


@dataclass(frozen=True)
class MaxPool:
    """The greatest number of each window, channel by channel, over the length, or over height and width.

    Attributes:
        size: length, or height and width, of a window.
        stride: positions from one window to the next; the size if not given.
        name: of the layer.
    """

    size: int
    stride: int | None = None
    name: str = ""

    def build(self, builder: Builder, x: Values) -> Values:
        """Add the layer: see `Layer.build`."""
        name = builder.name(self.name, "pool")
        _check_numbers(name, x)
        if len(x.shape) not in (2, 3):
            raise PentaryError(f"layer {name}: a pool takes (length, channels) or (height, width, channels), not {x}")
        stride = self.size if self.stride is None else self.stride
        index = windows(name, x.shape, (self.size,) * (len(x.shape) - 1), stride, 0)
        positions, channels = index.shape[: len(x.shape) - 1], x.shape[-1]
        index = np.moveaxis(index.reshape(*positions, -1, channels), -1, -2)
        shape = (*positions, channels)
        return builder.add(Greatest(name, index.reshape(-1, index.shape[-1]), shape), x)


@dataclass(frozen=True)
class Flatten:
    """All numbers of an example in a row."""

    def build(self, builder: Builder, x: Values) -> Values:
        """Add nothing: numbers are in this order anyhow."""
        _check_numbers("flatten", x)
        return Values((x.size,), x.low, x.high)


@dataclass(frozen=True)
class Clamp:
    """The activation function: min(max(x, low), limit).

    Attributes:
        limit: greatest value.
        kind: "symmetric" clamps to -limit..limit, "relu" to 0..limit.
    """

    limit: int
    kind: Literal["symmetric", "relu"] = "symmetric"

    def build(self, builder: Builder, x: Values) -> Values:
        """Add the layer, as a part of a product that comes before it: see `Layer.build`."""
        _check_numbers("clamp", x)
        if self.kind not in ("symmetric", "relu"):
            raise PentaryError(f"layer clamp: kind {self.kind!r} is neither 'symmetric' nor 'relu'")
        _check_limit("clamp", self.limit)
        low = 0 if self.kind == "relu" else -self.limit
        before = builder.operations[-1] if builder.operations else None
        if isinstance(before, Product) and before.low is None:
            builder.operations[-1] = replace(before, low=low, high=self.limit)
            return x.within(low, self.limit)
        return builder.add(Clip("clamp", low, self.limit), x)


@dataclass(frozen=True)
class Norm:
    """L1 norm over the last axis: numbers of mean magnitude 62, times trained gains, within ±125.

    Attributes:
        name: of the layer and its gains.
    """

    name: str = ""

    def build(self, builder: Builder, x: Values) -> Values:
        """Add the layer: see `Layer.build`."""
        name = builder.name(self.name, "norm")
        _check_numbers(name, x)
        builder.tensor(name, Tensor(1, x.shape[-1], pents=NORM_PENTS, offset=NORM, start=0))
        return builder.add(Normalise(name, name, x.shape[-1]), x)


@dataclass(frozen=True)
class Embedding:
    """A row of numbers for each token.

    Attributes:
        units: numbers of a row.
        name: of the layer and its weights.
    """

    units: int
    name: str = ""

    def build(self, builder: Builder, x: Values) -> Values:
        """Add the layer: see `Layer.build`."""
        name = builder.name(self.name, "embedding")
        if not x.tokens:
            raise PentaryError(f"layer {name}: an embedding takes tokens, so it comes first, behind a Tokens input")
        _check_positive(name, units=self.units)
        builder.matrix(name, x.high + 1, self.units, 1.0)
        return builder.add(Lookup(name, name, self.units), x)


@dataclass(frozen=True)
class MinGRU:
    """Minimal gated recurrent unit over (length, features).

    Attributes:
        units: width of the hidden state.
        returns: "last" gives the last hidden state, (units,), "all" one for each position, (length, units).
        bias, gain, name: as of `Dense`.
    """

    units: int
    returns: Literal["last", "all"] = "last"
    bias: bool | int = True
    gain: float = 1.1
    name: str = ""

    def build(self, builder: Builder, x: Values) -> Values:
        """Add the layer: see `Layer.build`."""
        name = builder.name(self.name, "gru")
        _check_numbers(name, x)
        _check_positive(name, units=self.units)
        if len(x.shape) != 2:
            raise PentaryError(f"layer {name}: a recurrent layer takes (length, features), not {x}")
        if self.returns not in ("last", "all"):
            raise PentaryError(f"layer {name}: returns {self.returns!r} is neither 'last' nor 'all'")
        width = x.shape[-1]
        shift = builder.matrix(name, width, 2 * self.units, self.gain)
        bias, pents = builder.biases(name, 2 * self.units, self.bias, x.limit, name)
        for own in ("forget", "candidate"):
            # Their products are added to that with the input, so they have its rescale.
            square = Tensor(self.units, self.units, start=builder.tensors[name].start)
            builder.tensor(f"{name}.{own}", square)
        names = (name, name, bias, f"{name}.forget", f"{name}.candidate")
        return builder.add(Recurrence(*names, width, self.units, pents, shift, self.returns == "last"), x)


@dataclass(frozen=True, init=False, repr=False)
class Residual:
    """Some layers whose result is added to their operand.

    Args:
        layers: at least one; the last gives the shape that the first takes.
        limit: of the clamp of the sum.
        name: of the layer.
    """

    layers: tuple[Layer, ...]
    limit: int
    name: str

    def __init__(self, *layers: Layer, limit: int = STREAM, name: str = "") -> None:
        """Keep the layers."""
        object.__setattr__(self, "layers", layers)
        object.__setattr__(self, "limit", limit)
        object.__setattr__(self, "name", name)

    def __repr__(self) -> str:
        """Return the Python text that makes this layer."""
        return f"Residual({', '.join([*map(repr, self.layers), f'limit={self.limit}', f'name={self.name!r}'])})"

    def build(self, builder: Builder, x: Values) -> Values:
        """Add the layer: see `Layer.build`."""
        name = builder.name(self.name, "residual")
        _check_numbers(name, x)
        _check_limit(name, self.limit)
        around, builder.operations = builder.operations, []
        y = x
        for layer in self.layers:
            y = layer.build(builder, y)
        inner, builder.operations = builder.operations, around
        if y.shape != x.shape:
            raise PentaryError(f"layer {name}: its inner layers turn {x} into {y}, which cannot be added")
        return builder.add(Branch(name, inner, self.limit), x)


def gain_of(rows: int, shift: int, start: int) -> float:
    """Return the ratio of the spread of a rescaled product to that of its operands, with initial weights.

    Args:
        rows: of the matrix.
        shift: pents that the rescale drops.
        start: of the weights, as of `Tensor`: 1 or 5.
    """
    variance = 25 / 12 / start + (1 / 12 if start > 1 else 0)  # in levels; rounding adds 1/12
    return sqrt(rows * variance) / 5**shift


def rescale(rows: int, gain: float, starts: Sequence[int]) -> tuple[int, int]:
    """Return the rescale and the initial weights whose gain is nearest to the wanted one, as a ratio.

    Args:
        rows: of the matrix.
        gain: wanted.
        starts: permitted values of `Tensor.start`.

    Returns:
        Pents that the rescale drops, and the start.

    >>> rescale(64, 1.0, (1,)), rescale(64, 1.0, (1, 5))
    ((2, 1), (1, 5))
    """
    if not gain > 0:
        raise PentaryError(f"a gain of {gain} is not above 0")

    def distance(choice: tuple[int, int]) -> float:
        found = gain_of(rows, *choice)
        return max(found / gain, gain / found)

    return min(((shift, start) for shift in _SHIFTS for start in starts), key=distance)


def windows(name: str, shape: Sequence[int], kernel: Sequence[int], stride: int, padding: int) -> NDArray[np.int64]:
    """Return the numbers that each window of a convolution or pool covers.

    Args:
        name: of the layer, for messages.
        shape: of the operand, (positions..., channels).
        kernel: positions of a window in each direction.
        stride: positions from one window to the next.
        padding: zeros around the operand.

    Returns:
        (windows..., kernel..., channels) indices into the flat operand; -1 for a zero.

    >>> windows("conv", (4, 1), (3,), stride=1, padding=1).reshape(4, 3).tolist()
    [[-1, 0, 1], [0, 1, 2], [1, 2, 3], [2, 3, -1]]
    """
    _check_positive(name, kernel=min(kernel), stride=stride)
    if padding < 0:
        raise PentaryError(f"layer {name}: a padding of {padding} is below 0")
    *places, channels = shape
    largest = [place + 2 * padding for place in places]
    if any(size > own for size, own in zip(kernel, largest, strict=True)):
        told = (" x ".join(map(str, each)) for each in (kernel, largest))
        raise PentaryError(f"layer {name}: a window of {next(told)} is larger than what it moves over, {next(told)}")
    numbers = np.arange(np.prod(shape)).reshape(*places, channels)
    padded = np.pad(numbers, [*[(padding, padding)] * len(places), (0, 0)], constant_values=-1)
    views = np.lib.stride_tricks.sliding_window_view(padded, tuple(kernel), tuple(range(len(places))))
    views = views[tuple(slice(None, None, stride) for _ in places)]
    return np.ascontiguousarray(np.moveaxis(views, len(places), -1))


def _convolution(
    builder: Builder,
    name: str,
    layer: Conv1d | Conv2d,
    x: Values,
    places: Sequence[str],
    kernel: Sequence[int],
) -> Values:
    _check_numbers(name, x)
    if len(x.shape) != len(places) + 1:
        raise PentaryError(f"layer {name}: this convolution takes ({', '.join(places)}, channels), not {x}")
    index = windows(name, x.shape, kernel, layer.stride, layer.padding)
    positions = index.shape[: len(places)]
    taken = builder.add(Gather(name, index.reshape(-1), (*positions, index[(0,) * len(places)].size)), x)
    return _product(builder, name, layer, layer.channels, taken, x)


def _product(
    builder: Builder, name: str, layer: Dense | Conv1d | Conv2d, units: int, x: Values, before: Values
) -> Values:
    _check_positive(name, width=units)
    inputs = x.shape[-1]
    shift = builder.matrix(name, inputs, units, layer.gain)
    bias, pents = builder.biases(name, units, layer.bias, before.limit, name)
    return builder.add(Product(name, name, bias, inputs, units, pents, shift, (*x.shape[:-1], units)), x)


def _check_numbers(name: str, x: Values) -> None:
    if x.tokens:
        raise PentaryError(f"layer {name}: it takes numbers, but tokens come: put an Embedding before it")


def _check_limit(name: str, limit: int) -> None:
    _check_positive(name, limit=limit)
    if limit > WORD_MAX // 2:
        raise PentaryError(f"layer {name}: a limit of {limit} is beyond {WORD_MAX // 2}, which no number comes near")


def _check_positive(name: str, **numbers: int) -> None:
    for what, number in numbers.items():
        if not isinstance(number, int) or number < 1:
            raise PentaryError(f"layer {name}: a {what} of {number} is not an integer above 0")
