"""Who evaluates which pairs: any worker any, by its pace; or each its own, where pairs carry something along."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
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

FRESH: Final = 2
"""Steps after which pairs can still be cut anew: reading so many again costs little."""

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


Jobs = Mapping[int, Sequence[Job]]
"""Jobs by the first of their pairs."""


@dataclass(eq=False)
class Seat:
    """A worker, as the coordinator sees it.

    Attributes:
        channel: to it.
        name: for messages.
        step: after which its copy is, when it has done what it was sent.
        job: what it does; None if it is free.
        pace: seconds that a pair took in its last job; None before that.
        given: the first of some pairs, and what they carry, as it has told last.
    """

    channel: Channel
    name: str
    step: int = 0
    job: Job | None = None
    pace: float | None = None
    given: tuple[int, bytes] | None = None


class Sharing(Protocol):
    """Who evaluates which pairs."""

    def divide(self, pairs: int, seats: Sequence[Seat], before: int) -> list[slice]:
        """Return the pairs of a step in slices, for the workers that are free.

        Args:
            pairs: of the population.
            seats: the workers that are free, the fastest first.
            before: steps that are done.
        """
        ...

    def assign(
        self, free: Sequence[Seat], missing: Sequence[slice], jobs: Jobs, seats: Sequence[Seat], longest: float
    ) -> list[tuple[Seat, slice]]:
        """Return which workers evaluate what next.

        Args:
            free: workers without a job, the fastest first.
            missing: slices of which nothing is known.
            jobs: those of this step.
            seats: all workers.
            longest: seconds that the slowest job took that is done; 0 if none is.
        """
        ...

    def content(self, part: slice, step: int) -> bytes | None:
        """Return what pairs carry that their worker has yet to be sent, after a step; None if it has them."""
        ...

    def carried(self, part: slice) -> None:
        """Take note that what pairs carry was sent to their worker."""
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


def divided(pairs: int, weights: Sequence[float]) -> list[slice]:
    """Return slices that cover pairs, about as long as some weights say; none is empty.

    >>> divided(10, [3.0, 1.0, 1.0, 0.01])
    [slice(0, 6, None), slice(6, 8, None), slice(8, 10, None)]
    """
    sums = list(accumulate(weights))
    ends = [0, *(round(pairs * each / sums[-1]) for each in sums)]
    return [slice(first, stop) for first, stop in pairwise(ends) if stop > first]


class Free:
    """Any worker evaluates any pairs, as many as its pace says; what a slow one has not done, a free one does, too."""

    def divide(self, pairs: int, seats: Sequence[Seat], before: int) -> list[slice]:
        """Return slices by the paces of the workers."""
        known = [seat.pace for seat in seats if seat.pace]
        usual = sum(known) / len(known) if known else 1.0
        return divided(pairs, [1 / (seat.pace or usual) for seat in seats])

    def assign(
        self, free: Sequence[Seat], missing: Sequence[slice], jobs: Jobs, seats: Sequence[Seat], longest: float
    ) -> list[tuple[Seat, slice]]:
        """Give the longest slices that nobody evaluates to the fastest; then those that take somebody too long."""
        left = sorted((part for part in missing if part.start not in jobs), key=lambda part: part.start - part.stop)
        since = monotonic() - (SLACK * longest + MARGIN if longest else ALONE)
        late = [p for p in missing if p.start in jobs and max(job.began for job in jobs[p.start]) < since]
        return list(zip(free, [*left, *late], strict=False))

    def content(self, part: slice, step: int) -> bytes | None:
        """Return None: pairs carry nothing."""
        return None

    def carried(self, part: slice) -> None:
        """Do nothing: pairs carry nothing."""

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

    def divide(self, pairs: int, seats: Sequence[Seat], before: int) -> list[slice]:
        """Return slices of about the same length, one for each worker.

        They stay as they are, but if workers have come or gone, they are cut anew just after it has become known here
        what all pairs carry.
        """
        is_known = before - self.base <= FRESH
        if not self._parts or (is_known and {part.owner for part in self._parts} != {*seats}):
            slices = divided(pairs, [1.0] * len(seats))
            self._parts = [_Part(part, seat, before == 0) for part, seat in zip(slices, seats, strict=False)]
        return self.parts

    def assign(
        self, free: Sequence[Seat], missing: Sequence[slice], jobs: Jobs, seats: Sequence[Seat], longest: float
    ) -> list[tuple[Seat, slice]]:
        """Give each worker a slice of its own; else one that was a lost one's, or is another's second."""
        wanted = {part.start for part in missing if part.start not in jobs}
        left = [part for part in self._parts if part.pairs.start in wanted]
        count = Counter(part.owner for part in self._parts)
        found: list[tuple[Seat, slice]] = []
        for seat in free:
            part = next((part for part in left if part.owner is seat), None) or self._taken(seat, left, count, seats)
            if part is not None:
                left.remove(part)
                found.append((seat, part.pairs))
        return found

    def _taken(
        self, seat: Seat, left: Sequence[_Part], count: Counter[Seat | None], seats: Sequence[Seat]
    ) -> _Part | None:
        """Take a slice over for a worker that has none or, if nobody has it, for one with the fewest."""
        least = min(count[other] for other in seats)
        for part in left:
            if (part.owner is None and count[seat] == least) or (
                part.owner is not None and part.owner is not seat and count[part.owner] > 1 and not count[seat]
            ):
                count[part.owner], count[seat] = count[part.owner] - 1, count[seat] + 1
                part.owner, part.is_there = seat, False
                return part
        return None

    def content(self, part: slice, step: int) -> bytes | None:
        """Return what pairs carry, if their worker has yet to be sent it."""
        return None if self._of(part).is_there else self._recover(part, step)

    def carried(self, part: slice) -> None:
        """Take note that their worker has it."""
        self._of(part).is_there = True

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
