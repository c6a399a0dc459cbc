"""Networks on the command line: files, functions, and what is said of mistakes."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from safetensors.numpy import load_file

from pentary.cli.commands import main

NETS = """
import numpy as np
from pentary.nets import Clamp, CrossEntropy, Dense, Input, Sequential, SquaredError

NETWORK = Sequential(Input(4), Dense(8), Clamp(62, "relu"), Dense(3), Clamp(312), loss=CrossEntropy())
NUMBERS = Sequential(Input(4), Dense(8), Clamp(62, "relu"), Dense(2), Clamp(312), loss=SquaredError())
TOO_WIDE = 3


def data():
    rng = np.random.default_rng(0)
    y = np.arange(90) % 3
    return rng.normal(size=(90, 4)) + 2 * y[:, None], y


def splits():
    x, y = data()
    return {"x_train": x, "y_train": y, "x_test": x[:9], "y_test": y[:9]}


def numbers():
    x, _ = data()
    return x, x[:, :2]


def broken():
    raise KeyError("mine")


def odd():
    return 3


def fitness(weights):
    return int(weights.sum())
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.chdir(tmp_path)
    (tmp_path / "nets.py").write_text(NETS)
    rng = np.random.default_rng(1)
    np.savez(tmp_path / "mine.npz", x=rng.normal(size=(80, 4)), y=np.array(["a", "b"])[np.arange(80) % 2])
    return tmp_path


def pentary(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["train", *arguments])


SHORT = ("--steps", "3", "--population", "8", "--batch", "32")


@pytest.mark.parametrize("data", ["mine.npz", "nets.py:data", "nets.py:splits"])
def test_a_network_trains_on_a_file_or_a_function(folder: Path, data: str) -> None:
    done = pentary("nets.py:NETWORK", "--data", data, *SHORT, "--out", "run", "--json")
    assert done.exit_code == 0, done.output
    result = json.loads(done.stdout.splitlines()[-1])
    assert {"train_accuracy", "test_accuracy"} <= result.keys()
    config = json.loads((folder / "run" / "config.json").read_text())
    assert config["network"].startswith("Sequential(Input(shape=4")
    assert config["batch"] == 32
    assert config["data"]["classes"] == (["a", "b"] if data == "mine.npz" else [0, 1, 2])
    assert config["data"]["inputs"]["high"] == 62
    assert (folder / "run" / "confusion.png").read_bytes().startswith(b"\x89PNG")


def test_a_regression_draws_its_predictions_and_only_matrices_have_health(folder: Path) -> None:
    done = pentary("nets.py:NUMBERS", "--data", "nets.py:numbers", *SHORT, "--out", "run", "--json")
    assert done.exit_code == 0, done.output
    assert {"train_r2", "test_r2"} <= json.loads(done.stdout.splitlines()[-1]).keys()
    assert "test r2" in done.stderr
    assert (folder / "run" / "predictions.png").read_bytes().startswith(b"\x89PNG")
    line = json.loads((folder / "run" / "steps.jsonl").read_text().splitlines()[-1])
    assert line["health"].keys() == {"dense1", "dense2"}
    arrays = load_file(folder / "run" / "weights.safetensors")
    assert arrays.keys() >= {"dense1", "dense1.latent", "dense1.bias", "dense1.bias.latent"}


def test_the_same_data_from_a_file_and_from_a_function_give_the_same_run(folder: Path) -> None:
    digests = []
    namespace: dict = {}
    exec(NETS, namespace)
    x, y = namespace["data"]()
    np.savez(folder / "same.npz", x=x, y=y)
    for data in ("same.npz", "nets.py:data"):
        done = pentary("nets.py:NETWORK", "--data", data, *SHORT, "--json")
        digests.append(json.loads(done.stdout.splitlines()[-1])["digest"])
    assert digests[0] == digests[1]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nets.py:NETWORK"], "nets.py:NETWORK is a network: say by --data what it trains on"),
        (["nets.py:NETWORK", "--data", "none.npz"], "cannot read none.npz: No such file"),
        (["nets.py:NETWORK", "--data", "nets.py"], "nets.py is no .npz file of numbers or texts"),
        (["nets.py:NETWORK", "--data", "array.npy"], "array.npy is one array: save x and y together by numpy.savez"),
        (["nets.py:NETWORK", "--data", "objects.npz"], "objects.npz is no .npz file of numbers or texts"),
        (["nets.py:NETWORK", "--data", "nets.py:none"], "nets.py has no function 'none'"),
        (["nets.py:NETWORK", "--data", "nets.py:TOO_WIDE"], "nets.py:TOO_WIDE is not a function but int"),
        (["nets.py:NETWORK", "--data", "nets.py:odd"], "nets.py:odd returned int, not (x, y) or arrays by name"),
        (["nets.py:NETWORK", "--data", "nets.py:broken"], "nets.py:broken raised KeyError"),
        (["nets.py:NETWORK", "--data", "mine.npz", "--batch", "99"], "a batch of 99 examples is not in 1..60"),
        (["nets.py:NETWORK", "--data", "mine.npz", "--split", "-1"], "--split -1 is not in 0.."),
        (["nets.py:NETWORK", "--data", "mine.npz", "--shape", "4x4"], "--shape is for a function"),
        (["nets.py:fitness", "--data", "mine.npz"], "--data is for a network; nets.py:fitness is none"),
        (["nets.py:TOO_WIDE"], "nets.py:TOO_WIDE is not a function but int"),
    ],
)
def test_mistakes_are_one_line_and_status_2(folder: Path, arguments: list[str], told: str) -> None:
    np.save(folder / "array.npy", np.zeros(3))
    np.savez(folder / "objects.npz", x=np.array([{}, None]), y=np.arange(2))
    done = pentary(*arguments)
    assert done.exit_code == 2
    assert told in done.output
    assert "pentary/tasks" not in done.output
    assert not list(folder.glob("runs/*"))
