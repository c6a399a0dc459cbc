"""The cache of compiled code: ownership, validity, and removal of outdated entries."""

import ast
import errno
import logging
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from pentary.support.compiled import Store, imported_sources


@pytest.fixture
def home(tmp_path):
    (tmp_path / "kernel.py").write_text("A = 1")
    (tmp_path / "constants.py").write_text("B = 2")
    return tmp_path


def store(home, name="ours"):
    return Store(name, "the example", sorted(home.glob("*.py")))


def test_a_change_of_any_source_changes_the_folder(home):
    before = store(home).folder
    assert store(home).folder == before
    (home / "constants.py").write_text("B = 3")
    assert store(home).folder != before
    assert before.parent == home / "__pycache__"


def test_code_of_earlier_sources_is_deleted_but_for_the_newest_and_that_of_others_stays(home):
    cache = home / "__pycache__"
    for age, name in enumerate(["ours-0", "ours-2", "ours-4", "theirs-3", "ours-1"]):
        (cache / f"compiled-{name}").mkdir(parents=True)
        os.utime(cache / f"compiled-{name}", (10**9 - age, 10**9 - age))
    (cache / "kernel.pyc").touch()
    current = store(home).folder.name
    left = ["compiled-ours-0", "compiled-ours-2", "compiled-theirs-3", "kernel.pyc", current]
    assert sorted(path.name for path in cache.iterdir()) == sorted(left)


def test_nothing_to_delete_is_no_mistake(home):
    store(home).forget_earlier()


def doubled(home):
    """Compile and run a function as in a new process; return whether it was compiled, and its store."""
    ours = store(home)

    def by_two(x):
        return 2 * x

    double: Any = ours.compiled(nogil=True)(by_two)
    assert double(21) == 42
    return ours, double.stats.cache_misses[double.signatures[0]]


def test_what_is_compiled_is_stored_for_other_processes_and_told_once(home, caplog):
    caplog.set_level(logging.INFO, "pentary.support.compiled")
    for expected in (True, False):
        ours, missed = doubled(home)
        assert bool(missed) == expected
        assert any(ours.folder.glob("*/*by_two-*.nbc"))
    assert [record.getMessage() for record in caplog.records] == [
        "Compiling the example: half a minute at most, the first time only."
    ]


@pytest.mark.parametrize("kind", ["nbi", "nbc"])
@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[: len(content) // 2],
        lambda content: b"\0" * len(content),
        lambda content: content[:-9] + bytes([content[-9] ^ 1]) + content[-8:],
        None,
    ],
    ids=["emptied", "cut", "zeroed", "a bit flipped", "deleted"],
)
def test_damaged_code_is_compiled_again(home, kind, damage):
    ours, _ = doubled(home)
    (file,) = ours.folder.glob(f"*/*by_two-*.{kind}")
    if damage is None:
        file.unlink()
    else:
        file.write_bytes(damage(file.read_bytes()))
    assert doubled(home)[1]
    assert not doubled(home)[1]


def test_code_that_cannot_be_stored_is_used_all_the_same(home, monkeypatch):
    def no_space(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("pentary.support.compiled._CheckedFile._open_for_write", no_space)
    assert doubled(home)[1]


def test_where_nothing_can_be_stored_code_is_compiled_all_the_same(home, monkeypatch, caplog):
    caplog.set_level(logging.INFO, "pentary.support.compiled")
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    monkeypatch.setenv("HOME", "/dev/null")
    doubled(home)
    assert not (home / "__pycache__").exists()
    assert caplog.messages == ["Compiling the example: half a minute at most, the first time only."]


KERNEL = """
from pentary.support.compiled import Store, imported_sources
from pentary_example import inner as near
from pentary_example.deep import (  # in several lines
    FACTOR,
    OTHER as THIRD,
)

compiled = Store("example", "the example", imported_sources(__name__)).compiled()


@compiled
def run(x):
    return x * FACTOR + near.ADDED + THIRD
"""


def test_a_constant_of_any_module_that_is_imported_changes_the_result(tmp_path):
    package = tmp_path / "pentary_example"
    package.mkdir()
    sources = {"deep": "from pentary_example.deepest import FACTOR\nOTHER = 0\n", "deepest": "FACTOR = 3\n"}
    sources |= {"__init__": "", "kernel": KERNEL, "inner": "ADDED = 10\n"}

    def result():
        for name, text in sources.items():
            (package / f"{name}.py").write_text(text)
        code = "from pentary_example.kernel import run; print(run(2))"
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *filter(None, sys.path)])}
        return int(
            subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, check=True).stdout
        )

    assert result() == 16
    sources["deepest"] = "FACTOR = 5\n"
    assert result() == 20
    sources["inner"] = "ADDED = 100\n"
    assert result() == 110
    sources["deep"] = sources["deep"].replace("OTHER = 0", "OTHER = 1")
    assert result() == 111


@pytest.mark.parametrize("module", ["pentary.lowrank.permutation", "pentary.nets.lm.kernels", "pentary_sim.kernel"])
def test_the_code_of_the_kit_depends_on_all_that_python_imports_for_it(module):
    found = {path.resolve() for path in imported_sources(module)}
    for path in found:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("pentary"):
                for name in (f"{node.module}.{each.name}" for each in node.names):
                    place = find_spec(name if _is_module(name) else node.module)
                    assert place and place.origin and Path(place.origin).resolve() in found, (path, name)


def _is_module(name):
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:
        return False
