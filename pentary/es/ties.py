"""Detection of steps without learning: if both members of every pair have equal fitness, no weight moves."""

from collections.abc import Sequence
from typing import Final

TIED_STEPS: Final = 10
"""Consecutive steps with all pairs tied that cause a warning; in a shorter run, all of its steps must be tied."""


class Ties:
    """Monitor of consecutive steps in which all pairs of a run tie.

    Args:
        steps: updates in the run.

    Attributes:
        longest: largest number of consecutive steps with all pairs tied, so far.
    """

    def __init__(self, steps: int) -> None:
        """Create a monitor for a run that has not begun."""
        self.longest = 0
        self._row = self._last = 0
        self._enough = min(TIED_STEPS, steps)
        self._told = False

    def add(self, step: int, tied: float) -> None:
        """Record a step.

        Args:
            step: its number, 1, 2, ...
            tied: share of the pairs whose members had equal fitness in it.
        """
        self._row = self._row + 1 if tied == 1 else 0
        if self._row > self.longest:
            self.longest, self._last = self._row, step

    def facts(self) -> list[int]:
        """Return what `recall` takes, as JSON values."""
        return [self.longest, self._row, self._last, int(self._told)]

    def recall(self, facts: Sequence[int]) -> None:
        """Go on from the facts of another monitor."""
        self.longest, self._row, self._last = (int(fact) for fact in facts[:3])
        self._told = bool(facts[3])

    def warning(self) -> str | None:
        """Return a one-sentence warning about the longest series of tied steps; None if it is too short for one.

        >>> ties = Ties(steps=100)
        >>> for step in range(1, 21):
        ...     ties.add(step, tied=1.0 if step > 5 else 0.25)
        >>> ties.warning()  # doctest: +ELLIPSIS
        'in 15 steps in a row, 6 to 20, both members of every pair had equal fitness, so no weight moved: ...'
        """
        if self.longest < self._enough:
            return None
        which = f"in step {self._last}"
        if self.longest > 1:
            which = f"in {self.longest:,} steps in a row, {self._last - self.longest + 1:,} to {self._last:,}"
        return (
            f"{which}, both members of every pair had equal fitness, so no weight moved: take more members "
            "(--population), or a fitness that tells smaller changes apart"
        )

    def news(self) -> str | None:
        """Return the warning when there is one for the first time, and None otherwise."""
        warning = None if self._told else self.warning()
        self._told = warning is not None or self._told
        return warning
