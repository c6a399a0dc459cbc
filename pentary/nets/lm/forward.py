"""Forward pass of the language model for a batch of rows: matrix products of a backend, with kernels between them."""

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pentary.lowrank.operations import Latents, Pents
from pentary.nets.lm import kernels
from pentary.nets.lm.kernels import HEAD_NUMBERS, HEAD_TENSORS, LAYER_NUMBERS, LAYER_TENSORS, Head, Layer
from pentary.nets.lm.model import VOCABULARY, Model, Tensor
from pentary.nets.operations import EMBEDDED
from pentary.nets.products import Gemm, check_weights
from pentary.nets.tables import LOGARITHMS, POWERS
from pentary.support.parallel import map_items


class Weights:
    """Visible weights in a backend's types, filled from the latent words for every update.

    Args:
        model: shape of the model.
        gemm: the backend.

    Raises:
        PentaryError: the backend is not exact with such weights.
    """

    def __init__(self, model: Model, gemm: Gemm) -> None:
        """Allocate the arrays, to be set by `fill`."""
        check_weights(gemm, model.weight_limit, f"the model of {model.weights}")
        self.model, self.gemm = model, gemm
        self.arrays: dict[str, NDArray[Any]] = {}
        for tensor in model.tensors.values():
            product = tensor.kind == "matrix" and tensor.name != "embedding"
            shape = (tensor.rows, tensor.cols) if tensor.kind == "matrix" else (tensor.cols,)
            self.arrays[tensor.name] = np.zeros(shape, gemm.weight if product else np.float32)

    def fill(self, latents: Mapping[str, Latents]) -> None:
        """Set the arrays from latent words by name, (rows, cols) each."""
        level = self.model.level

        def some(item: tuple[Tensor, slice]) -> None:
            tensor, rows = item
            seen = self.model.visible(tensor, latents[tensor.name][rows])
            array = self.arrays[tensor.name]
            if tensor.name == "embedding":
                array[rows] = np.rint(seen * np.float32(EMBEDDED / level))
            elif tensor.kind == "matrix":
                array[rows] = seen
            else:
                array[:] = seen[0] * np.float32(level if tensor.kind == "bias" else 1)

        map_items(some, self.model.parts)

    def layer(self, number: int) -> Layer:
        """Return the kernel parameters of a layer."""
        names = {name: f"{number}.{name.replace('_', '.')}" for name in LAYER_TENSORS}
        scales = {"gates_scale": "gru", "up_scale": "up", "down_scale": "down"}
        numbers = self._numbers(LAYER_NUMBERS, names, scales)
        return Layer(numbers, *(self.arrays[names[name]] for name in Layer._fields[1:]))

    def head(self) -> Head:
        """Return the kernel parameters of the final norm and the head."""
        names = {name: name.replace("_", ".") for name in HEAD_TENSORS}
        numbers = self._numbers(HEAD_NUMBERS, names, {"head_scale": "head"})
        return Head(numbers, *(self.arrays[names[name]] for name in Head._fields[1:]))

    def _numbers(self, dtype: np.dtype, names: Mapping[str, str], scales: Mapping[str, str]) -> NDArray[Any]:
        tensors, level = self.model.tensors, self.model.level
        numbers = np.zeros(1, dtype)
        numbers["level"], numbers["zero"] = level, self.gemm.zero
        for name, full in names.items():
            numbers[f"{name}_a"], numbers[f"{name}_b"] = tensors[full].a, tensors[full].b
        for scale, name in scales.items():
            numbers[scale] = 1 / (level * 5 ** tensors[names[name]].shift)
        return numbers


class Rows(NamedTuple):
    """Buffers of a forward pass, one row for each member.

    Buffers that are not in use at the same time share memory, so that more of it stays in the cache.

    Attributes:
        stream: (rows, dim) float32, the residual stream.
        gate: (rows, dim) float32, gates in 0..624.
        first, second: (rows,) float32, coefficients of row factors.
        sums, own_sums, wide_sums, head_sums: (rows, 2 dim), (rows, dim), (rows, 4 dim), (rows, 256) accumulators;
            `wide_sums` and `head_sums` overwrite the others.
        narrow, own, wide: (rows, dim), (rows, dim), (rows, 4 dim) operands; `wide` overwrites the others.
        logits: (rows, 256) int16, which shares no memory: products always take all rows, so unused rows must hold old
            operands, not the bit patterns of logits.
    """

    stream: NDArray[np.float32]
    gate: NDArray[np.float32]
    first: NDArray[np.float32]
    second: NDArray[np.float32]
    sums: NDArray[Any]
    own_sums: NDArray[Any]
    wide_sums: NDArray[Any]
    head_sums: NDArray[Any]
    narrow: NDArray[Any]
    own: NDArray[Any]
    wide: NDArray[Any]
    logits: NDArray[np.int16]


