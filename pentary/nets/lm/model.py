"""Shape of the language model: its tensors, the ranges of its quantities, and the bounds that keep its sums exact."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from pentary import es
from pentary.lowrank import generator
from pentary.lowrank.operations import Latents
from pentary.nets.layers import Clamp, Dense, Embedding, Flatten, Layer, MinGRU, Norm, Residual
from pentary.nets.losses import CrossEntropy
from pentary.nets.network import Sequential, Tokens
from pentary.nets.operations import GATE, OPERAND
from pentary.numbers.exact import check_exact
from pentary.numbers.word import PENTS, PentaryError, checked_integers, limit

Bytes = NDArray[np.uint8]

VOCABULARY: Final = 256

LATENT: Final = 6
"""Pents of a latent word."""

ACTIVATION: Final = GATE
"""Largest magnitude of hidden states, gates, candidates, logits and of what a layer adds to the stream."""

SIGMA_SHIFT: Final = 2
"""A factored perturbation is A B^T / 5**SIGMA_SHIFT levels."""

BIAS: Final = 5
"""Pents of a bias, in units of the sums that it is added to."""

BIAS_SIGMA: Final = 5 ** (BIAS - 1 - SIGMA_SHIFT)
"""Perturbation of a bias for one pent of noise; in units of the latent word, the same as in a matrix."""

Kind = Literal["matrix", "bias", "norm"]

_PART: Final = 2**15  # elements that a worker processes at a time: they stay in its cache


@dataclass(frozen=True)
class Tensor:
    """One trained tensor, with its place in a pair's noise.

    Attributes:
        name: unique in the model.
        own: shape, and what its latent words stand for.
        shift: pents that the rescale of its product drops; 0 for a tensor without.
        block: number of its first block of 16 pents in a pair's noise; a matrix has the blocks of A first, then those
            of B.
    """

    name: str
    own: es.Tensor
    shift: int
    block: int

    @property
    def kind(self) -> Kind:
        """Whether it is a matrix, biases, or the gains of a norm."""
        return "matrix" if self.own.pents == 1 else "norm" if self.own.offset else "bias"

    @property
    def rows(self) -> int:
        """Rows; 1 for biases and norms."""
        return self.own.rows

    @property
    def cols(self) -> int:
        """Columns."""
        return self.own.cols

    @property
    def a(self) -> int:
        """Index of the first pent of its column factor A in a pair's noise."""
        return PENTS * self.block

    @property
    def b(self) -> int:
        """Index of the first pent of its row factor B, or of the noise of a bias or norm, in a pair's noise."""
        return PENTS * (self.block + (-(-self.rows // PENTS) if self.kind == "matrix" else 0))

    @property
    def blocks(self) -> int:
        """Number of 16-pent blocks that its noise takes in each pair."""
        return self.b // PENTS - self.block - (-self.cols // PENTS)


@dataclass(frozen=True)
class Model:
    """Shape of a language model.

    Attributes:
        layers: number of layers, each a gated recurrent unit and a perceptron.
        dim: width of the residual stream; the hidden layers of the perceptrons are four times as wide.
        weights: "pents" are the five-level weights of this kit; "bytes", for comparison, have 251 levels in the same
            range.

    Raises:
        PentaryError: a number is out of range, or some sum could leave the range in which float32 is exact.
    """

    layers: int = 1
    dim: int = 64
    weights: Literal["pents", "bytes"] = "pents"

    def __post_init__(self) -> None:
        """Raise an error if the shape cannot be computed exactly; the message has the bound."""
        checked_integers(self.layers, 1, 64, "number of layers")
        checked_integers(self.dim, 8, 2**15, "dim")
        for inputs, what in ((2 * self.dim, "gates"), (4 * self.dim, "MLP")):
            product = inputs * OPERAND * self.weight_limit
            low_rank = 2 * (2 * inputs * OPERAND // 5**SIGMA_SHIFT + 1)
            bias = limit(BIAS) + 2 * BIAS_SIGMA
            check_exact(product + self.level * (low_rank + bias), f"{what} of dim {self.dim}")
        # Projections on column factors are within the bound of `network`: they have no biases.
        if self.blocks > generator.BLOCK_MAX + 1:
            raise PentaryError(
                f"{self.layers} layers of dim {self.dim} take {self.blocks} blocks of noise in each pair; the "
                f"generator numbers at most {generator.BLOCK_MAX + 1}"
            )

    @property
    def level(self) -> int:
        """Weight units in one of the five levels; perturbations and biases are multiplied by it."""
        return 1 if self.weights == "pents" else 50

    @property
    def weight_limit(self) -> int:
        """Largest magnitude of a weight."""
        return 2 if self.weights == "pents" else 125

    @cached_property
    def network(self) -> Sequential:
        """Description: what the model makes of one byte, and of the hidden states that the bytes before have left."""
        layers: list[Layer] = [Embedding(self.dim, "embedding")]
        for n in range(self.layers):
            memory = MinGRU(self.dim, "all", bias=BIAS, name=f"{n}.gru")
            up = Dense(4 * self.dim, BIAS, gain=1.1, name=f"{n}.up")
            down = Dense(self.dim, BIAS, gain=0.45, name=f"{n}.down")
            layers += [
                Residual(Norm(f"{n}.gru.norm"), memory, name=f"{n}.memory"),
                Residual(Norm(f"{n}.mlp.norm"), up, Clamp(OPERAND), down, Clamp(ACTIVATION), name=f"{n}.mlp"),
            ]
        head = Dense(VOCABULARY, BIAS, gain=0.23, name="head")
        layers += [Norm("norm"), head, Clamp(ACTIVATION), Flatten()]
        return Sequential(Tokens(1, VOCABULARY), *layers, loss=CrossEntropy())

    @cached_property
    def tensors(self) -> Mapping[str, Tensor]:
        """All trained tensors by name, in the order of the digest."""
        shifts, tensors, block = self.network.shifts, {}, 0
        for name, own in self.network.tensors.items():
            tensor = tensors[name] = Tensor(name, own, shifts.get(name, 0), block)
            block += tensor.blocks
        return tensors

    @cached_property
    def parts(self) -> list[tuple[Tensor, slice]]:
        """All tensors, split into parts of some rows each for several workers to share evenly."""
        return [
            (tensor, slice(start, min(start + rows, tensor.rows)))
            for tensor in self.tensors.values()
            for rows in (max(1, _PART // tensor.cols),)
            for start in range(0, tensor.rows, rows)
        ]

    @cached_property
    def blocks(self) -> int:
        """Number of 16-pent blocks in the noise of one pair."""
        return sum(tensor.blocks for tensor in self.tensors.values())

    @cached_property
    def parameters(self) -> int:
        """Number of trained parameters."""
        return sum(tensor.rows * tensor.cols for tensor in self.tensors.values())

    @cached_property
    def macs(self) -> int:
        """Multiply-accumulates with the shared weights per byte: those of all matrices but the embedding."""
        matrices = (tensor for tensor in self.tensors.values() if tensor.kind == "matrix")
        return sum(tensor.rows * tensor.cols for tensor in matrices if tensor.name != "embedding")

    def visible(self, tensor: Tensor, latents: Latents) -> NDArray[np.int16]:
        """Return the visible numbers of a tensor: the top pents of its latent words, which the forward pass uses.

        Args:
            tensor: of the model.
            latents: (rows, cols) latent words, of all rows of the tensor or of some.

        Returns:
            (rows, cols) int16: weights in ±weight_limit, biases in ±1562, gains of norms in NORM ± 62.
        """
        words = latents.astype(np.int16)
        if tensor.kind == "matrix" and self.weights == "bytes":
            return _round_shift(2 * words, 3)
        return np.int16(tensor.own.offset) + _round_shift(words, LATENT - tensor.own.pents)


def _round_shift(words: NDArray[np.int16], k: int) -> NDArray[np.int16]:
    """Return round(words / 5**k) in 16 bits, which hold twice a latent word plus half of 5**k."""
    return (words + np.int16(5**k // 2)) // np.int16(5**k)
