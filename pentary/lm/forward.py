"""The forward pass: products of a backend, and kernels between them, for some rows at a time."""

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pentary.gemm import Gemm
from pentary.lm import kernels
from pentary.lm.kernels import Head, Layer, Rows
from pentary.lm.loss import LOGARITHMS, POWERS
from pentary.lm.model import EMBEDDED, VOCABULARY, Model, Tensor
from pentary.lowrank import Latents, Pents


class Weights:
    """What the forward pass sees of the latent words, in a backend's types; filled anew for every update.

    Args:
        model: whose weights.
        gemm: the backend.
    """

    def __init__(self, model: Model, gemm: Gemm) -> None:
        """Make the arrays; `fill` fills them."""
        self.model, self.gemm = model, gemm
        self.arrays: dict[str, NDArray[Any]] = {}
        for tensor in model.tensors.values():
            product = tensor.kind == "matrix" and tensor.name != "embedding"
            shape = (tensor.rows, tensor.cols) if tensor.kind == "matrix" else (tensor.cols,)
            self.arrays[tensor.name] = np.zeros(shape, gemm.weight if product else np.float32)

    def fill(self, latents: Mapping[str, Latents]) -> None:
        """Take the numbers from latent words by name, (rows, cols) each."""
        level = self.model.level
        for name, tensor in self.model.tensors.items():
            seen = self.model.visible(tensor, latents[name])
            if name == "embedding":
                self.arrays[name][:] = np.rint(seen * np.float32(EMBEDDED / level))
            elif tensor.kind == "matrix":
                self.arrays[name][:] = seen
            else:
                self.arrays[name][:] = seen[0] * np.float32(level if tensor.kind == "bias" else 1)

    def layer(self, number: int) -> Layer:
        """Gather what the kernels need of a layer."""
        tensors, arrays = self.model.tensors, self.arrays

        def of(name: str) -> Tensor:
            return tensors[f"{number}.{name}"]

        return Layer(
            norm=arrays[f"{number}.norm"],
            input_bias=arrays[f"{number}.input.bias"],
            mlp_norm=arrays[f"{number}.mlp.norm"],
            up_bias=arrays[f"{number}.up.bias"],
            down_bias=arrays[f"{number}.down.bias"],
            gates_scale=self._scale(of("input")),
            up_scale=self._scale(of("up")),
            down_scale=self._scale(of("down")),
            level=np.float32(self.model.level),
            zero=np.float32(self.gemm.zero),
            norm_b=np.uint64(of("norm").b),
            input_a=np.uint64(of("input").a),
            input_b=np.uint64(of("input").b),
            input_bias_b=np.uint64(of("input.bias").b),
            forget_a=np.uint64(of("forget").a),
            forget_b=np.uint64(of("forget").b),
            candidate_a=np.uint64(of("candidate").a),
            candidate_b=np.uint64(of("candidate").b),
            mlp_norm_b=np.uint64(of("mlp.norm").b),
            up_a=np.uint64(of("up").a),
            up_b=np.uint64(of("up").b),
            up_bias_b=np.uint64(of("up.bias").b),
            down_a=np.uint64(of("down").a),
            down_b=np.uint64(of("down").b),
            down_bias_b=np.uint64(of("down.bias").b),
        )

    def head(self) -> Head:
        """Gather what the kernels need of the end of the model."""
        tensors = self.model.tensors
        return Head(
            norm=self.arrays["norm"],
            bias=self.arrays["head.bias"],
            scale=self._scale(tensors["head"]),
            level=np.float32(self.model.level),
            zero=np.float32(self.gemm.zero),
            norm_b=np.uint64(tensors["norm"].b),
            a=np.uint64(tensors["head"].a),
            b=np.uint64(tensors["head"].b),
            bias_b=np.uint64(tensors["head.bias"].b),
        )

    def _scale(self, tensor: Tensor) -> np.float32:
        return np.float32(1 / (self.model.level * 5 ** tensor.scale[0]))


