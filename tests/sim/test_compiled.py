"""Compiled code on disk: when it is there, and that what nobody needs any more goes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pentary.asm import assemble_text
from pentary_sim import compiled
from pentary_sim.simulator import Simulator


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A folder of compiled code elsewhere, with five of earlier sources; of these 2 and 0 are the newest."""
    monkeypatch.setattr(compiled, "_FOLDER", str(tmp_path / "compiled-ours"))
    for age, number in enumerate([0, 2, 4, 3, 1]):
        (tmp_path / f"compiled-{number}" / "code").mkdir(parents=True)
        os.utime(tmp_path / f"compiled-{number}", (10**9 - age, 10**9 - age))
    (tmp_path / "kernel.pyc").touch()
    return tmp_path


def test_code_is_stored_once_the_loop_is_and_not_when_there_is_a_folder(home):
    assert not compiled.is_stored()
    folder = home / "compiled-ours" / "pentary_sim_0123"
    folder.mkdir(parents=True)
    (folder / "words.saturate-25.py311.1.nbc").touch()
    assert not compiled.is_stored()
    (folder / "kernel.run-24.py311.1.nbc").touch()
    assert compiled.is_stored()


def test_after_a_run_code_is_stored_for_other_processes():
    Simulator(assemble_text("HALT")).run()
    assert compiled.is_stored()
    code = "from pentary_sim import compiled; print(compiled.is_stored())"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "True\n"


def test_code_of_earlier_sources_is_deleted_but_for_the_newest(home):
    compiled._forget_earlier()
    assert sorted(path.name for path in home.iterdir()) == ["compiled-0", "compiled-2", "kernel.pyc"]


def test_nothing_to_delete_is_no_mistake(tmp_path, monkeypatch):
    monkeypatch.setattr(compiled, "_FOLDER", str(Path(tmp_path, "none", "compiled-ours")))
    compiled._forget_earlier()
