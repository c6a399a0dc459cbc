"""Element-wise work between the matrix products, a row at a time, compiled by Numba.

A row belongs to one member and one byte. Rows 2i and 2i + 1 are the plus and the minus member of pair i, whose noise
is row i of `noise`; without noise (None) every row is of the unperturbed model. A row of sums gets its member's
low-rank term and its bias, is rescaled by a pent shift and clamped, and becomes an operand of the next product, which
is projected on the next matrix's column factor, all in one loop.

Numbers are integers in float32, below 2**22, so every sum is exact in any order, with products in it or not: the only
fast-math flags, `reassoc` and `contract`, are safe. An operand is stored with `zero` added, in the backend's type.

LLVM vectorises the loops because index sums are unsigned, without the wraparound of negative indices; because no array
is passed to a function that is not inlined; and because the scalars of a layer are taken out of its record before. Rows
are not sliced: a slice would cost more than the row.
"""

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pentary.lowrank.operations import GAIN_SHIFT, TOTAL_WIDTH
from pentary.nets.layers import STREAM
from pentary.nets.lm.model import ACTIVATION, BIAS_SIGMA, LATENT, SIGMA_SHIFT
from pentary.nets.operations import EMBEDDED, OPERAND
from pentary.nets.tables import LOGIT, LOSS_PER_BIT
from pentary.numbers.word import limit
from pentary.support.compiled import Store, imported_sources

Array = NDArray[Any]

f32 = np.float32
u64 = np.uint64

_LOW: Final = f32(-ACTIVATION)
_HIGH: Final = f32(ACTIVATION)
_OPERAND: Final = f32(OPERAND)
_STREAM: Final = f32(STREAM)
_TO_OPERAND: Final = f32(0.4)
_SIGMA: Final = f32(5.0**-SIGMA_SHIFT)
_BIAS_SIGMA: Final = f32(BIAS_SIGMA)
_EMBEDDED: Final = f32(EMBEDDED)
_EMBEDDED_SIGMA: Final = f32(EMBEDDED / 5**SIGMA_SHIFT)
_GATE: Final = f32(1 / 5**4)
_MEAN: Final = 5**8
_PER_MEAN: Final = 1 / 5**8
_DOUBTFUL: Final = f32(0.4999)  # a quotient up to 125 in single precision is off by less than 0.0001
_GAIN_UNIT: Final = 5**GAIN_SHIFT
_TOTAL: Final = limit(TOTAL_WIDTH)
_LATENT: Final = limit(LATENT)


def _numbers(tensors: tuple[str, ...], floats: tuple[str, ...]) -> np.dtype:
    """Return the record type of a kernel's scalars: one argument, since each scalar would cost as much as an array."""
    noise = [(f"{name}_{factor}", np.uint64) for name in tensors for factor in "ab"]
    return np.dtype(noise + [(name, np.float32) for name in ("level", "zero", *floats)])


LAYER_TENSORS: Final = (
    *("gru_norm", "gru", "gru_bias", "gru_forget", "gru_candidate"),
    *("mlp_norm", "up", "up_bias", "down", "down_bias"),
)
"""Names of a layer's tensors in this module; the model's have dots in place of underscores."""

HEAD_TENSORS: Final = ("norm", "head", "head_bias")

LAYER_NUMBERS: Final = _numbers(LAYER_TENSORS, ("gates_scale", "up_scale", "down_scale"))
"""Scalars of a layer: NAME_a and NAME_b, where the noise of a tensor's column factor, and of its row factor or vector,
begins in a pair's row of noise; `level`, the weight units in one of the five levels; `zero`, what stands for 0 in an
operand; and NAME_scale, the factors of the rescales, 1 / (level * 5**shift)."""

HEAD_NUMBERS: Final = _numbers(HEAD_TENSORS, ("head_scale",))
"""The same for the final norm and the head."""


class Layer(NamedTuple):
    """Kernel parameters of one layer, beside its matrices.

    Attributes:
        numbers: (1,) LAYER_NUMBERS.
        gru_norm, mlp_norm: (dim,) gains, float32.
        gru_bias, up_bias, down_bias: (2 dim,), (4 dim,), (dim,), float32, in units of the sums.
    """

    numbers: Array
    gru_norm: Array
    gru_bias: Array
    mlp_norm: Array
    up_bias: Array
    down_bias: Array


class Head(NamedTuple):
    """Kernel parameters of the final norm and the head."""

    numbers: Array
    norm: Array
    head_bias: Array


