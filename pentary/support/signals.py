"""Ending signals: SIGTERM and SIGHUP end a command as SIGINT (Ctrl-C) does, and all three can be deferred."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_MOMENT: Final = 0.02  # seconds

ENDING: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Terminated(KeyboardInterrupt):
    """Raised at SIGTERM or SIGHUP; as a KeyboardInterrupt it is handled like Ctrl-C."""


_received: int = signal.SIGINT
_again: threading.Timer | None = None


def note(number: int) -> None:
    """Record the number of the signal that ends the command, for its exit status."""
    global _received
    _received = number


def terminated() -> bool:
    """Return whether SIGTERM or SIGHUP has ended the command; False for Ctrl-C, which some commands survive."""
    return _received != signal.SIGINT


def exit_code() -> int:
    """Return the exit status of an interrupted command: 128 plus the signal's number, 130 for Ctrl-C."""
    return 128 + _received


def end_like_ctrl_c() -> None:
    """Raise `Terminated` at SIGTERM and SIGHUP from now on, unless one is ignored (as under nohup) or handled.

    Where Python drops exceptions, as in destructors and callbacks from C, the signal is sent again a moment later.
    """
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _terminate)
    sys.unraisablehook = _send_again


def end_at_once() -> None:
    """Let an ending signal end the process without an exception from now on, since all work is done."""
    for number in ENDING:
        if signal.getsignal(number) in (signal.default_int_handler, _terminate):
            signal.signal(number, signal.SIG_DFL)


def _send_again(dropped: "sys.UnraisableHookArgs") -> None:
    if not isinstance(dropped.exc_value, KeyboardInterrupt):
        sys.__unraisablehook__(dropped)
        return
    global _again
    if _again is None or not _again.is_alive():  # one at a time, so that none comes after the command has heeded one
        number = _received if isinstance(dropped.exc_value, Terminated) else signal.SIGINT
        _again = threading.Timer(_MOMENT, os.kill, (os.getpid(), number))
        _again.daemon = True
        _again.start()


def _terminate(number: int, frame: object) -> None:
    note(number)
    raise Terminated


@contextmanager
def collected() -> Iterator[list[int]]:
    """Collect the first ending signal instead of raising an exception; a second one is raised at once.

    Signals that are ignored, or have handlers other than Python's default or those of this module, are left alone; so
    are all signals outside the main thread, which cannot change handlers.

    Yields:
        A list to which the number of the signal is appended.
    """
    received: list[int] = []
    replaced = {}
    if threading.current_thread() is threading.main_thread():
        handlers = {number: signal.getsignal(number) for number in ENDING}
        replaced = {n: old for n, old in handlers.items() if old in (signal.default_int_handler, _terminate)}

    def restore() -> None:
        for number, handler in replaced.items():
            signal.signal(number, handler)

    def collect(number: int, frame: object) -> None:
        note(number)
        received.append(number)
        restore()

    for number in replaced:
        signal.signal(number, collect)
    try:
        yield received
    finally:
        restore()


@contextmanager
def deferred() -> Iterator[None]:
    """Defer an ending signal until the end of the body, which should be short.

    Raises:
        KeyboardInterrupt: a signal arrived during the body; `Terminated` if it was not Ctrl-C.
    """
    with collected() as received:
        yield
    if received:
        raise KeyboardInterrupt if received[0] == signal.SIGINT else Terminated
