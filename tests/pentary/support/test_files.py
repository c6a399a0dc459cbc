"""Writing of files: regular files are replaced atomically; anything else is opened and written to."""

import errno
import os
import threading
from pathlib import Path

import pytest

from pentary.numbers.word import PentaryError
from pentary.support.files import GrowingFile, write_whole


@pytest.fixture
def path(tmp_path):
    return tmp_path / "file"


def test_a_new_file_is_made_and_an_old_one_replaced(path):
    for content in (b"old and long", b"new"):
        write_whole(path, content)
        assert path.read_bytes() == content
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("before", [None, b"old"])
def test_a_symbolic_link_stays_and_its_target_is_written(path, before):
    target = path.parent / "deep" / "target"
    target.parent.mkdir()
    if before:
        target.write_bytes(before)
    path.symlink_to("deep/target")
    write_whole(path, b"new")
    assert path.is_symlink()
    assert target.read_bytes() == b"new"
    assert list(target.parent.iterdir()) == [target]


def test_a_device_stays_a_device():
    write_whole(Path("/dev/null"), b"new")
    assert Path("/dev/null").is_char_device()


def test_a_pipe_takes_the_bytes(path):
    os.mkfifo(path)
    found = []
    reader = threading.Thread(target=lambda: found.append(path.read_bytes()))
    reader.start()
    write_whole(path, b"new")
    reader.join()
    assert found == [b"new"]
    assert path.is_fifo()


def test_a_failed_write_leaves_the_file_as_it_was(path, monkeypatch):
    write_whole(path, b"old")
    write = Path.write_bytes

    def half(path, content):
        write(path, content[: len(content) // 2])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", half)
    with pytest.raises(PentaryError, match=r"^cannot write .*/file: No space left on device$"):
        write_whole(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize(("name", "why"), [(".", "Is a directory"), ("none/file", "No such file or directory")])
def test_what_cannot_be_written_is_told_in_one_line(tmp_path, name, why):
    with pytest.raises(PentaryError, match=rf"^cannot write .*: {why}$"):
        write_whole(tmp_path / name, b"new")


def test_a_file_that_replaces_another_has_its_permissions(path):
    write_whole(path, b"old")
    path.chmod(0o600)
    write_whole(path, b"new")
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_growing_file_takes_the_place_of_an_older_one_when_it_is_closed(path):
    write_whole(path, b"old")
    with GrowingFile(path) as file:
        file.write("new")
        file.flush()
        assert (path.read_bytes(), file.name) == (b"old", str(path))
    assert path.read_bytes() == b"new"
    file.close()
    assert list(path.parent.iterdir()) == [path]


def test_a_growing_file_that_fails_leaves_the_older_one(path):
    write_whole(path, b"old")
    with pytest.raises(RuntimeError), GrowingFile(path) as file:
        file.write("new")
        raise RuntimeError
    assert path.read_bytes() == b"old"
    assert list(path.parent.iterdir()) == [path]


def test_two_that_write_one_file_do_not_mix(path):
    with GrowingFile(path) as first, GrowingFile(path) as second:
        for _ in range(3):
            first.write("1")
            second.write("2")
    assert path.read_bytes() in (b"111", b"222")
    assert list(path.parent.iterdir()) == [path]


def test_a_growing_file_is_written_straight_into_a_device():
    with GrowingFile(Path("/dev/null")) as file:
        file.write("new")
    assert Path("/dev/null").is_char_device()


def test_names_that_are_not_utf_8_can_be_written_into_a_growing_file(path):
    with GrowingFile(path) as file:
        file.write(os.fsdecode(b"\xff"))
    assert path.read_bytes() == rb"\udcff"
