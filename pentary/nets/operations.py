"""What a network computes, as operations with their bounds: derived from its layers, executed and compiled from here.

Operations read and write one example's numbers, flat in the order of their shape, whose last axis is of features or
channels. Numbers are integers; every division is by a power of five and rounds to nearest.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from pentary.numbers.exact import ROUNDABLE, check_exact
from pentary.numbers.word import PentaryError, limit

GATE: Final = limit(4)
"""Largest magnitude of hidden states, gates around their middle, and candidates: 312."""

OPERAND: Final = 125
"""Largest magnitude of a hidden state as an operand of a product, 2/5 of `GATE` rounded, and of a normalised number:
it fits a byte."""

GATE_SHIFT: Final = 4
"""Pents of a gate: f stands for f / 5**4."""

MEAN_SHIFT: Final = 8
"""Pents of the reciprocal of a mean magnitude."""

NORM: Final = limit(3)
"""Mean magnitude of normalised numbers at the start of training: 62."""

NORM_PENTS: Final = 3
"""Pents of what is trained of a gain: gains are in 62 ± 62."""

EMBEDDED: Final = 5**3
"""Units in one level of an embedding's weight."""


@dataclass(frozen=True)
class Values:
    """Numbers between two layers.

    Attributes:
        shape: of one example's: (features,), (length, channels) or (height, width, channels).
        low, high: least and greatest value.
        tokens: whether they are the numbers of tokens, (length,), for an embedding to look up.
    """

    shape: tuple[int, ...]
    low: int
    high: int
    tokens: bool = False

    @property
    def size(self) -> int:
        """How many numbers an example has."""
        return prod(self.shape)

    @property
    def limit(self) -> int:
        """Largest magnitude."""
        return max(-self.low, self.high)

    def within(self, low: int, high: int) -> "Values":
        """Return these values after a clamp."""
        return replace(self, low=min(max(self.low, low), high), high=max(min(self.high, high), low))

    def __str__(self) -> str:
        """Return shape and range: `64 in 0..16`."""
        return f"{' x '.join(map(str, self.shape))} in {self.low}..{self.high}"


@dataclass(frozen=True)
class Noise:
    """Size of the perturbations that bounds allow for: A B^T / 5**shift of a rank.

    Rank 0 is for the centre, and for quantized members, whose weights are five-level weights, too.
    """

    rank: int = 0
    shift: int = 0

    @property
    def unit(self) -> int:
        """Units of a sum in one level."""
        return 5**self.shift


class Operation(Protocol):
    """One operation.

    Attributes:
        name: of the layer that it is of, for messages.
    """

    @property
    def name(self) -> str:
        """Return the name."""
        ...

    def values(self, x: Values, noise: Noise) -> Values:
        """Return what it makes of some values.

        Raises:
            PentaryError: a sum could leave the range in which it is exact; the message has the bound.
        """
        ...


@dataclass(frozen=True)
class Product:
    """x W + b at every position, divided by 5**shift and clamped.

    Attributes:
        name: of the layer.
        matrix, bias: names of the tensors; bias is "" for none.
        inputs, outputs: widths.
        bias_pents: pents of the biases.
        shift: pents that the rescale drops.
        low, high: of a clamp that follows; None for none.
        shape: of the result.
    """

    name: str
    matrix: str
    bias: str
    inputs: int
    outputs: int
    bias_pents: int
    shift: int
    shape: tuple[int, ...]
    low: int | None = None
    high: int | None = None

    def values(self, x: Values, noise: Noise) -> Values:
        """Return what it makes of some values: see `Operation.values`."""
        bound = sums(self.inputs, x.limit, self.bias_pents if self.bias else 0, noise)
        check_exact(bound, f"layer {self.name}", ROUNDABLE)
        largest = rounded(bound, self.shift + noise.shift)
        free = Values(self.shape, -largest, largest)
        return free if self.low is None or self.high is None else free.within(self.low, self.high)


@dataclass(frozen=True)
class Clip:
    """Clamp of every number to low..high."""

    name: str
    low: int
    high: int

    def values(self, x: Values, noise: Noise) -> Values:
        """Return what it makes of some values: see `Operation.values`."""
        return x.within(self.low, self.high)


@dataclass(frozen=True, eq=False)
class Gather:
    """Windows of a convolution: number k of the result is number index[k] of the operand, or 0 for -1.

    Attributes:
        name: of the layer.
        index: (numbers of the result,) int64.
        shape: of the result, (positions..., window).
    """

    name: str
    index: NDArray[np.int64]
    shape: tuple[int, ...]

    def values(self, x: Values, noise: Noise) -> Values:
        """Return what it makes of some values: see `Operation.values`."""
        return Values(self.shape, min(x.low, 0), max(x.high, 0))


