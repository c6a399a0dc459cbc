"""Losses: an integer for every example, from the results of a network and what they should be.

The losses of a member's examples are summed in 64 bits.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from pentary.nets.operations import Values
from pentary.nets.tables import LOGARITHMS, LOGIT, LOSS_PER_BIT, POWERS
from pentary.numbers.word import WORD_MAX, PentaryError

Targets = NDArray[np.int64]

Goal = Literal["classification", "regression"]


class Loss(Protocol):
    """A loss.

    Attributes:
        goal: whether targets are classes, (examples,), or numbers, (examples, outputs).
        unit: divisor of a loss in reports.
    """

    goal: ClassVar[Goal]

    @property
    def unit(self) -> int:
        """Return the divisor of one example's loss in reports."""
        ...

    def check(self, outputs: Values) -> None:
        """Raise PentaryError if results of a network are none that the loss can take."""
        ...

    def totals(self, outputs: NDArray[np.float32], targets: Targets) -> NDArray[np.int64]:
        """Return the summed losses of some members.

        Args:
            outputs: (members, examples, outputs) integers in float32.
            targets: of the examples.

        Returns:
            (members,) int64.
        """
        ...


@dataclass(frozen=True)
class SquaredHinge:
    """The sum over the wrong classes of the square of what they lack of being `margin` behind the right one.

    Attributes:
        margin: in units of the results.
    """

    margin: int = 12
    goal: ClassVar[Goal] = "classification"

    @property
    def unit(self) -> int:
        """Return the square of the margin: the loss of one wrong class as great as the right one."""
        return self.margin**2

    def check(self, outputs: Values) -> None:
        """Refuse results that are no row of numbers, or too large: see `Loss.check`."""
        _check_row("squared hinge", outputs)
        if not isinstance(self.margin, int) or self.margin < 1:
            raise PentaryError(f"squared hinge: a margin of {self.margin} is not an integer above 0")
        _check_size("squared hinge", outputs.size * (outputs.high - outputs.low + self.margin) ** 2)

    def totals(self, outputs: NDArray[np.float32], targets: Targets) -> NDArray[np.int64]:
        """Return the summed losses of some members: see `Loss.totals`."""
        from pentary.nets import kernels

        sums = np.zeros(len(outputs), np.int64)
        kernels.add_squared_hinge(outputs, targets, self.margin, sums)
        return sums


@dataclass(frozen=True)
class CrossEntropy:
    """Integer cross-entropy from tables, in units of 1/625 bit, of results in units of 1/25 bit: see `tables`."""

    goal: ClassVar[Goal] = "classification"

    @property
    def unit(self) -> int:
        """Return the units in a bit."""
        return LOSS_PER_BIT

    def check(self, outputs: Values) -> None:
        """Refuse results that are no row of numbers, or outside the tables: see `Loss.check`."""
        _check_row("cross-entropy", outputs)
        largest = len(POWERS) // 2
        if outputs.limit > largest:
            raise PentaryError(
                f"cross-entropy: the results {outputs} are outside ±{largest}: end the network with Clamp({largest})"
            )

    def totals(self, outputs: NDArray[np.float32], targets: Targets) -> NDArray[np.int64]:
        """Return the summed losses of some members: see `Loss.totals`."""
        from pentary.nets import kernels

        sums = np.zeros(len(outputs), np.int64)
        kernels.add_cross_entropy(outputs, targets, POWERS, LOGARITHMS, LOGIT, LOSS_PER_BIT, sums)
        return sums


@dataclass(frozen=True)
class SquaredError:
    """The sum of the squares of results less targets.

    Attributes:
        scale: units of the results in one standard deviation of the targets, to which these are quantised.
    """

    scale: int = 62
    goal: ClassVar[Goal] = "regression"

    @property
    def unit(self) -> int:
        """Return the square of the scale: the loss of what is off by a standard deviation."""
        return self.scale**2

    def check(self, outputs: Values) -> None:
        """Refuse results that are no row of numbers, or too large: see `Loss.check`."""
        _check_row("squared error", outputs)
        if not isinstance(self.scale, int) or self.scale < 1:
            raise PentaryError(f"squared error: a scale of {self.scale} is not an integer above 0")
        _check_size("squared error", outputs.size * (2 * outputs.limit) ** 2)

    def totals(self, outputs: NDArray[np.float32], targets: Targets) -> NDArray[np.int64]:
        """Return the summed losses of some members: see `Loss.totals`."""
        from pentary.nets import kernels

        sums = np.zeros(len(outputs), np.int64)
        kernels.add_squared_error(outputs, targets, sums)
        return sums


def _check_row(what: str, outputs: Values) -> None:
    if len(outputs.shape) != 1 or outputs.tokens:
        raise PentaryError(f"{what}: the network ends in {outputs}, not in one row of numbers: put a Flatten before")


def _check_size(what: str, largest: int) -> None:
    if largest > WORD_MAX:
        raise PentaryError(f"{what}: the loss of an example can reach {largest}, and a word holds {WORD_MAX}")


__all__ = ["CrossEntropy", "Loss", "SquaredError", "SquaredHinge", "Targets"]
