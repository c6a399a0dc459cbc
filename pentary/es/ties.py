"""Steps without learning: where all pairs of members tie, no weight moves, and nothing else would say so."""

from typing import Final

TIED_STEPS: Final = 10
"""After so many steps in a row in which every pair tied there is a warning; a shorter run must tie in all its steps."""


class Ties:
    """Watches the ties of a run.

    Args:
        steps: updates in the run.

    Attributes:
        longest: most steps in a row in which every pair tied, so far.
    """

    def __init__(self, steps: int) -> None:
        """Begin before the first step."""
        self.longest = 0
        self._row = self._last = 0
        self._enough = min(TIED_STEPS, steps)
        self._told = False

    def add(self, step: int, tied: float) -> None:
        """Take in a step.

        Args:
            step: its number, 1, 2, ...
            tied: share of the pairs whose members had equal fitness in it.
        """
        self._row = self._row + 1 if tied == 1 else 0
        if self._row > self.longest:
            self.longest, self._last = self._row, step

    def warning(self) -> str | None:
        """Return what there is to say at the end of a run, in a sentence; None if there is nothing.

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
        """Return the warning the first time that there is one, and None ever after."""
        warning = None if self._told else self.warning()
        self._told = warning is not None or self._told
        return warning