STORE: Final = Store("lm", "the language model", imported_sources(__name__))

_compiled = STORE.compiled(nogil=True, error_model="numpy")
_compiled_sum = STORE.compiled(nogil=True, error_model="numpy", fastmath={"reassoc", "contract"})
_inlined = STORE.compiled(nogil=True, error_model="numpy", inline="always")


@_compiled
def _sign(row: int) -> np.float32:
    return f32(1 - 2 * (row & 1))


@_compiled
def _clamp(value: np.float32, low: np.float32, high: np.float32) -> np.float32:
    return min(max(value, low), high)


@_compiled
def _coefficient(projected: np.float32, row: int, level: np.float32) -> np.float32:
    """Return the row factor's coefficient in levels, with the member's sign, from an operand times a column factor."""
    return level * np.rint(_sign(row) * projected * _SIGMA)


@_inlined
def _of(noise: Array | None, pair: int, place: np.uint64) -> np.float32:
    """Return a pent of a pair's noise."""
    return f32(0) if noise is None else f32(noise[pair, place])


@_inlined
def _sum(
    sums: Array, bias: Array, row: int, column: np.uint64, noise: Array | None, at: tuple, sizes: tuple
) -> np.float32:
    """Return an element of a product plus its low-rank term and the member's bias.

    at: where the row factor and the noise of the bias begin in a pair's noise. sizes: what both are multiplied by.
    """
    if noise is None:
        return f32(sums[row, column]) + bias[column]
    pair = row >> 1
    low_rank = sizes[0] * f32(noise[pair, at[0] + column])
    return f32(sums[row, column]) + low_rank + (bias[column] + sizes[1] * f32(noise[pair, at[1] + column]))


@_compiled_sum
def _magnitude(x: Array, row: int) -> np.float32:
    total = f32(0)
    for j in range(x.shape[1]):
        total += abs(x[row, j])
    return total


@_compiled_sum
def _normalise(
    x: Array,
    row: int,
    magnitude: np.float32,
    gains: Array,
    noise: Array | None,
    at: tuple,
    y: Array,
    zero: np.float32,
    level: np.float32,
) -> np.float32:
    """Normalise a row of the stream with the member's gains g, y = round(x g / mean |x|), clamped; and project it.

    magnitude: sum of |x|. at: where the noise of the gains, and the column factor of the projection, begin in a pair's
    noise. Returns the row factor's coefficient.
    """
    b, a = at
    pair, sign, size = row >> 1, _sign(row), f32(x.shape[1])
    reciprocal = np.rint(np.float64(size) * _MEAN / np.float64(max(magnitude, size)))
    scale = f32(reciprocal * _PER_MEAN)
    projected, doubtful = f32(0), f32(0)
    for j in range(x.shape[1]):
        quotient = x[row, j] * (gains[j] + sign * _of(noise, pair, b + u64(j))) * scale
        near = np.rint(quotient)
        doubtful += f32(1) if abs(quotient - near) > _DOUBTFUL else f32(0)
        value = _clamp(near, -_OPERAND, _OPERAND)
        y[row, j] = value + zero
        projected += value * _of(noise, pair, a + u64(j))
    if doubtful > 0:  # single precision could have rounded one to the other side
        projected = f32(0)
        for j in range(x.shape[1]):
            z = x[row, j] * (gains[j] + sign * _of(noise, pair, b + u64(j)))
            value = _clamp(f32(np.rint(np.float64(z) * reciprocal * _PER_MEAN)), -_OPERAND, _OPERAND)
            y[row, j] = value + zero
            projected += value * _of(noise, pair, a + u64(j))
    return f32(0) if noise is None else _coefficient(projected, row, level)


@_compiled
def embed(
    tokens: Array, embedding: Array, a: np.uint64, b: np.uint64, noise: Array | None, stream: Array, hidden: Array
) -> None:
    """Look up the embedding of a byte; at byte 0, the end of a document, reset the hidden states.

    tokens: (rows,) uint8. embedding: (256, dim) float32, in units of the stream. a, b: where its noise begins.
    stream: (rows, dim) float32, written. hidden: (layers, rows, dim) float32.
    """
    for row in range(tokens.size):
        token = tokens[row]
        for j in range(embedding.shape[1]):
            stream[row, j] = embedding[token, j]
        if noise is not None:
            coefficient = _sign(row) * _EMBEDDED_SIGMA * f32(noise[row >> 1, a + u64(token)])
            for j in range(embedding.shape[1]):
                stream[row, j] += coefficient * f32(noise[row >> 1, b + u64(j)])
        if token == 0:
            hidden[:, row] = 0


