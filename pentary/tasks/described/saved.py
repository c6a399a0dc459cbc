"""A run of a described network that has been saved: its description, weights and data."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from pentary import es
from pentary.es.strategy import Parameters
from pentary.es.tensors import Visible
from pentary.nets.network import Sequential
from pentary.nets.text import parse
from pentary.numbers.word import PentaryError
from pentary.tasks.described.data import Data, prepare
from pentary.tasks.described.entry import digest, load


@dataclass(frozen=True)
class Saved:
    """A saved run.

    Attributes:
        run: its folder.
        network: description.
        weights: visible numbers by tensor.
        config: as in `config.json`.
        digest: of the latent words.
    """

    run: Path
    network: Sequential
    weights: Mapping[str, Visible]
    config: Mapping[str, Any]
    digest: str

    def data(self) -> Data:
        """Return the data that the run was trained on, from where they came.

        Raises:
            PentaryError: they are not there any more, or they have changed.
        """
        if self.config["task"] == "digits":
            from pentary.tasks import digits

            return digits.load()
        try:
            told = self.config["data"]
            source, known, split = str(told["source"]), told["sha256"], int(told["split"])
        except (KeyError, TypeError, ValueError) as error:
            raise _damaged(self.run) from error
        arrays = load(source)
        if digest(arrays) != known:
            raise PentaryError(f"{source} has other data than when the run was trained on them")
        return prepare(self.network, arrays, split, source)


def read(run: Path) -> Saved:
    """Return a saved run.

    Args:
        run: folder that `pentary train` has written.

    Raises:
        PentaryError: there is none, it has no weights, it is of no described network, or it is damaged.
    """
    config = _config(run)
    if "network" not in config:
        raise PentaryError(f"{run} is a run of {config['task']}, which is no described network")
    network, path = parse(config["network"]), run / "weights.safetensors"
    try:
        with safe_open(path, "numpy") as file:
            recorded = (file.metadata() or {}).get("digest")
            arrays = {name: file.get_tensor(name) for name in list(file.keys())}
    except OSError as error:
        raise PentaryError(f"cannot read {path}: {error.strerror or error}") from error
    except SafetensorError as error:
        raise PentaryError(f"{path} is damaged, or only a part of a file: {error}") from error
    try:
        latent = Parameters(latent=config["parameters"]["latent"]).latent
    except (KeyError, TypeError, PentaryError) as error:
        raise _damaged(run) from error
    latents = {}
    for name, tensor in network.tensors.items():
        words = arrays.get(f"{name}.latent")
        if words is None or words.shape != tensor.shape:
            raise PentaryError(f"{path} is damaged: its latent words of {name} are not {tensor.rows}x{tensor.cols}")
        latents[name] = words.astype("int64")
    if es.digest(latents) != recorded:
        raise PentaryError(f"{path} is damaged: its latent words do not have the digest in its metadata")
    weights = {name: tensor.visible(latents[name], latent) for name, tensor in network.tensors.items()}
    return Saved(run, network, weights, config, es.digest(latents))


def _config(run: Path) -> dict[str, Any]:
    path = run / "config.json"
    if not run.is_dir():
        raise PentaryError(f"there is no folder {run}: give the folder of a run")
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise PentaryError(f"{run} holds no run: give the folder that `pentary train` has written") from error
    except (OSError, ValueError) as error:
        raise PentaryError(f"cannot read {path}: {error}") from error
    if not isinstance(config, dict) or "task" not in config:
        raise _damaged(run)
    return config


def _damaged(run: Path) -> PentaryError:
    return PentaryError(f"{run / 'config.json'} is damaged: it tells no run that can be read")
