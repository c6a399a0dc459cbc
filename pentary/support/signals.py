"""Ending signals: SIGTERM and SIGHUP end a command as SIGINT (Ctrl-C) does, and all three can be deferred."""

import _thread
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

_MOMENT: Final = 0.02  # seconds
_LONGEST_IMPORT: Final = 3.0  # seconds; a user's module may train while it is imported, and has to end then, too

ENDING: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Terminated(KeyboardInterrupt):
    """Raised at SIGTERM or SIGHUP; as a KeyboardInterrupt it is handled like Ctrl-C."""


_received: int = signal.SIGINT
_sent_later: object | None = None
_import_interrupted: float | None = None  # by `time.monotonic`
_raised = False  # whether a signal has broken anything off


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
    """Raise `KeyboardInterrupt` at SIGINT, `Terminated` at SIGTERM and SIGHUP from now on.

    Signals that are ignored (as under nohup) or handled otherwise are left alone. Where an exception would be dropped
    or turned into another one, as in destructors, callbacks from C and modules that are being imported, the signal is
    sent again a moment later.
    """
    for number in ENDING:
        if signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
            signal.signal(number, _end)
    sys.unraisablehook = _heed_dropped


def end_at_once() -> None:
    """Let an ending signal end the process without an exception from now on, since all work is done."""
    for number in ENDING:
        if signal.getsignal(number) in _RAISING:
            signal.signal(number, signal.SIG_DFL)


def _end(number: int, frame: FrameType | None) -> None:
    global _sent_later, _import_interrupted, _raised
    if _importing(frame):
        now = time.monotonic()
        _import_interrupted = _import_interrupted or now
        if now - _import_interrupted < _LONGEST_IMPORT:
            _send_later(number)
            return
    _sent_later = _import_interrupted = None
    _raised = True
    note(number)
    raise KeyboardInterrupt if number == signal.SIGINT else Terminated


_RAISING: Final = (signal.default_int_handler, _end)


def _importing(frame: FrameType | None) -> bool:
    """Return whether an import statement is being executed: dataclasses, for one, replace exceptions by their own."""
    while frame is not None:
        if frame.f_code.co_name == "_find_and_load" and "importlib._bootstrap" in frame.f_code.co_filename:
            return True
        frame = frame.f_back
    return False


def _heed_dropped(dropped: "sys.UnraisableHookArgs") -> None:
    if isinstance(dropped.exc_value, KeyboardInterrupt):
        _send_later(_received if isinstance(dropped.exc_value, Terminated) else signal.SIGINT)
    elif not (_raised and _of_half_made_object(dropped)):
        sys.__unraisablehook__(dropped)


def _of_half_made_object(dropped: "sys.UnraisableHookArgs") -> bool:
    """Return whether a destructor has missed an attribute, as it does if a signal has broken off the constructor."""
    is_destructor = getattr(dropped.object, "__name__", "") == "__del__"
    return is_destructor and isinstance(dropped.exc_value, AttributeError)


def _send_later(number: int) -> None:
    """Send a signal to this process in a moment, unless one is heeded or to be sent before; never two for one."""
    global _sent_later
    if _sent_later is None:
        _sent_later = this = object()

        def send() -> None:
            global _sent_later
            time.sleep(_MOMENT)
            if _sent_later is this:
                _sent_later = None
                os.kill(os.getpid(), number)

        _thread.start_new_thread(send, ())  # no lock of `threading` is taken, which the interrupted code may hold


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
        replaced = {n: old for n, old in handlers.items() if old in _RAISING}

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
