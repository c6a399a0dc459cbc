"""The cache of compiled code: ownership, validity, and removal of outdated entries."""

import errno
import logging
import os
from typing import Any

import pytest

from pentary.support.compiled import Store


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
    caplog.set_level(logging.INFO, "pentary")
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
    caplog.set_level(logging.INFO, "pentary")
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    monkeypatch.setenv("HOME", "/dev/null")
    doubled(home)
    assert not (home / "__pycache__").exists()
    assert caplog.messages == ["Compiling the example: half a minute at most, the first time only."]
