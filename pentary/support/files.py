"""Writing files: whole or not at all, and what the operating system refuses is told in one line."""

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
    """Write a file that appears whole or not at all.

    A symbolic link stays, what it points to is written. What is no regular file (a device, a pipe) cannot be replaced:
    the bytes go straight into it.

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


def write_new(path: Path, content: bytes) -> None:
    """Write a file that is not there yet; it appears whole, and of several processes only one makes it.

    Args:
        path: of the file.
        content: of the file.

    Raises:
        FileExistsError: the file is there.
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
    """A text file (UTF-8) that is written bit by bit, and appears when it is closed, in place of an older one.

    As for `write_whole`, a symbolic link stays, and the text goes straight into what is no regular file. In a `with`
    statement, an exception discards the file.

    Args:
        path: of the file.

    Raises:
        OSError: the file cannot be written; so do `write`, and `close`, which discards the file then.
    """

    def __init__(self, path: Path) -> None:
        """Open a file beside the one that is there."""
        self._path = path
        in_place = path.exists() and not path.is_file()
        self._target = None if in_place else Path(os.path.realpath(path))
        self._part = path if self._target is None else _beside(self._target)
        # Names of files come into the text, and need not be UTF-8.
        super().__init__(self._part.open("wb"), encoding="utf-8", errors="backslashreplace", newline="\n")

    @property
    def name(self) -> str:
        """The name of the file that appears."""
        return str(self._path)

    def close(self) -> None:
        """Let the file appear; nothing if it has been closed."""
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
        """Close the file and delete it; what was there before stays."""
        with suppress(OSError):  # closing tries to write what is left
            super().close()
        if self._target is not None:
            self._part.unlink(missing_ok=True)

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        """Close or discard the file."""
        self.close() if kind is None else self.discard()


def _beside(target: Path) -> Path:
    """Return the name of a new file in the same folder, which no one else writes."""
    return target.with_name(f".pentary-{secrets.token_hex(8)}.part")


def _replace(target: Path, part: Path) -> None:
    """Put a file in the place of another, if there is one, with its permissions."""
    with suppress(FileNotFoundError):
        shutil.copymode(target, part)
    part.replace(target)


@contextmanager
def _part(target: Path, content: bytes) -> Iterator[Path]:
    """Write a file beside its target; it is gone at the end of the context."""
    part = _beside(target)
    try:
        part.write_bytes(content)
        yield part
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Tell in one line what the operating system refuses in the body: full disk, no permission, ...

    Args:
        path: what is written.

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
