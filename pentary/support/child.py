"""Child processes."""

import ctypes
import signal
import sys
from collections.abc import Iterable
from typing import Final

_DIE_WITH_PARENT: Final = 1  # PR_SET_PDEATHSIG of Linux


def work_for_parent(ignored: Iterable[signal.Signals]) -> None:
    """Make this process end with its parent, and ignore signals that the parent handles.

    Args:
        ignored: signals to be ignored.
    """
    for number in ignored:
        signal.signal(number, signal.SIG_IGN)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
