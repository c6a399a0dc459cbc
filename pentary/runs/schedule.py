"""When a run is due for a checkpoint: every so many steps, every so many minutes, or as often as costs little."""

import re
from time import monotonic
from typing import Final

from pentary.numbers.word import PentaryError

SHARE: Final = 0.02
"""Greatest share of the time that goes into checkpoints, if nothing else is asked for."""

_AGAIN: Final = 10.0
"""Seconds until one that could not be written is tried again, at the earliest."""


class Schedule:
    """When checkpoints are due.

    Args:
        every: "100" for every 100 steps, "5m" for every 5 minutes, or "" for the share of the time.

    Raises:
        PentaryError: it is none of these.
    """

    def __init__(self, every: str = "") -> None:
        """Make a schedule for a run that has no checkpoint yet, which is due at once."""
        match = re.fullmatch(r"([0-9]{1,9})|([0-9]{1,6}(?:\.[0-9]{1,6})?)m|", every)
        if match is None or (match[1] and not int(match[1])):
            raise PentaryError(f"--checkpoint {every}: give a number of steps, such as 100, or of minutes, such as 5m")
        self._steps = int(match[1]) if match[1] else None
        self._seconds = 60 * float(match[2]) if match[2] else None
        self._next_step, self._next_time = 0, 0.0

    def is_due(self, step: int) -> bool:
        """Return whether a checkpoint is due after a step."""
        return monotonic() >= self._next_time and step >= self._next_step

    def done(self, step: int, took: float, failed: bool = False) -> None:
        """Count a checkpoint.

        Args:
            step: after which it was made.
            took: seconds that it took.
            failed: whether it could not be written.
        """
        pause = took / SHARE if self._seconds is None else self._seconds
        if self._steps is not None:
            pause, self._next_step = 0.0, step + self._steps
        self._next_time = monotonic() + (max(pause, _AGAIN) if failed else pause)
