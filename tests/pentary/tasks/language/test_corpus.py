import hashlib
import os
from pathlib import Path

import numpy as np
import pytest

from pentary.numbers.word import PentaryError
from pentary.tasks.language.corpus import load, read


def written(folder: Path, name: str, content: bytes) -> Path:
    file = folder / name
    file.write_bytes(content)
    return file


def test_the_first_nine_tenths_are_trained_on_and_the_rest_is_held_out(tmp_path: Path) -> None:
    corpus = load([written(tmp_path, "a", bytes(range(1, 100)))])  # 99 bytes and the 0 that ends the document
    assert corpus.train.tolist() == [*range(1, 91), 0]
    assert corpus.held_out.tolist() == [*range(91, 100), 0]
    assert corpus.train.dtype == corpus.held_out.dtype == np.uint8


def test_every_document_ends_with_byte_0(tmp_path: Path) -> None:
    files = [written(tmp_path, name, letter * 20) for name, letter in (("1", b"a"), ("2", b"b"), ("3", b"c"))]
    corpus = load(files)
    assert corpus.train.tobytes() == b"a" * 20 + b"\0" + b"b" * 20 + b"\0" + b"c" * 14 + b"\0"
    assert corpus.held_out.tobytes() == b"c" * 6 + b"\0"
    assert corpus.name == ", ".join(map(str, files))


def test_the_digest_is_that_of_both_parts(tmp_path: Path) -> None:
    corpus = load([written(tmp_path, "a", b"x" * 99)])
    assert corpus.digest == hashlib.sha256(b"x" * 90 + b"\0" + b"x" * 9 + b"\0").hexdigest()


def test_bytes_of_any_kind_are_a_text(tmp_path: Path) -> None:
    content = bytes(range(256)) * 2
    corpus = load([written(tmp_path, "a", content)])
    assert corpus.train[:-1].tobytes() + corpus.held_out.tobytes() == content + b"\0"


def test_without_files_the_help_texts_of_python_are_the_text() -> None:
    corpus = load()
    assert corpus.name == "pydoc_data.topics"
    assert len(corpus.train) > 100_000
    assert corpus.train[-1] == corpus.held_out[-1] == 0


def test_a_text_too_short_to_hold_enough_out_is_refused(tmp_path: Path) -> None:
    file = written(tmp_path, "a", b"x" * 99)
    assert len(load([file], least=10).held_out) == 10
    with pytest.raises(PentaryError, match=r"a has 100 bytes, of which a tenth is held out: at least 101 are needed"):
        load([file], least=11)
    with pytest.raises(PentaryError, match="at least 11 are needed"):
        load([written(tmp_path, "b", b"x")])


@pytest.mark.parametrize("call", [read, lambda file: load([file])])
def test_files_that_cannot_be_read_are_refused_in_one_line(tmp_path: Path, call) -> None:
    cases = [
        (tmp_path / "missing", "cannot read .*missing: No such file or directory"),
        (tmp_path, "cannot read .*: Is a directory"),
        (written(tmp_path, "empty", b""), "empty is empty: there is nothing to read in it"),
    ]
    for file, message in cases:
        with pytest.raises(PentaryError, match=message) as refused:
            call(file)
        assert "\n" not in str(refused.value)


@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may read every file")
def test_a_file_without_permission_is_refused(tmp_path: Path) -> None:
    file = written(tmp_path, "secret", b"x")
    file.chmod(0)
    with pytest.raises(PentaryError, match=r"cannot read .*secret: Permission denied"):
        read(file)


def test_of_a_long_text_no_more_is_held_out_than_is_needed(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("pentary.tasks.language.corpus.HELD_OUT", 20)
    own = load([written(tmp_path, "a", bytes(range(1, 251)))])
    assert own.held_out.tolist() == [*range(232, 251), 0]
    assert own.train.tolist() == [*range(1, 232), 0]
