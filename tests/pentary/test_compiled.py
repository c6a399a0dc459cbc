"""Compiled code on disk: whose it is, when it is there, and that what nobody needs any more goes."""

import os

import pytest

from pentary.compiled import Store


@pytest.fixture
def home(tmp_path):
    (tmp_path / "kernel.py").write_text("A = 1")
    (tmp_path / "constants.py").write_text("B = 2")
    return tmp_path


def store(home, name="ours"):
    return Store(name, home, sorted(home.glob("*.py")))


def test_a_change_of_any_source_changes_the_folder(home):
    before = store(home).folder
    assert store(home).folder == before
    (home / "constants.py").write_text("B = 3")
    assert store(home).folder != before
    assert before.parent == home / "__pycache__"


def test_a_function_is_held_once_its_code_is_there_and_not_when_there_is_a_folder(home):
    ours = store(home)
    assert not ours.holds("kernel.run")
    code = ours.folder / "package_0123"
    code.mkdir()
    (code / "kernel.other-25.py311.1.nbc").touch()
    assert not ours.holds("kernel.run")
    (code / "kernel.run-24.py311.1.nbc").touch()
    assert ours.holds("kernel.run")


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


def test_what_is_compiled_is_stored_for_other_processes(home):
    ours = store(home)

    @ours.compiled(nogil=True)
    def double(x):
        return 2 * x

    assert double(21) == 42
    assert any(ours.folder.glob("*/*double-*.nbc"))


def test_where_nothing_can_be_stored_code_is_compiled_all_the_same(home, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    monkeypatch.setenv("HOME", "/dev/null")

    @store(home).compiled()
    def double(x):
        return 2 * x

    assert double(21) == 42
    assert not (home / "__pycache__").exists()