@dataclass(frozen=True, eq=False)
class Greatest:
    """Pooling: number k of the result is the greatest of the numbers index[k] of the operand.

    Attributes:
        name: of the layer.
        index: (numbers of the result, window) int64.
        shape: of the result.
    """

    name: str
    index: NDArray[np.int64]
    shape: tuple[int, ...]

    def values(self, x: Values, noise: Noise) -> Values:
        """Return what it makes of some values: see `Operation.values`."""
        return replace(x, shape=self.shape)


@dataclass(frozen=True)
class Normalise:
    """L1 norm over the last axis of n numbers: clamp(round(x g R / 5**8), 125), R = round(n 5**8 / max(n, sum |x|)).

    The rounding of R takes a half to the even integer.

    Attributes:
        name: of the layer.
        gains: name of the tensor of g.
        width: n.
    """

    name: str
    gains: str
    width: int

    def values(self, x: Values, noise: Noise) -> Values:
        """Return what it makes of some values: see `Operation.values`."""
        check_exact(self.width * x.limit, f"layer {self.name}")
        return Values(x.shape, -OPERAND, OPERAND)


@dataclass(frozen=True)
class Lookup:
    """Embedding: the row of each token's number, times `EMBEDDED`.

    Attributes:
        name: of the layer.
        matrix: name of the tensor.
        outputs: width.
    """

    name: str
    matrix: str
    outputs: int

    def values(self, x: Values, noise: Noise) -> Values:
        """Return what it makes of some values: see `Operation.values`."""
        if EMBEDDED % noise.unit:
            raise PentaryError(f"layer {self.name}: a perturbation by 1/{noise.unit} of a level is no integer of it")
        largest = EMBEDDED * (2 * noise.unit + 4 * noise.rank) // noise.unit
        return Values((*x.shape, self.outputs), -largest, largest)


@dataclass(frozen=True)
class Recurrence:
    """Minimal gated recurrent unit over the first axis, with h = 0 before the first position.

        u1, u2 = the halves of x W + b
        f = 312 + clamp(round((u1 + operand(h) F) / 5**shift), 312)
        e = round(f h / 5**4)
        c = clamp(round((u2 + operand(e) C) / 5**shift), 312)
        h = h + round(f (c - h) / 5**4)                             operand(v) = round(2 v / 5)

    Attributes:
        name: of the layer.
        matrix, bias, forget, candidate: names of the tensors W, b ("" for none), F and C.
        inputs, units: widths.
        bias_pents: pents of the biases.
        shift: pents that the rescales drop.
        last: whether the result is the last h, (units,), and not all of them, (length, units).
    """

    name: str
    matrix: str
    bias: str
    forget: str
    candidate: str
    inputs: int
    units: int
    bias_pents: int
    shift: int
    last: bool

    def values(self, x: Values, noise: Noise) -> Values:
        """Return what it makes of some values: see `Operation.values`."""
        bound = sums(self.inputs, x.limit, self.bias_pents if self.bias else 0, noise)
        check_exact(bound + sums(self.units, OPERAND, 0, noise), f"layer {self.name}", ROUNDABLE)
        return Values((self.units,) if self.last else (x.shape[0], self.units), -GATE, GATE)


@dataclass(frozen=True)
class Branch:
    """Residual connection: clamp(x + what the inner operations make of x).

    Attributes:
        name: of the layer.
        inner: operations.
        limit: of the clamp.
    """

    name: str
    inner: Sequence[Operation]
    limit: int

    def values(self, x: Values, noise: Noise) -> Values:
        """Return what it makes of some values: see `Operation.values`."""
        y = x
        for operation in self.inner:
            y = operation.values(y, noise)
        return Values(x.shape, x.low + y.low, x.high + y.high).within(-self.limit, self.limit)


def sums(inputs: int, largest: int, bias_pents: int, noise: Noise) -> int:
    """Return the largest magnitude of a product with a bias, in units of 1 / 5**shift of the noise.

    Args:
        inputs: rows of the matrix.
        largest: magnitude of an operand.
        bias_pents: pents of the bias; 0 for none.
        noise: of the members.
    """
    product = inputs * largest * 2 * (noise.unit + 2 * noise.rank)
    return product + (limit(bias_pents) * noise.unit + 4 * noise.rank * 5 ** (bias_pents - 1) if bias_pents else 0)


def rounded(value: int, shift: int) -> int:
    """Return a number divided by 5**shift, rounded to nearest."""
    return (value + 5**shift // 2) // 5**shift
