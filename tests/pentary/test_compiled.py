"""Compiled code on disk: whose it is, when it is there, and that what nobody needs any more goes."""

import os

import pytest

from pentary.compiled import Store


@pytest.fixture
def home(tmp_path):
    (tmp_path / "kernel.py").write_text("A = 1")
    (tmp_path / "constants.py").write_text("B = 2")
    return tmp_path


def store(home, name="compiled"):
    return Store(home, sorted(home.glob("*.py")), name)


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
    code.mkdir(parents=True)
    (code / "kernel.other-25.py311.1.nbc").touch()
    assert not ours.holds("kernel.run")
    (code / "kernel.run-24.py311.1.nbc").touch()
    assert ours.holds("kernel.run")


def test_code_of_earlier_sources_is_deleted_but_for_the_newest_and_that_of_others_stays(home):
    cache = home / "__pycache__"
    for age, name in enumerate(["compiled-0", "compiled-2", "compiled-4", "other-3", "compiled-1"]):
        (cache / name).mkdir(parents=True)
        os.utime(cache / name, (10**9 - age, 10**9 - age))
    (cache / "kernel.pyc").touch()
    store(home)
    assert sorted(path.name for path in cache.iterdir()) == ["compiled-0", "compiled-2", "kernel.pyc", "other-3"]


def test_nothing_to_delete_is_no_mistake(home):
    store(home).forget_earlier()


def test_what_is_compiled_is_stored_for_other_processes(home):
    ours = store(home)

    @ours.compiled(nogil=True)
    def double(x):
        return 2 * x

    assert double(21) == 42
    assert any(ours.folder.glob("*/*double-*.nbc"))
