"""Writing files: whole or not at all, and what the operating system refuses is told in one line."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pentary.word import PentaryError


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
            part.replace(target)


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


@contextmanager
def _part(target: Path, content: bytes) -> Iterator[Path]:
    """Write a file beside its target; it is gone at the end of the context."""
    part = target.with_name(f".pentary-{os.getpid()}.part")  # no other process writes this one
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
