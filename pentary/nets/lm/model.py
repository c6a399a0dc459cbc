"""The model's tensors, the width of every quantity in it, and the bounds that keep its sums exact."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import sqrt
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from pentary.lowrank import generator
from pentary.lowrank.operations import Latents
from pentary.numbers.exact import ROUNDABLE, check_exact
from pentary.numbers.word import PENTS, PentaryError, checked_integers, limit

Bytes = NDArray[np.uint8]

VOCABULARY: Final = 256

LATENT: Final = 6
"""Pents of a latent word."""

ACTIVATION: Final = limit(4)
"""Largest magnitude of hidden states, gates, candidates, logits and of what a layer adds to the stream."""

STREAM: Final = limit(5)
"""Largest magnitude in the residual stream."""

OPERAND: Final = 125
"""Largest magnitude of what enters a product, 2/5 of an activation, rounded: it fits a byte."""

NORM: Final = limit(3)
"""Mean magnitude of a normalised row before its gains move."""

SIGMA_SHIFT: Final = 2
"""A factored perturbation is A B^T / 5**SIGMA_SHIFT levels."""

EMBEDDED: Final = 5**3
"""One level of an embedded weight in units of the stream."""

BIAS_SHIFT: Final = 1
"""Pents that a bias drops from its latent word: biases are 5 pents, in units of the sums they are added to."""

BIAS_SIGMA: Final = 5 ** (LATENT - 1 - SIGMA_SHIFT - BIAS_SHIFT)
"""Perturbation of a bias for one pent of noise: as many units of the latent word as in a matrix."""

NORM_SHIFT: Final = LATENT - 1 - SIGMA_SHIFT
"""Pents that a gain of a norm drops from its latent word: one pent of noise perturbs it by 1."""

Kind = Literal["matrix", "bias", "norm"]

_PART: Final = 2**15  # numbers that a worker takes at a time: they stay in its cache

_STARTS: Final = (1, 5)
"""How many uniform latent words a weight's first one may be the mean of; more of them make more weights zero."""