@_compiled_sum
def gru_inputs(
    count: int,
    layer: Layer,
    noise: Array | None,
    hidden: Array,
    stream: Array,
    narrow: Array,
    own: Array,
    first: Array,
    second: Array,
) -> None:
    """Make operands: of `gru` from the normalised stream, of `gru.forget` from the hidden state; project both."""
    at = layer.numbers[0]
    places, zero, level, forget_a = (at.gru_norm_b, at.gru_a), at.zero, at.level, at.gru_forget_a
    for row in range(count):
        magnitude = _magnitude(stream, row)
        first[row] = _normalise(stream, row, magnitude, layer.gru_norm, noise, places, narrow, zero, level)
        projected = f32(0)
        for j in range(hidden.shape[1]):
            operand = np.rint(hidden[row, j] * _TO_OPERAND)
            own[row, j] = operand + zero
            projected += operand * _of(noise, row >> 1, forget_a + u64(j))
        second[row] = _coefficient(projected, row, level)


@_compiled_sum
def gru_gate(
    count: int,
    layer: Layer,
    noise: Array | None,
    hidden: Array,
    sums: Array,
    own_sums: Array,
    gate: Array,
    own: Array,
    first: Array,
    second: Array,
) -> None:
    """Compute the gates, and from the gated hidden state the operand of `gru.candidate`; project it."""
    at, bias = layer.numbers[0], layer.gru_bias
    places, zero, level, scale = (at.gru_b, at.gru_bias_b), at.zero, at.level, at.gates_scale
    forget_b, candidate_a = at.gru_forget_b, at.gru_candidate_a
    for row in range(count):
        sizes = (first[row], _sign(row) * level * _BIAS_SIGMA)
        coefficient, projected = second[row], f32(0)
        for j in range(hidden.shape[1]):
            total = _sum(sums, bias, row, u64(j), noise, places, sizes)
            total += f32(own_sums[row, j]) + coefficient * _of(noise, row >> 1, forget_b + u64(j))
            opened = _clamp(np.rint(total * scale), _LOW, _HIGH) + _HIGH
            gate[row, j] = opened
            operand = np.rint(np.rint(opened * hidden[row, j] * _GATE) * _TO_OPERAND)
            own[row, j] = operand + zero
            projected += operand * _of(noise, row >> 1, candidate_a + u64(j))
        second[row] = _coefficient(projected, row, level)


@_compiled_sum
def gru_state(
    count: int,
    layer: Layer,
    noise: Array | None,
    hidden: Array,
    sums: Array,
    own_sums: Array,
    gate: Array,
    stream: Array,
    narrow: Array,
    first: Array,
    second: Array,
) -> None:
    """Compute the candidates, update the hidden state, add it to the stream, and normalise the stream for `up`."""
    at, bias, dim = layer.numbers[0], layer.gru_bias, hidden.shape[1]
    places, places_of_up = (at.gru_b, at.gru_bias_b), (at.mlp_norm_b, at.up_a)
    zero, level, scale, candidate_b = at.zero, at.level, at.gates_scale, at.gru_candidate_b
    for row in range(count):
        sizes = (first[row], _sign(row) * level * _BIAS_SIGMA)
        coefficient, magnitude = second[row], f32(0)
        for j in range(dim):
            total = _sum(sums, bias, row, u64(dim) + u64(j), noise, places, sizes)
            total += f32(own_sums[row, j]) + coefficient * _of(noise, row >> 1, candidate_b + u64(j))
            candidate = _clamp(np.rint(total * scale), _LOW, _HIGH)
            moved = hidden[row, j] + np.rint(gate[row, j] * (candidate - hidden[row, j]) * _GATE)
            hidden[row, j] = moved
            added = _clamp(stream[row, j] + moved, -_STREAM, _STREAM)
            stream[row, j] = added
            magnitude += abs(added)
        first[row] = _normalise(stream, row, magnitude, layer.mlp_norm, noise, places_of_up, narrow, zero, level)


