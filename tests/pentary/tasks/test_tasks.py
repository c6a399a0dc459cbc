"""The table of tasks: every module beside it is one, and its name finds it."""

from pathlib import Path

import pytest

from pentary import tasks
from pentary.numbers.word import PentaryError


def test_every_module_is_a_task_and_users_functions_come_last():
    modules = {path.stem for path in Path(tasks.__file__).parent.glob("*.py")} - {"__init__"}
    assert list(tasks.entries()) == ["digits", "target", "text", "FILE.py:NAME"]
    assert len(modules) == len(tasks.entries())


@pytest.mark.parametrize(
    ("name", "task"),
    [("target", "target"), ("mine.py:fitness", "FILE.py:NAME"), ("games.chess:score", "FILE.py:NAME")],
)
def test_a_name_finds_its_task(name, task):
    assert tasks.find(name).name == task


def test_an_unknown_name_is_told_with_those_that_there_are():
    with pytest.raises(PentaryError, match=r"'trget': it is digits, target, text, or .* PACKAGE\.MODULE:NAME$"):
        tasks.find("trget")
