"""`pentary train --workers` and `--dask`, from a shell."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from pentary.cli.commands import main

TEXT = ("text", "--input", "book.txt", "--dim", "8", "--population", "8", "--tokens", "3", "--steps", "4")
TARGET = ("target", "--shape", "9x7", "--population", "6", "--rank", "2", "--steps", "4")


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("book.txt").write_text("nothing of a fleet is left when a run is over. " * 30)
    Path("box.py").write_text("def fitness(weights):\n    return int(weights.sum())\n")


def shell(*arguments: Any) -> dict[str, Any]:
    command = [sys.executable, "-m", "pentary", "train", *map(str, arguments), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0 and "Warning" not in done.stderr, done.stderr
    return json.loads(done.stdout)


def test_processes_of_this_machine_train_to_the_same_digest() -> None:
    assert shell(*TEXT, "--workers", 2)["digest"] == shell(*TEXT)["digest"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((*TARGET, "--workers", 2, "--dask", "tcp://127.0.0.1:1"), "give one of them"),
        ((*TARGET, "--dask", "tcp://127.0.0.1:1"), "no Dask scheduler can be reached at tcp://127.0.0.1:1: "),
        ((*TEXT, "--dask", "tcp://127.0.0.1:1"), "no Dask scheduler can be reached at tcp://127.0.0.1:1: "),
        (("box.py:fitness", "--dask", "tcp://127.0.0.1:1"), "no Dask scheduler can be reached at tcp://127.0.0.1:1: "),
        (
            (*TARGET, "--engine", "sim", "--workers", 2),
            "--workers is an option of the engine numpy: leave it out for sim",
        ),
        ((*TARGET, "--workers", -1), "-1 is not in the range 0<=x<=1024"),
    ],
)
def test_mistakes_are_told_in_one_line(arguments: tuple, told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pentary.distributed.cluster.PATIENCE", 0.5)
    done = CliRunner().invoke(main, ["train", *map(str, arguments)])
    assert done.exit_code == 2 and told in done.stderr.splitlines()[-1]
    assert not Path("runs").exists()


WITHOUT = """
import sys

class Without:
    def find_spec(self, name, *rest):
        if name.partition(".")[0] == "{missing}":
            raise ModuleNotFoundError("No module named '{missing}'", name="{missing}")

sys.meta_path.insert(0, Without())
from pentary.__main__ import run
run()
"""


@pytest.mark.parametrize(("missing", "extra"), [("msgpack", "workers"), ("distributed", "dask")])
def test_a_library_that_is_missing_is_named(missing: str, extra: str) -> None:
    without = WITHOUT.format(missing=missing)
    command = [sys.executable, "-c", without, "train", *TARGET, "--dask", "tcp://127.0.0.1:1"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100)
    assert done.returncode == 2 and done.stderr.endswith(f"needs {missing}: pip install 'pentary[{extra}]'\n")
