"""Models on disk: content of the file, and all kinds of invalid files."""

import json

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from pentary.nets.lm import evolve
from pentary.nets.lm.checkpoint import WEIGHTS, load, to_safetensors
from pentary.nets.lm.model import Model
from pentary.numbers.word import PentaryError

MODEL = Model(2, 8)
STATE = evolve.init(MODEL, evolve.Parameters(population=2, seed=3))


@pytest.fixture
def run(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / WEIGHTS).write_bytes(to_safetensors(MODEL, STATE))
    return tmp_path


def contents(run):
    with safe_open(run / WEIGHTS, "numpy") as file:
        return load_file(run / WEIGHTS), file.metadata()


def change(run, name, value):
    """Replace a tensor; None removes it."""
    tensors, metadata = contents(run)
    tensors[name] = value
    save_file({key: tensor for key, tensor in tensors.items() if tensor is not None}, run / WEIGHTS, metadata)


def change_metadata(run, **changes):
    tensors, metadata = contents(run)
    save_file(tensors, run / WEIGHTS, {key: text for key, text in (metadata | changes).items() if text is not None})


def refuses(run, told):
    with pytest.raises(PentaryError, match=told) as raised:
        load(run)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("weights", ["pents", "bytes"])
def test_what_is_saved_is_loaded(run, weights):
    model = Model(1, 16, weights)
    state = evolve.init(model, evolve.Parameters(population=2))
    (run / WEIGHTS).write_bytes(to_safetensors(model, state))
    loaded, latents = load(run)
    assert loaded == model
    assert list(latents) == list(state.latents)
    for name, words in latents.items():
        assert words.dtype == np.int64
        assert np.array_equal(words, state.latents[name])


def test_the_largest_words_of_every_tensor_are_kept(run):
    for extreme in (7812, -7812):
        latents = {name: np.full_like(words, extreme) for name, words in STATE.latents.items()}
        (run / WEIGHTS).write_bytes(to_safetensors(MODEL, evolve.State(0, latents, STATE.hidden)))
        assert all((words == extreme).all() for words in load(run)[1].values())


def test_the_file_holds_visible_numbers_latent_words_and_what_they_are(run):
    tensors, metadata = contents(run)
    assert metadata.pop("digest") == STATE.digest()
    assert json.loads(metadata.pop("tensors")) == list(STATE.latents)
    assert metadata == {"task": "text", "layers": "2", "dim": "8", "weights": "pents", "step": "0"}
    assert tensors.keys() == {*STATE.latents, *(f"{name}.latent" for name in STATE.latents)}
    assert (tensors["1.up"].dtype, tensors["1.up"].shape) == (np.int8, (8, 32))
    assert np.array_equal(tensors["1.up"], MODEL.visible(MODEL.tensors["1.up"], STATE.latents["1.up"]))
    assert (tensors["norm"].dtype, tensors["norm"].tolist()) == (np.int16, [[62] * 8])
    assert tensors["1.up.latent"].dtype == tensors["head.bias"].dtype == np.int16


def test_a_place_that_is_no_run_is_told(run):
    refuses(run / "none", "^there is no folder .*none$")
    refuses(run / WEIGHTS, "weights.safetensors is a file: give the folder of the run$")
    (run / WEIGHTS).unlink()
    refuses(run, "^the run in .* has no weights.safetensors yet: it has not come to a tenth of its steps")
    (run / "config.json").unlink()
    refuses(run, "holds no run: give the folder that `pentary train text` has written$")
    (run / WEIGHTS).mkdir()
    refuses(run, "^cannot read .*weights.safetensors: ")


def test_the_weights_of_another_task_are_told(run):
    change_metadata(run, task="digits")
    refuses(run, "holds weights of the task 'digits', and no language model: `pentary train text` trains one$")
    change_metadata(run, task=None)
    refuses(run, "holds other tensors, and no language model")


@pytest.mark.parametrize("length", [0, 7, 100, -1])
def test_a_part_of_a_file_is_told(run, length):
    whole = (run / WEIGHTS).read_bytes()
    (run / WEIGHTS).write_bytes(whole[:length])
    refuses(run, "weights.safetensors is damaged, or only a part of a file: ")


@pytest.mark.parametrize(
    ("key", "text"),
    [("layers", None), ("layers", "x"), ("layers", "0"), ("dim", "7"), ("dim", "9" * 30), ("weights", "trits")],
)
def test_metadata_that_tell_no_shape_are_told(run, key, text):
    change_metadata(run, **{key: text})
    refuses(run, "is damaged: its metadata do not tell the shape of a model$")


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("0.up", None, r"it has nothing as 0\.up, where its model has I8 \(8, 32\)$"),
        ("0.up", np.zeros((32, 8), np.int8), r"it has I8 \(32, 8\) as 0\.up, where its model has I8 \(8, 32\)$"),
        ("norm.latent", np.zeros((1, 8), np.int64), r"it has I64 \(1, 8\) as norm\.latent, where its model has I16"),
        ("2.up", np.zeros((8, 32), np.int8), r"it has I8 \(8, 32\) as 2\.up, where its model has nothing$"),
        ("norm.latent", np.full((1, 8), 7813, np.int16), "a latent word of norm is outside ±7812$"),
        ("norm.latent", np.full((1, 8), -32768, np.int16), "a latent word of norm is outside ±7812$"),
        ("norm.latent", np.ones((1, 8), np.int16), "its latent words do not have the digest in its metadata$"),
        ("norm", np.ones((1, 8), np.int16), "the numbers of norm are not those of its latent words$"),
    ],
)
def test_tensors_that_are_not_those_that_were_saved_are_told(run, name, value, told):
    change(run, name, value)
    refuses(run, f"is damaged: {told}")


def test_a_model_of_another_shape_is_told(run):
    change_metadata(run, layers="1")
    refuses(run, r"is damaged: it has I8 \(32, 8\) as 1.down, where its model has nothing$")
