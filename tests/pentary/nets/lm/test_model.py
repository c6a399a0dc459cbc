"""Shapes, noise, widths and bounds of the model, derived by hand or from the reference model."""

import numpy as np
import pytest

from pentary.nets.lm.model import Model
from pentary.numbers.word import PentaryError


def test_parameters_and_products_counted_by_hand() -> None:
    layer = 8 + 8 * 16 + 16 + 8 * 8 + 8 * 8 + 8 + 8 * 32 + 32 + 32 * 8 + 8
    assert Model(1, 8).parameters == 256 * 8 + layer + 8 + 8 * 256 + 256 == 5200
    assert Model(3, 8).parameters == 5200 + 2 * layer
    assert Model(1, 8).macs == 8 * 16 + 8 * 8 + 8 * 8 + 8 * 32 + 32 * 8 + 8 * 256 == 2816


def test_the_default_is_the_model_of_egg() -> None:
    model = Model()
    assert (model.layers, model.dim, model.weights) == (1, 64, "pents")
    assert model.macs == 12 * 64**2 + 64 * 256


@pytest.mark.parametrize(("layers", "dim"), [(1, 8), (2, 17), (3, 64)])
def test_tensors_are_those_of_the_specification(reference, layers: int, dim: int) -> None:
    model, plain = Model(layers, dim), reference.Reference(layers, dim)
    assert list(model.tensors) == list(plain.tensors)
    for name, tensor in model.tensors.items():
        assert (tensor.name, tensor.kind, tensor.rows, tensor.cols) == (name, *plain.tensors[name])
        a, b = plain.blocks[name]
        assert (tensor.b, tensor.blocks) == (16 * b.start, len(a) + len(b))
        assert tensor.kind != "matrix" or tensor.a == 16 * a.start
    assert model.blocks == plain.all_blocks


@pytest.mark.parametrize(("layers", "dim"), [(1, 8), (2, 17), (3, 64)])
def test_noise_does_not_overlap_and_every_factor_begins_a_block(layers: int, dim: int) -> None:
    model = Model(layers, dim)
    used = np.zeros(16 * model.blocks, int)
    for tensor in model.tensors.values():
        factors = [(tensor.b, tensor.cols)]
        if tensor.kind == "matrix":
            factors.append((tensor.a, tensor.rows))
        for start, size in factors:
            assert start % 16 == 0
            used[start : start + size] += 1
    assert used.max() == 1
    assert used.reshape(-1, 16).any(axis=1).all()  # no block is wasted


def test_rescales_and_starts_are_those_nearest_to_the_wanted_gain(reference) -> None:
    for dim in [*range(8, 80), 128, 251, 256, 512, 1024, 1815, 4192]:
        plain = reference.Reference(1, dim)
        for name, tensor in Model(1, dim).tensors.items():
            if tensor.kind == "matrix":
                shift, start = plain.scale(name)
                assert tensor.own.start == start, (dim, name)
                assert tensor.shift == (0 if name == "embedding" else shift), (dim, name)


def test_gates_share_one_rescale() -> None:
    for dim in (8, 64, 512):
        tensors = Model(1, dim).tensors
        assert len({tensors[f"0.{name}"].own.start for name in ("gru", "gru.forget", "gru.candidate")}) == 1


@pytest.mark.parametrize("weights", ["pents", "bytes"])
def test_visible_numbers_of_every_latent_word(reference, weights) -> None:
    model, plain = Model(1, 8, weights), reference.Reference(1, 8, weights)
    words = np.arange(-7812, 7813)
    for name in ("0.gru.norm", "head.bias", "head"):
        seen = model.visible(model.tensors[name], words[None])
        assert seen.dtype == np.int16
        units = plain.level if name == "head.bias" else 1
        assert (seen[0].astype(int) * units).tolist() == plain.visible({name: [words.tolist()]})[name][0]
        limits = {"0.gru.norm": (0, 124), "head.bias": (-1562, 1562), "head": (-model.weight_limit, model.weight_limit)}
        assert (seen.min(), seen.max()) == limits[name]


def test_the_widest_models_keep_their_sums_exact_and_the_next_are_refused() -> None:
    # 4 dim operands up to 125, weights up to 2, a bias; float32 division rounds correctly up to 2**22.
    assert 4 * 4192 * 125 * 2 + 1562 <= 2**22
    Model(1, 4192)
    with pytest.raises(PentaryError, match=r"^layer 0.down: sums can reach 4194562, .* up to 4194304$"):
        Model(1, 4193)
    # 4 dim operands, weights up to 125; noise up to 2 times a projection, and a bias: 50 units per level.
    assert 4 * 251 * 125 * 125 + 50 * (2 * (4 * 251 * 125 * 2 // 25 + 1) + 1562 + 25 * 2) <= 2**24
    Model(1, 251, "bytes")
    with pytest.raises(PentaryError, match=r"^MLP of dim 252: sums can reach 16838700, .* up to 16777216$"):
        Model(1, 252, "bytes")


def test_more_noise_than_the_generator_numbers_is_refused() -> None:
    # At dim 2048 the noise of a layer takes 3328 blocks and everything else 432.
    assert Model(58, 2048).blocks == 58 * 3328 + 432 <= 195_313
    with pytest.raises(PentaryError, match=f"take {59 * 3328 + 432} blocks of noise in each pair; .* at most 195313"):
        Model(59, 2048)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((0, 64), "number of layers 0 is outside 1..64"),
        ((65, 64), "number of layers 65 is outside 1..64"),
        ((1, 7), "dim 7 is outside 8..32768"),
        ((1, 2**15 + 1), "dim 32769 is outside 8..32768"),
        ((1, 2**70), "is outside 8..32768"),
        ((1, 64.0), "dim must be an integer"),
    ],
)
def test_shapes_out_of_range_are_refused(shape: tuple, message: str) -> None:
    with pytest.raises(PentaryError, match=message):
        Model(*shape)
