"""The recipes of CONTRIBUTING.md, followed to the letter in a copy of the sources."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import pentary

ROOT = Path(pentary.__file__).parents[1]
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    parts = {part.partition("\n")[0]: part for part in TEXT.split("\n## ")}
    return parts[title]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for tree in ("pentary", "sim", "hdl"):
        shutil.copytree(ROOT / tree, tmp_path / tree, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def test_a_task_is_one_file(copy: Path) -> None:
    recipe = section("Add a task")
    place = re.search(r"Put this into `(\S+)`", recipe)
    code = re.search(r"```python\n(.*?)```", recipe, re.DOTALL)
    command = re.search(r"^    pentary (train .*)$", recipe, re.MULTILINE)
    assert place and code and command
    (copy / place[1]).write_text(code[1], encoding="utf-8")
    path = os.pathsep.join(str(copy / tree) for tree in (".", "sim", "hdl"))

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "pentary", *arguments],
            cwd=copy,
            env={**os.environ, "PYTHONPATH": path},
            capture_output=True,
            text=True,
        )

    assert "even" in run("train", "--help").stdout
    trained = run(*command[1].split(), "--out", "run")
    assert trained.returncode == 0, trained.stderr
    assert re.search(r"^fitness +-\d+ -> -\d+$", trained.stdout, re.MULTILINE)
    linted = subprocess.run([sys.executable, "-m", "ruff", "check", place[1]], cwd=copy, capture_output=True)
    assert linted.returncode == 0
