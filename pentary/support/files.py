"""Atomic and durable writing of files; errors of the operating system become one-line messages."""

import errno
import io
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pentary.numbers.word import PentaryError


def write_whole(path: Path, content: bytes) -> None:
    """Write a file atomically: it appears whole or not at all.

    A symbolic link is kept, and its target written. A path that is not a regular file (a device, a pipe) cannot be
    replaced: the bytes are written straight into it.

    Args:
        path: of the file; one that exists is replaced.
        content: of the file.

    Raises:
        PentaryError: the file cannot be written.
    """
    with writing(path):
        if path.exists() and not path.is_file():
            path.write_bytes(content)
            return
        target = Path(os.path.realpath(path))
        with _part(target, content) as part:
            _replace(target, part)


def write_durably(path: Path, content: bytes) -> None:
    """Write a regular file atomically and durably: after a power loss it is there whole, or what was there before.

    Args:
        path: of the file; one that exists is replaced.
        content: of the file.

    Raises:
        PentaryError: the file cannot be written.
    """
    with writing(path), _part(path, content) as part:
        sync(part)
        _replace(path, part)
        sync(path.parent)


def sync(path: Path) -> None:
    """Wait until the content of a file, or the names in a folder, are on the disk.

    Raises:
        OSError: they cannot be written.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_new(path: Path, content: bytes) -> None:
    """Create a file atomically; if several processes try, only one succeeds.

    Args:
        path: of the file.
        content: of the file.

    Raises:
        FileExistsError: the file exists already.
        PentaryError: the file cannot be written.
    """
    with _telling(path, FileExistsError), _part(path, content) as part:
        try:
            os.link(part, path)
        except OSError as error:
            if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.EMLINK):
                raise
            with path.open("xb") as file:  # a file system without links
                file.write(content)


class GrowingFile(io.TextIOWrapper):
    """A UTF-8 text file that is written incrementally, and replaces an older one only when it is closed.

    As for `write_whole`, a symbolic link is kept, and a path that is not a regular file is written directly. In a
    `with` statement, an exception discards the file.

    Args:
        path: of the file.

    Raises:
        OSError: the file cannot be written. `write` and `close` raise it too; `close` then discards the file.
    """

    def __init__(self, path: Path) -> None:
        """Open a temporary file beside the target."""
        self._path = path
        in_place = path.exists() and not path.is_file()
        self._target = None if in_place else Path(os.path.realpath(path))
        self._part = path if self._target is None else _beside(self._target)
        # The text may contain file names, which need not be UTF-8.
        super().__init__(self._part.open("wb"), encoding="utf-8", errors="backslashreplace", newline="\n")

    @property
    def name(self) -> str:
        """Name of the target file."""
        return str(self._path)

    def close(self) -> None:
        """Close the file and move it to its target; do nothing if it is closed already."""
        if self.closed:
            return
        try:
            super().close()
            if self._target is not None:
                _replace(self._target, self._part)
        except OSError:
            self.discard()
            raise

    def discard(self) -> None:
        """Close the file and delete it; an older file remains."""
        with suppress(OSError):  # closing tries to write what is left
            super().close()
        if self._target is not None:
            self._part.unlink(missing_ok=True)

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        """Close the file, or discard it after an exception."""
        self.close() if kind is None else self.discard()


def _beside(target: Path) -> Path:
    """Return a unique name for a temporary file in the same folder."""
    return target.with_name(f".pentary-{secrets.token_hex(8)}.part")


def _replace(target: Path, part: Path) -> None:
    """Move a file to its target, with the permissions of an older file there."""
    with suppress(FileNotFoundError):
        shutil.copymode(target, part)
    part.replace(target)


@contextmanager
def _part(target: Path, content: bytes) -> Iterator[Path]:
    """Write a temporary file beside its target; at the end of the context it is deleted, unless moved."""
    part = _beside(target)
    try:
        part.write_bytes(content)
        yield part
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn an error of the operating system in the body (full disk, no permission, ...) into a one-line message.

    Args:
        path: file or folder that is written.

    Raises:
        PentaryError: in place of an OSError.
    """
    with _telling(path):
        yield


@contextmanager
def _telling(path: Path, *but: type[OSError]) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if isinstance(error, but):
            raise
        raise PentaryError(f"cannot write {path}: {error.strerror or error}") from error
