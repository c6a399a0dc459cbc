"""Checkpoint of a trained model: one safetensors file with the visible numbers NAME and the latent words NAME.latent.

Visible weights of matrices are int8; biases, gains of norms, and latent words, which lie within ±7812, are int16. All
are (rows, cols). The metadata hold the task, the shape of the model, the step, the digest and the order of the tensors
in it.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from pentary import es
from pentary.lowrank.operations import Latents
from pentary.nets.lm.model import LATENT, Model
from pentary.numbers.word import PentaryError, limit
from pentary.runs.tensorfile import weights_to_bytes

if TYPE_CHECKING:
    from pentary.nets.lm.evolve import State

WEIGHTS: Final = "weights.safetensors"
"""Name of the file in a run folder."""

TASK: Final = "text"
"""Task in the metadata of a language model."""

Types = dict[str, tuple[str, tuple[int, ...]]]  # by name of a tensor: type as safetensors names it, and shape


def to_safetensors(model: Model, state: "State") -> bytes:
    """Return a trained model as the content of a safetensors file.

    Args:
        model: shape of the model.
        state: of the training.

    Returns:
        The content of the file.
    """
    metadata = {
        "task": TASK,
        "layers": str(model.layers),
        "dim": str(model.dim),
        "weights": model.weights,
        "step": str(state.step),
        "tensors": json.dumps(list(state.latents)),  # in the order of the digest, which safetensors does not keep
    }
    latents = {name: words.astype(np.int16) for name, words in state.latents.items()}
    return weights_to_bytes(_visible(model, state.latents), latents, state.digest(), metadata)


def load(run: Path) -> tuple[Model, dict[str, Latents]]:
    """Load the model that a run has trained.

    Args:
        run: folder of the run.

    Returns:
        The shape of the model, and its latent words by name, (rows, cols) int64, in the order of the digest.

    Raises:
        PentaryError: there is no run, it has no weights yet, they are of another task, or they are damaged.
    """
    path = run / WEIGHTS
    try:
        _check_run(run)
        with safe_open(path, "numpy") as file:
            metadata = file.metadata() or {}
            if metadata.get("task") != TASK:
                held = f"weights of the task {metadata['task']!r}" if "task" in metadata else "other tensors"
                raise PentaryError(f"{path} holds {held}, and no language model: `pentary train text` trains one")
            model = _model(metadata)
            slices = {name: file.get_slice(name) for name in list(file.keys())}
            types = {name: (part.get_dtype(), tuple(part.get_shape())) for name, part in slices.items()}
            _check(types, _expected(model))
            tensors = {name: file.get_tensor(name) for name in types}
        return model, _latents(model, tensors, metadata)
    except OSError as error:
        raise PentaryError(f"cannot read {path}: {error.strerror or error}") from error
    except SafetensorError as error:
        raise PentaryError(f"{path} is damaged, or only a part of a file: {error}") from error
    except _Damaged as error:
        raise PentaryError(f"{path} is damaged: {error}") from error


class _Damaged(Exception):
    """A file with invalid contents; the message says what is wrong."""


def _check_run(run: Path) -> None:
    """Raise an error unless a path is the folder of a run that has saved weights."""
    if not run.exists():
        raise PentaryError(f"there is no folder {run}")
    if not run.is_dir():
        raise PentaryError(f"{run} is a file: give the folder of the run")
    if not (run / WEIGHTS).exists():
        if (run / "config.json").exists():
            raise PentaryError(
                f"the run in {run} has no {WEIGHTS} yet: it has not come to a tenth of its steps, or was stopped before"
            )
        raise PentaryError(f"{run} holds no run: give the folder that `pentary train text` has written")


def _model(metadata: Mapping[str, str]) -> Model:
    try:
        layers, dim, weights = int(metadata["layers"]), int(metadata["dim"]), metadata["weights"]
        if weights not in ("pents", "bytes"):
            raise ValueError
        return Model(layers, dim, weights)
    except (KeyError, ValueError) as error:  # PentaryError is a ValueError
        raise _Damaged("its metadata do not tell the shape of a model") from error


def _visible(model: Model, latents: Mapping[str, Latents]) -> dict[str, NDArray[np.integer]]:
    """Return the visible numbers in their types on disk."""
    return {
        name: model.visible(tensor, latents[name]).astype(np.int8 if tensor.kind == "matrix" else np.int16)
        for name, tensor in model.tensors.items()
    }


def _expected(model: Model) -> Types:
    """Return the expected type and shape of every tensor in the file of a model."""
    types: Types = {}
    for name, tensor in model.tensors.items():
        shape = (tensor.rows, tensor.cols)
        types[name] = ("I8" if tensor.kind == "matrix" else "I16", shape)
        types[f"{name}.latent"] = ("I16", shape)
    return types


def _check(types: Types, expected: Types) -> None:
    for name in sorted(types.keys() | expected.keys()):
        if types.get(name) != expected.get(name):
            told = [" ".join(map(str, of[name])) if name in of else "nothing" for of in (types, expected)]
            raise _Damaged(f"it has {told[0]} as {name}, where its model has {told[1]}")


def _latents(model: Model, tensors: Mapping[str, NDArray], metadata: Mapping[str, str]) -> dict[str, Latents]:
    """Return the latent words after checking their range, their digest and the visible numbers."""
    latents = {name: tensors[f"{name}.latent"].astype(np.int64) for name in model.tensors}
    for name, words in latents.items():
        if np.abs(words).max() > limit(LATENT):
            raise _Damaged(f"a latent word of {name} is outside ±{limit(LATENT)}")
    if es.digest(latents) != metadata.get("digest"):
        raise _Damaged("its latent words do not have the digest in its metadata")
    for name, seen in _visible(model, latents).items():
        if not np.array_equal(seen, tensors[name]):
            raise _Damaged(f"the numbers of {name} are not those of its latent words")
    return latents
