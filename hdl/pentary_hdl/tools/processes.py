"""Programs that do not outlive us: neither they nor what they have started."""

import os
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

from pentary.support.signals import deferred

_PATIENCE: Final = 5  # seconds for killed processes to be gone


class Process(subprocess.Popen[Any]):
    """A program with a group of its own; if an exception such as Ctrl-C ends the wait for it, the whole group ends.

    What Python does is to end the program, but not the compilers that a `make` has started.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        """Start the program; a signal that comes meanwhile ends it."""
        try:
            with deferred():
                super().__init__(*arguments, **{**options, "process_group": 0})
        except KeyboardInterrupt:
            self._end_group()
            raise

    def communicate(self, *arguments: Any, **options: Any) -> tuple[Any, Any]:
        """Wait for its end, and return what it has printed."""
        try:
            return super().communicate(*arguments, **options)
        except BaseException:
            self._end_group()
            raise

    def _end_group(self) -> None:
        """End all, and wait for it, so that the folder in which they write can be deleted."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self.wait()
        until = time.monotonic() + _PATIENCE
        with suppress(ProcessLookupError):  # the group is gone
            while time.monotonic() < until:
                os.killpg(self.pid, 0)
                time.sleep(0.01)


def run(command: Sequence[str | Path], **options: Any) -> "subprocess.CompletedProcess[Any]":
    """Run a program to its end; arguments are those of `subprocess.run`."""
    with ending_with_us():
        return subprocess.run(command, **options)


def ending_with_us() -> AbstractContextManager[object]:
    """Return a context in which programs that libraries start are a `Process`, too."""
    return patch("subprocess.Popen", Process)
