"""Child processes that end with this program, together with all processes that they have started."""

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
    """A child in its own process group; an exception during the wait for it, such as Ctrl-C, kills the whole group.

    Python itself kills only the child, not, for example, the compilers that a `make` has started.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        """Start the program; a signal during the start kills it."""
        try:
            with deferred():
                super().__init__(*arguments, **{**options, "process_group": 0})
        except KeyboardInterrupt:
            self._end_group()
            raise

    def communicate(self, *arguments: Any, **options: Any) -> tuple[Any, Any]:
        """Wait for the program's end, and return its output."""
        try:
            return super().communicate(*arguments, **options)
        except BaseException:
            self._end_group()
            raise

    def _end_group(self) -> None:
        """Kill the group and wait until it is gone, so that the folder that it writes to can be deleted."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self.wait()
        until = time.monotonic() + _PATIENCE
        with suppress(ProcessLookupError):  # the group is gone
            while time.monotonic() < until:
                os.killpg(self.pid, 0)
                time.sleep(0.01)


def run(command: Sequence[str | Path], **options: Any) -> "subprocess.CompletedProcess[Any]":
    """Run a program to its end, with the arguments of `subprocess.run`."""
    with ending_with_us():
        return subprocess.run(command, **options)


def ending_with_us() -> AbstractContextManager[object]:
    """Return a context in which programs that libraries start are a `Process` too."""
    return patch("subprocess.Popen", Process)
