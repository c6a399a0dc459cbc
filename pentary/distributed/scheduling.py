"""Which worker evaluates which pairs: dynamic, by speed; or sticky, where pairs have a state."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from time import monotonic
from typing import Final, Protocol

from pentary.distributed.channel import Channel

SLACK: Final = 2.0
"""A job is a straggler when it has taken this many times as long as the slowest finished one, ..."""

MARGIN: Final = 0.1
"""... and so many seconds more."""

ALONE: Final = 10.0
"""Seconds after which a job is a straggler if none is finished."""

SLOW_FACTOR: Final = 6.0
"""A worker that holds pairs is disconnected when its job has taken so many times as long as the slowest one, ..."""

SLOW_SECONDS: Final = 3.0
"""... and at least so many seconds."""

FRESH: Final = 2
"""Most steps since the last gathering for pairs to be divided anew: recomputing their state is cheap."""

FIRST: Final = 60.0
"""Seconds that the first job of a worker may take, which may compile code."""


@dataclass(frozen=True)
class Job:
    """A slice of pairs that a worker evaluates.

    Attributes:
        step: number of the step.
        part: slice of pairs.
        began: start time, by `time.monotonic`.
    """

    step: int
    part: slice
    began: float


Jobs = Mapping[int, Sequence[Job]]
"""Jobs by first pair."""


@dataclass(eq=False)
class Worker:
    """A connected worker.

    Attributes:
        channel: connection.
        name: for messages to the user.
        step: updates of its replica once it has processed all messages.
        job: that runs; None if it is idle.
        pace: seconds a pair in its last job; None before that.
        given: first pair and state of the pairs that it has sent last.
    """

    channel: Channel
    name: str
    step: int = 0
    job: Job | None = None
    pace: float | None = None
    given: tuple[int, bytes] | None = None


class Scheduling(Protocol):
    """Decides which worker evaluates which pairs."""

    def partition(self, pairs: int, workers: Sequence[Worker], before: int) -> list[slice]:
        """Return the slices of pairs of a step.

        Args:
            pairs: number of pairs.
            workers: idle workers, the fastest first.
            before: updates done.
        """
        ...

    def assign(
        self, free: Sequence[Worker], missing: Sequence[slice], jobs: Jobs, workers: Sequence[Worker], longest: float
    ) -> list[tuple[Worker, slice]]:
        """Return the next jobs: idle workers and their slices.

        Args:
            free: idle workers, the fastest first.
            missing: slices without a result.
            jobs: running jobs of this step.
            workers: all workers.
            longest: seconds of the slowest finished job; 0 if none is finished.
        """
        ...

    def pair_state_to_send(self, part: slice, step: int) -> bytes | None:
        """Return the state of pairs after a step that their worker still has to be sent; None if it has it."""
        ...

    def mark_sent(self, part: slice) -> None:
        """Record that the state of pairs was sent to their worker."""
        ...

    def owner(self, part: slice) -> Worker | None:
        """Return the worker that holds the state of some pairs; None if there is none."""
        ...

    def stragglers(self, workers: Sequence[Worker], step: int, longest: float) -> list[Worker]:
        """Return the workers to be disconnected because the others wait for them."""
        ...

    def worker_lost(self, worker: Worker) -> None:
        """Record that a worker is disconnected."""
        ...

    def oldest_needed(self) -> int | None:
        """Return the first step whose shaped fitness must be kept in the history; None if there is none."""
        ...


def divided(pairs: int, weights: Sequence[float]) -> list[slice]:
    """Return slices that cover pairs, with lengths in proportion to weights; none is empty.

    >>> divided(10, [3.0, 1.0, 1.0, 0.01])
    [slice(0, 6, None), slice(6, 8, None), slice(8, 10, None)]
    """
    sums = list(accumulate(weights))
    ends = [0, *(round(pairs * each / sums[-1]) for each in sums)]
    return [slice(first, stop) for first, stop in pairwise(ends) if stop > first]


class DynamicScheduling:
    """Each step is divided by the speed of the workers, and idle workers repeat the jobs of stragglers."""

    def partition(self, pairs: int, workers: Sequence[Worker], before: int) -> list[slice]:
        """Return slices in proportion to the speed of the workers."""
        known = [worker.pace for worker in workers if worker.pace]
        usual = sum(known) / len(known) if known else 1.0
        return divided(pairs, [1 / (worker.pace or usual) for worker in workers])

    def assign(
        self, free: Sequence[Worker], missing: Sequence[slice], jobs: Jobs, workers: Sequence[Worker], longest: float
    ) -> list[tuple[Worker, slice]]:
        """Assign the longest waiting slices to the fastest workers, and then those of stragglers."""
        left = sorted((part for part in missing if part.start not in jobs), key=lambda part: part.start - part.stop)
        since = monotonic() - (SLACK * longest + MARGIN if longest else ALONE)
        late = [p for p in missing if p.start in jobs and max(job.began for job in jobs[p.start]) < since]
        return list(zip(free, [*left, *late], strict=False))

    def pair_state_to_send(self, part: slice, step: int) -> bytes | None:
        """Return None: pairs have no state."""
        return None

    def mark_sent(self, part: slice) -> None:
        """Do nothing: pairs have no state."""

    def owner(self, part: slice) -> Worker | None:
        """Return None: pairs have no state."""
        return None

    def stragglers(self, workers: Sequence[Worker], step: int, longest: float) -> list[Worker]:
        """Return none: idle workers repeat the jobs of slow ones."""
        return []

    def worker_lost(self, worker: Worker) -> None:
        """Do nothing: an idle worker repeats its job."""

    def oldest_needed(self) -> int | None:
        """Return None: a worker far behind is sent the state."""
        return None


@dataclass
class _Part:
    pairs: slice
    owner: Worker | None
    is_there: bool  # whether the owner has the state of the pairs


class StickyScheduling:
    """Each worker keeps its pairs, whose state it holds, until it is disconnected.

    Args:
        recover: recomputes the state of some pairs after a step from that after `base`.

    Attributes:
        base: last step after which the states of all pairs are known to the coordinator.
    """

    def __init__(self, recover: Callable[[slice, int], bytes], base: int = 0) -> None:
        """Create it without workers."""
        self._recover, self.base = recover, base
        self._parts: list[_Part] = []

    @property
    def parts(self) -> list[slice]:
        """Slices of pairs, each held by one worker."""
        return [part.pairs for part in self._parts]

    def partition(self, pairs: int, workers: Sequence[Worker], before: int) -> list[slice]:
        """Return slices of equal length, one for each worker.

        They are kept until the set of workers has changed and the states of all pairs have just been gathered.
        """
        is_known = before - self.base <= FRESH
        if not self._parts or (is_known and {part.owner for part in self._parts} != {*workers}):
            slices = divided(pairs, [1.0] * len(workers))
            self._parts = [_Part(part, worker, before == 0) for part, worker in zip(slices, workers, strict=False)]
        return self.parts

    def assign(
        self, free: Sequence[Worker], missing: Sequence[slice], jobs: Jobs, workers: Sequence[Worker], longest: float
    ) -> list[tuple[Worker, slice]]:
        """Assign each worker a slice of its own, or else one that it takes over."""
        wanted = {part.start for part in missing if part.start not in jobs}
        left = [part for part in self._parts if part.pairs.start in wanted]
        count = Counter(part.owner for part in self._parts)
        found: list[tuple[Worker, slice]] = []
        for worker in free:
            part = next((part for part in left if part.owner is worker), None) or self._taken(
                worker, left, count, workers
            )
            if part is not None:
                left.remove(part)
                found.append((worker, part.pairs))
        return found

    def _taken(
        self, worker: Worker, left: Sequence[_Part], count: Counter[Worker | None], workers: Sequence[Worker]
    ) -> _Part | None:
        """Move a slice to a worker, without an owner or the second one of another; return None if there is none."""
        least = min(count[other] for other in workers)
        for part in left:
            if (part.owner is None and count[worker] == least) or (
                part.owner is not None and part.owner is not worker and count[part.owner] > 1 and not count[worker]
            ):
                count[part.owner], count[worker] = count[part.owner] - 1, count[worker] + 1
                part.owner, part.is_there = worker, False
                return part
        return None

    def pair_state_to_send(self, part: slice, step: int) -> bytes | None:
        """Return the recomputed state of pairs, unless their worker has it."""
        return None if self._of(part).is_there else self._recover(part, step)

    def mark_sent(self, part: slice) -> None:
        """Record that their worker has it."""
        self._of(part).is_there = True

    def owner(self, part: slice) -> Worker | None:
        """Return the worker that has the state of some pairs."""
        own = self._of(part)
        return own.owner if own.is_there else None

    def stragglers(self, workers: Sequence[Worker], step: int, longest: float) -> list[Worker]:
        """Return the workers whose job takes too long compared with the finished ones."""
        late, now = max(SLOW_FACTOR * longest, SLOW_SECONDS), monotonic()
        return [
            worker
            for worker in workers
            if longest
            and worker.job
            and worker.job.step == step
            and now - worker.job.began > (late if worker.pace else FIRST)
        ]

    def worker_lost(self, worker: Worker) -> None:
        """Record that the states of its pairs are lost."""
        for part in self._parts:
            if part.owner is worker:
                part.owner, part.is_there = None, False

    def oldest_needed(self) -> int | None:
        """Return the step after the last gathering."""
        return self.base + 1

    def _of(self, part: slice) -> _Part:
        return next(own for own in self._parts if own.pairs == part)
