"""Writing files: whole or not at all, and what the operating system refuses is told in one line."""

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
        part = target.with_name(f".{target.name}.part")
        try:
            part.write_bytes(content)
            part.replace(target)
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
    try:
        yield
    except OSError as error:
        raise PentaryError(f"cannot write {path}: {error.strerror or error}") from error