@dataclass(frozen=True)
class Tensor:
    """One trained tensor.

    Attributes:
        name: of it.
        kind: matrices have five-level weights and rank-1 perturbations; biases and norms are rows of longer numbers.
        rows, cols: shape; rows is 1 but for a matrix.
        gain: wanted ratio of the deviation of a product, rescaled, to that of its operands.
        block: number of its first block of pents in a pair's noise: first those of A, for a matrix, then those of B.
    """

    name: str
    kind: Kind
    rows: int
    cols: int
    gain: float
    block: int

    @property
    def a(self) -> int:
        """Where its column factor begins in a pair's noise."""
        return PENTS * self.block

    @property
    def b(self) -> int:
        """Where its row factor, or the noise of a bias or norm, begins in a pair's noise."""
        return PENTS * (self.block + (-(-self.rows // PENTS) if self.kind == "matrix" else 0))

    @property
    def blocks(self) -> int:
        """Blocks of 16 pents that its noise takes in each pair."""
        return self.b // PENTS - self.block - (-self.cols // PENTS)

    @cached_property
    def scale(self) -> tuple[int, int]:
        """Choose the rescale and the start that come nearest to the gain.

        Returns:
            Pents that the rescale drops, and the number of uniform words of which a first latent word is the mean.
        """
        choices = [(shift, start) for shift in (1, 2, 3) for start in _STARTS]
        return min(choices, key=lambda choice: _distance(self._gain(*choice), self.gain))

    def _gain(self, shift: int, start: int) -> float:
        """Give the gain of a product whose weights are means of `start` uniform words, rounded to levels."""
        deviation = 2.5 / sqrt(3 * start)  # of a latent word in levels; rounding adds the variance of one level
        return sqrt(self.rows * (deviation**2 + (1 / 12 if start > 1 else 0))) / 5**shift


def _distance(a: float, b: float) -> float:
    return max(a / b, b / a)


@dataclass(frozen=True)
class Model:
    """Shape of a model.

    Attributes:
        layers: of a gated recurrent unit and a perceptron each.
        dim: width of the stream; the perceptrons are four times as wide inside.
        weights: "pents" are the five-level weights of this kit; "bytes" have 251 levels in the same range, to compare.

    Raises:
        PentaryError: a number is out of range, or some sum could leave the range in which float32 is exact.
    """

    layers: int = 1
    dim: int = 64
    weights: Literal["pents", "bytes"] = "pents"

    def __post_init__(self) -> None:
        """Refuse what cannot be computed exactly, with the bound in the message."""
        checked_integers(self.layers, 1, 64, "number of layers")
        checked_integers(self.dim, 8, 2**15, "dim")
        for inputs, what in ((2 * self.dim, "gates"), (4 * self.dim, "MLP")):
            product = inputs * OPERAND * self.weight_limit
            low_rank = 2 * (2 * inputs * OPERAND // 5**SIGMA_SHIFT + 1)
            bias = limit(LATENT - BIAS_SHIFT) + 2 * BIAS_SIGMA
            check_exact(product + self.level * (low_rank + bias), f"{what} of dim {self.dim}")
        check_exact(4 * self.dim * OPERAND * 2, f"projections of dim {self.dim}", ROUNDABLE)
        if self.blocks > generator.BLOCK_MAX + 1:
            raise PentaryError(
                f"{self.layers} layers of dim {self.dim} take {self.blocks} blocks of noise in each pair; the "
                f"generator numbers at most {generator.BLOCK_MAX + 1}"
            )

    @property
    def level(self) -> int:
        """Units of a weight in one of the five levels: what perturbations and biases are multiplied by."""
        return 1 if self.weights == "pents" else 50

    @property
    def weight_limit(self) -> int:
        """Largest magnitude of a weight."""
        return 2 if self.weights == "pents" else 125

    @cached_property
    def tensors(self) -> Mapping[str, Tensor]:
        """All trained tensors by name, in the order of the digest."""
        d = self.dim
        rows: list[tuple[str, Kind, int, int, float]] = [("embedding", "matrix", VOCABULARY, d, 1)]
        for layer in range(self.layers):
            rows += [
                (f"{layer}.norm", "norm", 1, d, 0),
                (f"{layer}.input", "matrix", d, 2 * d, 1.1),
                (f"{layer}.input.bias", "bias", 1, 2 * d, 0),
                (f"{layer}.forget", "matrix", d, d, 1.1),
                (f"{layer}.candidate", "matrix", d, d, 1.1),
                (f"{layer}.mlp.norm", "norm", 1, d, 0),
                (f"{layer}.up", "matrix", d, 4 * d, 1.1),
                (f"{layer}.up.bias", "bias", 1, 4 * d, 0),
                (f"{layer}.down", "matrix", 4 * d, d, 0.45),
                (f"{layer}.down.bias", "bias", 1, d, 0),
            ]
        rows += [
            ("norm", "norm", 1, d, 0),
            ("head", "matrix", d, VOCABULARY, 0.23),
            ("head.bias", "bias", 1, VOCABULARY, 0),
        ]
        tensors, block = {}, 0
        for row in rows:
            tensor = tensors[row[0]] = Tensor(*row, block)
            block += tensor.blocks
        return tensors

    @cached_property
    def parts(self) -> list[tuple[Tensor, slice]]:
        """All tensors in parts, some rows each, that several workers can share evenly."""
        return [
            (tensor, slice(start, min(start + rows, tensor.rows)))
            for tensor in self.tensors.values()
            for rows in (max(1, _PART // tensor.cols),)
            for start in range(0, tensor.rows, rows)
        ]

    @cached_property
    def blocks(self) -> int:
        """Blocks of 16 pents in the noise of one pair."""
        return sum(tensor.blocks for tensor in self.tensors.values())

    @cached_property
    def parameters(self) -> int:
        """Trained numbers."""
        return sum(tensor.rows * tensor.cols for tensor in self.tensors.values())

    @cached_property
    def macs(self) -> int:
        """Multiply-accumulates with the shared weights for each byte: all matrices but the embedding."""
        matrices = (tensor for tensor in self.tensors.values() if tensor.kind == "matrix")
        return sum(tensor.rows * tensor.cols for tensor in matrices if tensor.name != "embedding")

    def visible(self, tensor: Tensor, latents: Latents) -> NDArray[np.int16]:
        """Give the numbers that the forward pass sees: the top pents of the latent words.

        Args:
            tensor: which.
            latents: (rows, cols), its latent words.

        Returns:
            (rows, cols) int16: weights in ±weight_limit, biases in ±1562, gains of norms in NORM ± 62.
        """
        words = latents.astype(np.int16)
        if tensor.kind == "bias":
            return _round_shift(words, BIAS_SHIFT)
        if tensor.kind == "norm":
            return NORM + _round_shift(words, NORM_SHIFT)
        if self.weights == "bytes":
            return _round_shift(2 * words, 3)
        return _round_shift(words, LATENT - 1)


def _round_shift(words: NDArray[np.int16], k: int) -> NDArray[np.int16]:
    """Do what `pentary.numbers.word.round_shift` does in 16 bits: twice a latent word and half of 5**k fit them."""
    return (words + np.int16(5**k // 2)) // np.int16(5**k)
