"""Lock of a run's folder: two processes cannot write to one run, and a dead process leaves no lock behind.

The lock is a record lock of POSIX on the file `.lock`, in which the process that holds it has written its number; the
file itself means nothing. Processes that it starts do not inherit the lock, so none of them keeps it.
"""

import fcntl
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from pentary.numbers.word import PentaryError
from pentary.support.files import writing

NAME: Final = ".lock"

_PATIENCE: Final = 0.5
"""Seconds in which a lock is tried again: whoever looks whether it is free holds it for a moment."""


@contextmanager
def locked(run: Path) -> Iterator[None]:
    """Hold the lock of a run in the body.

    Args:
        run: folder of the run.

    Raises:
        PentaryError: another process holds it, or the file cannot be written.
    """
    with writing(run / NAME):
        descriptor = os.open(run / NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        if not _taken(descriptor, fcntl.LOCK_EX, _PATIENCE):
            raise _held(run, _told(descriptor))
        with suppress(OSError):  # a full disk: the lock holds all the same
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"process {os.getpid()} on {socket.gethostname()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def check_free(run: Path) -> None:
    """Raise PentaryError if another process holds the lock of a run; not to be called while this one holds it.

    Args:
        run: folder of the run; one that is not there is free.
    """
    if (found := holder(run)) is not None:
        raise _held(run, found)


def holder(run: Path) -> str | None:
    """Return which process holds the lock of a run, such as "process 12 on host"; None if no process does."""
    try:
        descriptor = os.open(run / NAME, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        return None if _taken(descriptor, fcntl.LOCK_SH, 0) else _told(descriptor)
    finally:
        os.close(descriptor)


def _held(run: Path, holder: str) -> PentaryError:
    return PentaryError(f"{run} is being written by {holder}: end that first, or take another folder")


def _taken(descriptor: int, kind: int, patience: float) -> bool:
    """Return whether a lock could be had."""
    until = time.monotonic() + patience
    while True:
        try:
            fcntl.lockf(descriptor, kind | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if time.monotonic() >= until:
                return False
            time.sleep(0.02)
        except OSError:
            return True  # a file system without locks


def _told(descriptor: int) -> str:
    text = os.pread(descriptor, 200, 0).decode(errors="replace").strip()
    return text if text.isprintable() and text else "another process"
