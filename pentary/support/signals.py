"""SIGTERM and SIGHUP, which end a command as Ctrl-C does, and how each of the three is held back for a while."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

ENDING: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Terminated(KeyboardInterrupt):
    """SIGTERM or SIGHUP has come: what sees to Ctrl-C sees to this, too."""


_received: int = signal.SIGINT


def note(number: int) -> None:
    """Keep the number of a signal that ends the command, for its exit status."""
    global _received
    _received = number


def terminated() -> bool:
    """Tell whether SIGTERM or SIGHUP has ended the command, and not Ctrl-C, which some commands survive."""
    return _received != signal.SIGINT


def exit_code() -> int:
    """Return the exit status of an interrupted command: 128 and the signal's number, 130 for Ctrl-C."""
    return 128 + _received


def end_like_ctrl_c() -> None:
    """Raise `Terminated` at SIGTERM and SIGHUP from now on; who ignores one of them, such as nohup, is heeded."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _terminate)


def end_at_once() -> None:
    """Let an ending signal end the process without an exception from now on: all has been done and told."""
    for number in ENDING:
        if signal.getsignal(number) in (signal.default_int_handler, _terminate):
            signal.signal(number, signal.SIG_DFL)


def _terminate(number: int, frame: object) -> None:
    note(number)
    raise Terminated


@contextmanager
def collected() -> Iterator[list[int]]:
    """Collect the first ending signal instead of raising an exception; a second one is raised at once.

    Signals whose handlers are neither Python's own nor ours, or which are ignored, stay as they are. So do all of them
    outside the main thread, which cannot change handlers.

    Yields:
        A list that gets the number of the signal.
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
    """Raise an ending signal after the body, which is short and not to be torn.

    Raises:
        KeyboardInterrupt: one has come during the body; `Terminated` if it was not Ctrl-C.
    """
    with collected() as received:
        yield
    if received:
        raise KeyboardInterrupt if received[0] == signal.SIGINT else Terminated
