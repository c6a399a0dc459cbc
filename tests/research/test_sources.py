"""The digest of sources: which changes make a record outdated."""

from pathlib import Path

import pytest

import sources

MODULE = '''"""What it does."""

from math import pi


def area(radius):
    """Return the area."""
    # of a circle
    return pi * radius**2  # flat
'''


def digest(folder: Path, text: str, name: str = "module.py") -> str:
    (folder / name).write_text(text)
    return sources.digest([folder / name])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("What it does.", "What it does\nin two lines."),
        ("from math import pi\n", "import os\n\nfrom numpy import pi\n"),
        ("    # of a circle\n", ""),
        ("  # flat", ""),
        ("\n\n\n", "\n\n"),
    ],
)
def test_words_and_imports_do_not_count(old: str, new: str, tmp_path: Path) -> None:
    assert digest(tmp_path, MODULE.replace(old, new)) == digest(tmp_path, MODULE)


@pytest.mark.parametrize(("old", "new"), [("**2", "**3"), ("pi *", "'#' *"), ("def area", "def volume")])
def test_code_counts(old: str, new: str, tmp_path: Path) -> None:
    assert digest(tmp_path, MODULE.replace(old, new)) != digest(tmp_path, MODULE)


def test_a_sign_in_a_string_is_no_comment() -> None:
    assert sources.code("sign = '# not a comment'\n") == "sign = '# not a comment'"


def test_neither_the_name_nor_the_order_of_files_counts(tmp_path: Path) -> None:
    first, second = tmp_path / "first.py", tmp_path / "second.py"
    first.write_text("a = 1\n")
    second.write_text("b = 2\n")
    forward = sources.digest([first, second])
    assert forward == sources.digest([second, first, first])
    assert digest(tmp_path, "a = 1\n", "other.py") == sources.digest([first]) != forward


def test_of_other_files_every_byte_counts(tmp_path: Path) -> None:
    assert digest(tmp_path, "a = 1  # one\n", "table.toml") != digest(tmp_path, "a = 1\n", "table.toml")