def _rows(size: int, dim: int, gemm: Gemm) -> Rows:
    accumulators = np.zeros(size * max(4 * dim, VOCABULARY), gemm.accumulator)
    operands = np.zeros(size * 4 * dim, gemm.operand)

    def view(buffer: NDArray[Any], first: int, width: int) -> NDArray[Any]:
        return buffer[size * first : size * (first + width)].reshape(size, width)

    return Rows(
        stream=np.zeros((size, dim), np.float32),
        gate=np.zeros((size, dim), np.float32),
        first=np.zeros(size, np.float32),
        second=np.zeros(size, np.float32),
        sums=view(accumulators, 0, 2 * dim),
        own_sums=view(accumulators, 2 * dim, dim),
        wide_sums=view(accumulators, 0, 4 * dim),
        head_sums=view(accumulators, 0, VOCABULARY),
        narrow=view(operands, 0, dim),
        own=view(operands, dim, dim),
        wide=view(operands, 0, 4 * dim),
        logits=np.zeros((size, VOCABULARY), np.int16),
    )


class Forward:
    """Forward pass of up to `size` rows, with buffers of its own: each worker needs one.

    Args:
        weights: filled before each call; may be shared.
        size: largest number of rows.
    """

    def __init__(self, weights: Weights, size: int) -> None:
        """Allocate the buffers and prepare the products."""
        model, gemm = weights.model, weights.gemm
        self.model, self.size = model, size
        self.hidden = np.zeros((model.layers, size, model.dim), np.float32)
        """Hidden states, (layers, rows, dim) float32: integers in ±312."""

        self._rows = rows = _rows(size, model.dim, gemm)
        arrays = weights.arrays
        self._embedding = arrays["embedding"]
        self.products: list[Callable[[], object]] = []
        """All products with the shared weights for one byte, in order."""
        self._layers: list[tuple[Layer, list[Callable[[], object]]]] = []
        for number in range(model.layers):
            products = [
                gemm.product(rows.narrow, arrays[f"{number}.gru"], rows.sums),
                gemm.product(rows.own, arrays[f"{number}.gru.forget"], rows.own_sums),
                gemm.product(rows.own, arrays[f"{number}.gru.candidate"], rows.own_sums),
                gemm.product(rows.narrow, arrays[f"{number}.up"], rows.wide_sums),
                gemm.product(rows.wide, arrays[f"{number}.down"], rows.own_sums),
            ]
            self._layers.append((weights.layer(number), products))
            self.products += products
        self._head = weights.head()
        self._head_product = gemm.product(rows.narrow, arrays["head"], rows.head_sums)
        self.products.append(self._head_product)

    def step(
        self,
        tokens: NDArray[np.uint8],
        noise: Pents | None = None,
        watch: Callable[[int, Rows], None] | None = None,
    ) -> NDArray[np.int16]:
        """Read one byte in each row and return the logits of the next.

        Args:
            tokens: (rows,), at most `size` of them.
            noise: (pairs, 16 * blocks) pents from `generator.pents`: rows 2i and 2i + 1 are the members of pair i; None
                for the unperturbed model in every row.
            watch: called after each layer with its number and the buffers.

        Returns:
            (rows, 256) logits, in units of 1/25 bit, within ±312; valid until the next call.
        """
        count, rows, embedding = len(tokens), self._rows, self.model.tensors["embedding"]
        stream, narrow, own, first, second = rows.stream, rows.narrow, rows.own, rows.first, rows.second
        kernels.embed(
            tokens, self._embedding, np.uint64(embedding.a), np.uint64(embedding.b), noise, stream, self.hidden
        )
        for number, (layer, products) in enumerate(self._layers):
            to_input, to_forget, to_candidate, to_up, to_down = products
            hidden = self.hidden[number]
            kernels.gru_inputs(count, layer, noise, hidden, stream, narrow, own, first, second)
            to_input()
            to_forget()
            kernels.gru_gate(count, layer, noise, hidden, rows.sums, rows.own_sums, rows.gate, own, first, second)
            to_candidate()
            kernels.gru_state(
                *(count, layer, noise, hidden),
                *(rows.sums, rows.own_sums, rows.gate, stream, narrow, first, second),
            )
            to_up()
            kernels.mlp_hidden(count, layer, noise, rows.wide_sums, rows.wide, first, second)
            to_down()
            kernels.mlp_output(count, layer, noise, rows.own_sums, stream, second)
            if watch is not None:
                watch(number, rows)
        kernels.head_input(count, self._head, noise, stream, narrow, first)
        self._head_product()
        kernels.head_logits(count, self._head, noise, rows.head_sums, rows.logits, first)
        return rows.logits[:count]

    def losses(self, tokens: NDArray[np.uint8], noise: Pents | None = None) -> NDArray[np.int64]:
        """Read some bytes in each row and return the summed integer losses of the bytes that follow them.

        Args:
            tokens: (steps + 1, rows): each byte but the last is read, each but the first is predicted.
            noise: as for `step`.

        Returns:
            (rows,) int64, in units of 1/625 bit.
        """
        loss = np.zeros(tokens.shape[1], np.int64)
        for read, following in pairwise(tokens):
            kernels.add_loss(self.step(read, noise), following, POWERS, LOGARITHMS, loss)
        return loss
