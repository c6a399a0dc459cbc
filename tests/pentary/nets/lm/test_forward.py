"""The forward pass against the reference model in Python integers."""

from itertools import pairwise
from types import ModuleType

import numpy as np
import pytest

from pentary.lowrank.operations import Latents
from pentary.nets import products
from pentary.nets.lm.forward import Forward, Weights
from pentary.nets.lm.model import Model

LATENT = 7812


def random_latents(model: Model, seed: int) -> dict[str, Latents]:
    """Return random latent words over their whole range, including biases and norms."""
    rng = np.random.default_rng(seed)
    return {t.name: rng.integers(-LATENT, LATENT + 1, (t.rows, t.cols)) for t in model.tensors.values()}


def random_noise(model: Model, pairs: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(-2, 3, (pairs, 16 * model.blocks)).astype(np.int8)


def forward(model: Model, latents: dict[str, Latents], rows: int, backend: str = "numpy") -> Forward:
    weights = Weights(model, products.backend(backend))
    weights.fill(latents)
    return Forward(weights, rows)


def steps_equal_the_reference(
    reference: ModuleType,
    model: Model,
    latents: dict[str, Latents],
    tokens: np.ndarray,
    noise: np.ndarray | None,
    backend: str = "numpy",
) -> list[dict[str, list[int]]]:
    """Process tokens (steps, rows) with both, compare logits and hidden states; return the reference's traces."""
    rows = tokens.shape[1]
    own = forward(model, latents, rows, backend)
    plain = reference.Reference(model.layers, model.dim, model.weights)
    visible = plain.visible({name: matrix.tolist() for name, matrix in latents.items()})
    still = [0] * (16 * plain.all_blocks)
    members = [
        reference.Member(plain, visible, 0, still)
        if noise is None
        else reference.Member(plain, visible, 1 - 2 * (row % 2), noise[row // 2].tolist())
        for row in range(rows)
    ]
    states = [[[0] * model.dim for _ in range(model.layers)] for _ in range(rows)]
    seen = []
    for read in tokens:
        logits = own.step(read, noise)
        assert logits.dtype == np.int16
        for row, member in enumerate(members):
            expected, states[row], trace = member.read(states[row], int(read[row]))
            assert logits[row].tolist() == expected
            assert own.hidden[:, row].tolist() == states[row]
            seen.append(trace)
    return seen


@pytest.mark.parametrize("weights", ["pents", "bytes"])
@pytest.mark.parametrize("perturbed", [False, True])
@pytest.mark.parametrize(("layers", "dim"), [(1, 8), (2, 17), (3, 24)])
def test_a_pass_equals_the_plain_interpreter(reference, layers: int, dim: int, perturbed: bool, weights) -> None:
    model = Model(layers, dim, weights)
    tokens = np.array([[65, 200], [255, 0], [1, 7]], np.uint8)
    noise = random_noise(model, 1, dim) if perturbed else None
    steps_equal_the_reference(reference, model, random_latents(model, dim), tokens, noise)


def test_the_int8_backend_equals_the_plain_interpreter_too(reference) -> None:
    pytest.importorskip("onnxruntime")
    model = Model(2, 16)
    tokens = np.array([[65, 200], [255, 0]], np.uint8)
    for noise in (None, random_noise(model, 1, 3)):
        steps_equal_the_reference(reference, model, random_latents(model, 3), tokens, noise, "int8")


@pytest.mark.parametrize("weights", ["pents", "bytes"])
def test_a_pass_is_exact_where_everything_is_at_its_limit(reference, weights) -> None:
    model = Model(4, 32, weights)
    noise = np.full((1, 16 * model.blocks), 2, np.int8)
    tokens = np.array([[9, 9], [9, 9]], np.uint8)
    seen = []
    for every, candidates, head in ((1, 1, 1), (-1, 1, 1), (1, -1, 1), (1, 1, -1)):
        latents = {t.name: np.full((t.rows, t.cols), every * LATENT) for t in model.tensors.values()}
        latents["0.gru"][:, model.dim :] *= candidates
        latents["head"] *= head
        latents["head.bias"] *= head
        seen += steps_equal_the_reference(reference, model, latents, tokens, noise)
    limits = {"gates": (0, 624), "hidden": (-312, 312), "mlp": (-125, 125), "logits": (-312, 312)}
    for what, ends in limits.items():
        values = {v for trace in seen for name, row in trace.items() if name.endswith(what) for v in row}
        assert (min(values), max(values)) == ends, what
    assert max(abs(value) for trace in seen for value in trace["stream"]) == 1562


def test_random_signs_at_the_limits_are_exact(reference) -> None:
    model = Model(2, 24)
    rng = np.random.default_rng(1)
    latents = {t.name: rng.choice([-LATENT, LATENT], (t.rows, t.cols)) for t in model.tensors.values()}
    noise = rng.choice([-2, 2], (1, 16 * model.blocks)).astype(np.int8)
    tokens = rng.integers(0, 256, (4, 2)).astype(np.uint8)
    steps_equal_the_reference(reference, model, latents, tokens, noise)


def test_a_stream_of_zeros_is_exact(reference) -> None:
    model = Model(1, 8)
    latents = {t.name: np.zeros((t.rows, t.cols), np.int64) for t in model.tensors.values()}
    seen = steps_equal_the_reference(reference, model, latents, np.array([[3], [4]], np.uint8), None)
    assert {value for trace in seen for value in trace["logits"]} == {0}


def test_sums_at_the_limit_of_float32_are_exact(reference) -> None:
    """The widest byte model with all values at their limits: sums near 2**24, and some that return from 2**23."""
    model = Model(1, 251, "bytes")
    latents = {t.name: np.full((t.rows, t.cols), LATENT) for t in model.tensors.values()}
    latents["0.down"][502:, ::2] = -LATENT
    latents["0.down"][502:, ::2] += np.random.default_rng(0).integers(0, 400, (502, 126))
    noise = np.full((1, 16 * model.blocks), 2, np.int8)
    seen = steps_equal_the_reference(reference, model, latents, np.array([[7, 7]], np.uint8), noise)
    assert all(max(trace["stream"]) < 1562 for trace in seen)  # so saturation hides no error


@pytest.mark.parametrize("backend", products.NAMES)
def test_rows_do_not_influence_each_other(backend: str) -> None:
    if backend == "int8":
        pytest.importorskip("onnxruntime")
    model = Model(2, 16)
    latents, noise = random_latents(model, 5), random_noise(model, 5, 5)
    tokens = np.random.default_rng(5).integers(0, 256, (3, 10)).astype(np.uint8)
    together = forward(model, latents, 10, backend)
    logits = [together.step(read, noise).copy() for read in tokens]
    for pair in range(5):
        rows = slice(2 * pair, 2 * pair + 2)
        alone = forward(model, latents, 6, backend)  # with rows to spare
        for read, expected in zip(tokens, logits, strict=True):
            assert np.array_equal(alone.step(read[rows], noise[pair : pair + 1]), expected[rows])
        assert np.array_equal(alone.hidden[:, :2], together.hidden[:, rows])


def test_byte_0_resets() -> None:
    model = Model(2, 16)
    latents, noise = random_latents(model, 6), random_noise(model, 2, 6)
    fresh, used = forward(model, latents, 4), forward(model, latents, 4)
    for byte in (9, 8):
        used.step(np.full(4, byte, np.uint8), noise)
    assert used.hidden.any()
    zeros = np.zeros(4, np.uint8)
    assert np.array_equal(fresh.step(zeros, noise), used.step(zeros, noise))
    assert np.array_equal(fresh.hidden, used.hidden)


def test_members_without_noise_are_the_centre() -> None:
    model = Model(2, 16)
    latents = random_latents(model, 7)
    tokens = np.array([65, 66, 67, 68], np.uint8)
    still = np.zeros((2, 16 * model.blocks), np.int8)
    assert np.array_equal(forward(model, latents, 4).step(tokens, still), forward(model, latents, 4).step(tokens))


def test_losses_are_those_of_the_bytes_that_follow(reference) -> None:
    model = Model(1, 16)
    latents, noise = random_latents(model, 8), random_noise(model, 1, 8)
    tokens = np.array([[65, 1], [66, 0], [255, 3]], np.uint8)
    step = forward(model, latents, 2)
    expected = [0, 0]
    for read, following in pairwise(tokens):
        logits = step.step(read, noise)
        for row in range(2):
            expected[row] += reference.byte_loss(logits[row].tolist(), int(following[row]))
    found = forward(model, latents, 2).losses(tokens, noise)
    assert found.dtype == np.int64
    assert found.tolist() == expected


def test_a_watcher_sees_every_layer_once() -> None:
    model = Model(3, 8)
    seen = []
    forward(model, random_latents(model, 9), 1).step(
        np.array([5], np.uint8), watch=lambda number, _: seen.append(number)
    )
    assert seen == [0, 1, 2]
