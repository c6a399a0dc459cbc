"""Arrays as safetensors: round trip, for every memory layout."""

import json
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors import numpy as safetensors

from pentary import es
from pentary.numbers.word import PentaryError
from pentary.runs import tensorfile
from pentary.runs.tensorfile import to_bytes, weights_to_bytes

VIEWS = {
    "whole": lambda a: a,
    "columns": lambda a: a[:, :-1],
    "every second column": lambda a: a[:, ::2],
    "backwards": lambda a: a[::-1, ::-1],
    "transposed": lambda a: a.T,
    "columns first": np.asfortranarray,
    "big-endian": lambda a: a.astype(a.dtype.newbyteorder(">")),
    "repeated": lambda a: np.broadcast_to(a[0], a.shape),
    "unaligned": lambda a: np.frombuffer(b"x" + a.tobytes(), a.dtype, offset=1).reshape(a.shape),
    "nothing": lambda a: a[:0],
    "scalar": lambda a: np.asarray(a[0, 0]),
}


@pytest.mark.parametrize("kind", [np.int8, np.int16, np.int64, np.float32, np.bool_])
@pytest.mark.parametrize("view", VIEWS)
def test_any_view_of_an_array_is_written_as_its_elements(view, kind):
    values = VIEWS[view]((np.arange(35) * 37 % 101 - 50).reshape(5, 7).astype(kind))
    read = safetensors.load(to_bytes({"before": np.arange(3), "it": values}, {}))["it"]
    assert read.dtype == np.dtype(kind) and read.tolist() == values.tolist()


@given(
    st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs"])), st.text(st.characters(exclude_categories=["Cs"])), max_size=5
    )
)
def test_metadata_are_kept_in_the_order_of_their_names(metadata):
    tensors = {"b": np.arange(5, dtype=np.int8), "a": np.arange(3)}
    content = to_bytes(tensors, metadata)
    length = int.from_bytes(content[:8], "little")
    assert length % 8 == 0  # so the data are aligned for 64-bit integers
    header = json.loads(content[8 : 8 + length])
    assert list(header["__metadata__"].items()) == sorted(metadata.items())
    assert safetensors.load(content).keys() == tensors.keys()
    assert content == to_bytes(dict(reversed(tensors.items())), dict(reversed(metadata.items())))


def test_numbers_that_are_not_finite_are_kept():
    values = np.array([np.nan, np.inf, -np.inf, -0.0], np.float32)
    assert safetensors.load(to_bytes({"x": values}, {}))["x"].tobytes() == values.tobytes()


LATENTS = {"first": np.arange(12).reshape(3, 4)[:, :3], "second": np.arange(4).reshape(2, 2).T}
VISIBLE = {name: (words % 5 - 2).astype(np.int8) for name, words in LATENTS.items()}
DIGEST = es.digest(LATENTS)


def test_a_file_has_the_digest_of_its_latent_words(digest_of_latents):
    order = {"order": json.dumps(list(LATENTS))}
    content = weights_to_bytes(VISIBLE, LATENTS, DIGEST, order)
    assert digest_of_latents(content, "order") == DIGEST
    narrow = {name: words.astype(np.int16) for name, words in LATENTS.items()}
    assert digest_of_latents(weights_to_bytes(VISIBLE, narrow, DIGEST, order), "order") == DIGEST


def test_a_file_that_would_contradict_its_digest_is_refused():
    wrong = LATENTS | {"second": LATENTS["second"] + 1}
    with pytest.raises(
        PentaryError, match=r"^what is to be written .* reads back with latent words of digest \w+ in pl"
    ):
        weights_to_bytes(VISIBLE, wrong, DIGEST, {})


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda read: read | {"a": read["a"] + 1}, "other numbers in a"),
        (lambda read: read | {"a": read["a"].astype(np.int32)}, "other numbers in a"),
        (lambda read: read | {"a": read["a"][:2]}, "other numbers in a"),
        (lambda read: {"b": read["a"]}, "other names"),
    ],
)
def test_a_library_that_writes_something_else_is_found_out(monkeypatch, spoil, told):
    load = tensorfile.load
    monkeypatch.setattr(tensorfile, "load", lambda content: spoil(load(content)))
    with pytest.raises(PentaryError, match=told):
        to_bytes({"a": np.arange(3)}, {})


RUNS = """
import sys
from pentary import es
from pentary.nets.lm import checkpoint, evolve
from pentary.nets.lm.model import Model
from pentary.tasks.running.engines import Training
from pentary.tasks.running.run import TaskRun
from pentary.tasks.target import Target
from pentary.es.loop import train

parameters = es.Parameters(population=4, rank=2, steps=2)
run = TaskRun(Target(5, 7), parameters, Training(train(Target(5, 7), parameters)))
list(run.records())
model = Model(layers=1, dim=8)
text = checkpoint.to_safetensors(model, evolve.init(model, evolve.Parameters(population=4)))
sys.stdout.buffer.write(run.weights() + text)
"""


def test_equal_runs_in_separate_processes_give_equal_files():
    files = {subprocess.run([sys.executable, "-c", RUNS], check=True, capture_output=True).stdout for _ in range(3)}
    assert len(files) == 1
