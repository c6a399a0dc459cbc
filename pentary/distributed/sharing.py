"""Who evaluates which pairs: any worker any, by its pace; or each its own, where pairs carry something along."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from time import monotonic
from typing import Final, Protocol

from pentary.distributed.channel import Channel

SLACK: Final = 2.0
"""How many times as long as the slowest that is done a job may take until a free worker does it, too."""

MARGIN: Final = 0.1
"""Seconds that it may take longer in any case."""

ALONE: Final = 10.0
"""Seconds that it may take if no other is done."""

SLOW: Final = (6.0, 3.0)
"""How many times as long as the slowest that is done, and how many seconds at least, a worker may take for its own."""

FIRST: Final = 60.0
"""Seconds that a worker may take for its first job: it may compile code."""


@dataclass(frozen=True)
class Job:
    """Pairs that a worker evaluates.

    Attributes:
        step: number of it.
        part: the pairs.
        began: by `time.monotonic`.
    """

    step: int
    part: slice
    began: float


@dataclass(eq=False)
class Seat:
    """A worker, as the coordinator sees it.

    Attributes:
        channel: to it.
        name: for messages.
        step: after which its copy is, when it has done what it was sent.
        job: what it does; None if it is free.
        pace: seconds that a pair took in its last job; None before that.
        given: what some pairs carry, as it has told last.
    """

    channel: Channel
    name: str
    step: int = 0
    job: Job | None = None
    pace: float | None = None
    given: bytes | None = None


class Sharing(Protocol):
    """Who evaluates which pairs."""

    def divide(self, pairs: int, seats: Sequence[Seat]) -> list[slice]:
        """Return the pairs of a step in slices, one or more for each worker that is free."""
        ...

    def choose(
        self, seat: Seat, missing: Sequence[slice], seats: Sequence[Seat], step: int, longest: float
    ) -> slice | None:
        """Return what a free worker evaluates next, if anything.

        Args:
            seat: the worker.
            missing: slices of which nothing is known.
            seats: all workers.
            step: number of the step.
            longest: seconds that the slowest job took that is done; 0 if none is.
        """
        ...

    def content(self, part: slice, step: int) -> bytes | None:
        """Return what pairs carry that a worker takes over, after a step; None if it has them already."""
        ...

    def owner(self, part: slice) -> Seat | None:
        """Return the worker that has what some pairs carry, if any has."""
        ...

    def overdue(self, seats: Sequence[Seat], step: int, longest: float) -> list[Seat]:
        """Return the workers that are too slow to be waited for."""
        ...

    def lost(self, seat: Seat) -> None:
        """Take note that a worker is gone."""
        ...

    def needs(self) -> int | None:
        """Return from which step on shaped fitness has to be kept; None if none has to."""
        ...


def running(part: slice, seats: Sequence[Seat], step: int) -> list[Job]:
    """Return the jobs of a step that are about some pairs."""
    jobs = [seat.job for seat in seats if seat.job is not None]
    return [job for job in jobs if job.step == step and job.part == part]


def divided(pairs: int, weights: Sequence[float]) -> list[slice]:
    """Return slices that cover pairs, about as long as some weights say; none is empty.

    >>> divided(10, [3.0, 1.0, 1.0, 0.01])
    [slice(0, 6, None), slice(6, 8, None), slice(8, 10, None)]
    """
    total, ends = sum(weights), [0]
    for number in range(len(weights)):
        ends.append(round(pairs * sum(weights[: number + 1]) / total))
    return [slice(first, stop) for first, stop in pairwise(ends) if stop > first]


class Free:
    """Any worker evaluates any pairs, as many as its pace says; what a slow one has not done, a free one does, too."""

    def divide(self, pairs: int, seats: Sequence[Seat]) -> list[slice]:
        """Return slices by the paces of the workers."""
        known = [seat.pace for seat in seats if seat.pace]
        usual = sum(known) / len(known) if known else 1.0
        return divided(pairs, [1 / (seat.pace or usual) for seat in seats])

    def choose(
        self, seat: Seat, missing: Sequence[slice], seats: Sequence[Seat], step: int, longest: float
    ) -> slice | None:
        """Return the longest slice that nobody evaluates, or one that somebody evaluates for too long."""
        jobs = [(part, running(part, seats, step)) for part in missing]
        left = [part for part, at_it in jobs if not at_it]
        if left:
            return max(left, key=lambda part: part.stop - part.start)
        now, late = monotonic(), SLACK * longest + MARGIN if longest else ALONE
        return next((part for part, at_it in jobs if len(at_it) == 1 and now - at_it[0].began > late), None)

    def content(self, part: slice, step: int) -> bytes | None:
        """Return None: pairs carry nothing."""
        return None

    def owner(self, part: slice) -> Seat | None:
        """Return None: pairs carry nothing."""
        return None

    def overdue(self, seats: Sequence[Seat], step: int, longest: float) -> list[Seat]:
        """Return none: others do what a slow worker has not done."""
        return []

    def lost(self, seat: Seat) -> None:
        """Do nothing: what it was to do, a free one does."""

    def needs(self) -> int | None:
        """Return None: a worker that is behind can be sent the state."""
        return None


@dataclass
class _Part:
    pairs: slice
    owner: Seat | None
    is_there: bool  # whether the owner has what the pairs carry


class Staying:
    """Each worker keeps its pairs, which carry something from step to step, until it is lost.

    Its pairs then go to a worker that has none, or else to any; one that comes later takes them over.

    Args:
        recover: returns what some pairs carry after a step, from what was known of an earlier one.

    Attributes:
        base: step after which it is known here what all pairs carry.
    """

    def __init__(self, recover: Callable[[slice, int], bytes], base: int = 0) -> None:
        """Give no pairs to anybody yet."""
        self._recover, self.base = recover, base
        self._parts: list[_Part] = []

    @property
    def parts(self) -> list[slice]:
        """The pairs of each worker."""
        return [part.pairs for part in self._parts]

    def divide(self, pairs: int, seats: Sequence[Seat]) -> list[slice]:
        """Return slices of about the same length, one for each worker of the first step."""
        if not self._parts:
            slices = divided(pairs, [1.0] * len(seats))
            self._parts = [_Part(part, seat, self.base == 0) for part, seat in zip(slices, seats, strict=False)]
        return self.parts

    def choose(
        self, seat: Seat, missing: Sequence[slice], seats: Sequence[Seat], step: int, longest: float
    ) -> slice | None:
        """Return a slice of the worker's own; else one that was a lost one's, or is another's second."""
        left = [part for part in self._parts if part.pairs in missing and not running(part.pairs, seats, step)]
        for part in left:
            if part.owner is seat:
                return part.pairs
        owned = [part.owner for part in self._parts]
        least = min(owned.count(other) for other in seats)
        for part in left:
            is_second = part.owner is not None and owned.count(part.owner) > 1 and owned.count(seat) == 0
            if is_second or (part.owner is None and owned.count(seat) == least):
                part.owner, part.is_there = seat, False
                return part.pairs
        return None

    def content(self, part: slice, step: int) -> bytes | None:
        """Return what pairs carry, if their worker has just got them."""
        own = self._of(part)
        if own.is_there:
            return None
        own.is_there = True
        return self._recover(part, step)

    def owner(self, part: slice) -> Seat | None:
        """Return the worker that has what some pairs carry."""
        own = self._of(part)
        return own.owner if own.is_there else None

    def overdue(self, seats: Sequence[Seat], step: int, longest: float) -> list[Seat]:
        """Return the workers for which others wait too long."""
        factor, least = SLOW
        late, now = max(factor * longest, least), monotonic()
        return [
            seat
            for seat in seats
            if longest and seat.job and seat.job.step == step and now - seat.job.began > (late if seat.pace else FIRST)
        ]

    def lost(self, seat: Seat) -> None:
        """Take note that nobody has what its pairs carry."""
        for part in self._parts:
            if part.owner is seat:
                part.owner, part.is_there = None, False

    def needs(self) -> int | None:
        """Return the step after that of which all is known."""
        return self.base + 1

    def _of(self, part: slice) -> _Part:
        return next(own for own in self._parts if own.pairs == part)