@_compiled_sum
def mlp_hidden(
    count: int, layer: Layer, noise: Array | None, wide_sums: Array, wide: Array, first: Array, second: Array
) -> None:
    """Compute the hidden layer of the perceptron, clamped, as the operand of `down`; project it."""
    at, bias = layer.numbers[0], layer.up_bias
    places, zero, level, scale, down_a = (at.up_b, at.up_bias_b), at.zero, at.level, at.up_scale, at.down_a
    for row in range(count):
        sizes = (first[row], _sign(row) * level * _BIAS_SIGMA)
        projected = f32(0)
        for j in range(wide.shape[1]):
            total = _sum(wide_sums, bias, row, u64(j), noise, places, sizes)
            operand = _clamp(np.rint(total * scale), -_OPERAND, _OPERAND)
            wide[row, j] = operand + zero
            projected += operand * _of(noise, row >> 1, down_a + u64(j))
        second[row] = _coefficient(projected, row, level)


@_compiled_sum
def mlp_output(count: int, layer: Layer, noise: Array | None, own_sums: Array, stream: Array, second: Array) -> None:
    """Add the output of the perceptron to the stream."""
    at, bias = layer.numbers[0], layer.down_bias
    places, level, scale = (at.down_b, at.down_bias_b), at.level, at.down_scale
    for row in range(count):
        sizes = (second[row], _sign(row) * level * _BIAS_SIGMA)
        for j in range(stream.shape[1]):
            total = _sum(own_sums, bias, row, u64(j), noise, places, sizes)
            added = _clamp(np.rint(total * scale), _LOW, _HIGH)
            stream[row, j] = _clamp(stream[row, j] + added, -_STREAM, _STREAM)


@_compiled_sum
def head_input(count: int, head: Head, noise: Array | None, stream: Array, narrow: Array, first: Array) -> None:
    """Normalise the stream for the head; project it."""
    at = head.numbers[0]
    places, zero, level = (at.norm_b, at.head_a), at.zero, at.level
    for row in range(count):
        magnitude = _magnitude(stream, row)
        first[row] = _normalise(stream, row, magnitude, head.norm, noise, places, narrow, zero, level)


@_compiled_sum
def head_logits(count: int, head: Head, noise: Array | None, head_sums: Array, logits: Array, first: Array) -> None:
    """Compute the logits."""
    at, bias = head.numbers[0], head.head_bias
    places, level, scale = (at.head_b, at.head_bias_b), at.level, at.head_scale
    for row in range(count):
        sizes = (first[row], _sign(row) * level * _BIAS_SIGMA)
        for j in range(logits.shape[1]):
            total = _sum(head_sums, bias, row, u64(j), noise, places, sizes)
            logits[row, j] = _clamp(np.rint(total * scale), _LOW, _HIGH)


@_compiled
def add_loss(logits: Array, targets: Array, powers: Array, logarithms: Array, loss: Array) -> None:
    """Add the loss of a byte to each row's loss, in units of 1/625 bit: see `pentary.nets.lm.loss`.

    logits: (rows, 256) int16. targets: (rows,) uint8. powers, logarithms: the tables. loss: (rows,) int64.
    """
    for row in range(targets.size):
        # Four sums, which do not wait for each other.
        sums = (0, 0, 0, 0)
        for j in range(0, logits.shape[1], 4):
            k = u64(j)
            sums = (
                sums[0] + powers[u64(logits[row, k] + ACTIVATION)],
                sums[1] + powers[u64(logits[row, k + u64(1)] + ACTIVATION)],
                sums[2] + powers[u64(logits[row, k + u64(2)] + ACTIVATION)],
                sums[3] + powers[u64(logits[row, k + u64(3)] + ACTIVATION)],
            )
        total = sums[0] + sums[1] + sums[2] + sums[3]
        shift = 0
        while total >= logarithms.size:
            total >>= 1
            shift += 1
        loss[row] += logarithms[total] + LOSS_PER_BIT * shift - LOGIT * np.int64(logits[row, targets[row]])


@_compiled
def update_latents(latents: Array, totals: Array, gain: int, moved: Array) -> None:
    """Compute POPAVG, as `pentary.lowrank.operations.popavg` defines it, for latent words of six pents.

    latents: (rows, cols) int64. totals: (workers, rows, cols) partial sums, integers in float32. moved: (rows, cols)
    int64, set to the new latent words.
    """
    for row in range(latents.shape[0]):
        for j in range(latents.shape[1]):
            total = np.int64(0)
            for worker in range(totals.shape[0]):
                total += np.int64(totals[worker, row, j])
            change = min(max(total, -_TOTAL), _TOTAL) * gain
            rounded = (change + _GAIN_UNIT // 2) // _GAIN_UNIT
            moved[row, j] = min(max(latents[row, j] + rounded, -_LATENT), _LATENT)