class Forward:
    """The forward pass of up to `size` rows, with buffers of its own: one for each worker.

    Args:
        weights: filled before each call; may be shared.
        size: rows.
    """

    def __init__(self, weights: Weights, size: int) -> None:
        """Make the buffers and prepare the products."""
        model, gemm = weights.model, weights.gemm
        self.model, self.size = model, size
        self.hidden = np.zeros((model.layers, size, model.dim), np.float32)
        """Hidden states, (layers, rows, dim): integers in ±312."""

        def floats(*shape: int) -> NDArray[np.float32]:
            return np.zeros((size, *shape), np.float32)

        def operands(width: int) -> NDArray[Any]:
            return np.full((size, width), gemm.zero, gemm.operand)

        def sums(width: int) -> NDArray[Any]:
            return np.zeros((size, width), gemm.accumulator)

        dim = model.dim
        self._rows = rows = Rows(
            stream=floats(dim),
            gate=floats(dim),
            narrow=operands(dim),
            hidden=operands(dim),
            wide=operands(4 * dim),
            sums=sums(2 * dim),
            hidden_sums=sums(dim),
            wide_sums=sums(4 * dim),
            head_sums=sums(VOCABULARY),
            first=floats(),
            second=floats(),
            logits=np.zeros((size, VOCABULARY), np.int16),
        )
        arrays = weights.arrays
        self._embedding = arrays["embedding"]
        self._layers: list[tuple[Layer, list[Callable[[], object]]]] = []
        for number in range(model.layers):
            products = [
                gemm.product(rows.narrow, arrays[f"{number}.input"], rows.sums),
                gemm.product(rows.hidden, arrays[f"{number}.forget"], rows.hidden_sums),
                gemm.product(rows.hidden, arrays[f"{number}.candidate"], rows.hidden_sums),
                gemm.product(rows.narrow, arrays[f"{number}.up"], rows.wide_sums),
                gemm.product(rows.wide, arrays[f"{number}.down"], rows.hidden_sums),
            ]
            self._layers.append((weights.layer(number), products))
        self._head = weights.head()
        self._head_product = gemm.product(rows.narrow, arrays["head"], rows.head_sums)

    def step(
        self,
        tokens: NDArray[np.uint8],
        noise: Pents | None = None,
        watch: Callable[[int, Rows], None] | None = None,
    ) -> NDArray[np.int16]:
        """Read one byte in each row.

        Args:
            tokens: (rows,), at most `size` of them.
            noise: (pairs, 16 blocks) pents, from `Noise`: rows 2i and 2i + 1 are the members of pair i; None for the
                centre in every row.
            watch: called after each layer with its number and the buffers.

        Returns:
            (rows, 256) logits, in units of 1/25 bit, within ±312; valid until the next call.
        """
        count, rows, embedding = len(tokens), self._rows, self.model.tensors["embedding"]
        kernels.embed(
            tokens, self._embedding, np.uint64(embedding.a), np.uint64(embedding.b), noise, rows.stream, self.hidden
        )
        for number, (layer, products) in enumerate(self._layers):
            to_input, to_forget, to_candidate, to_up, to_down = products
            hidden = self.hidden[number]
            kernels.enter(count, layer, noise, hidden, rows)
            to_input()
            to_forget()
            kernels.forget(count, layer, noise, hidden, rows)
            to_candidate()
            kernels.remember(count, layer, noise, hidden, rows)
            to_up()
            kernels.widen(count, layer, noise, rows)
            to_down()
            kernels.leave(count, layer, noise, rows)
            if watch is not None:
                watch(number, rows)
        kernels.enter_head(count, self._head, noise, rows)
        self._head_product()
        kernels.leave_head(count, self._head, noise, rows)
        return rows.logits[:count]

    def losses(self, tokens: NDArray[np.uint8], noise: Pents | None = None) -> NDArray[np.int64]:
        """Read some bytes in each row and sum the integer loss of the byte that follows each.

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
