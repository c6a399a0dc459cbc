"""The coordinator of the workers: it distributes the pairs of each step and collects one result for each."""

import hmac
import pickle
import selectors
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import inf
from ssl import SSLContext
from time import monotonic
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save

from pentary.distributed import integers
from pentary.distributed.channel import Channel, Kind, Listener, Lost
from pentary.distributed.scheduling import DynamicScheduling, Job, Scheduling, Worker
from pentary.distributed.worker import JoinInfo, Replica, own_version
from pentary.numbers.word import PentaryError
from pentary.support.display import say

JOIN_SECONDS: Final = 60.0
"""Seconds to wait for all started workers to connect before the first step."""

NOTICE_SECONDS: Final = 10.0
"""Seconds without any worker after which a notice is printed."""

POLL_SECONDS: Final = 0.05
"""Longest wait for messages, seconds; stragglers are looked for after each."""

LAUNCH_SECONDS: Final = 0.5
"""Seconds between two checks for workers that have to be started."""

REPLAY: Final = 100
"""Most steps that a worker catches up by their shaped fitness; one that is further behind gets the state."""

REPLY_SECONDS: Final = 60.0
"""Timeout of a request for the states of pairs, seconds, beyond twice the usual time of a running job."""

PENDING, PENDING_SECONDS = 64, 10.0
"""Most connections that have not authenticated, and how long one may take to."""

FAILURES: Final = 3
"""Consecutive internal errors of workers, without a result in between, that end the run."""


class WorkerError(PentaryError):
    """An error in a worker that ends the run.

    Attributes:
        user_traceback: of an exception in the user's code, or of an internal error.
    """

    def __init__(self, message: str, user_traceback: str) -> None:
        """Keep the message and the traceback."""
        super().__init__(message)
        self.user_traceback = user_traceback


class Launcher(Protocol):
    """Starts the workers of a run.

    Attributes:
        context: returns the TLS context on a worker's machine; None without TLS.
    """

    @property
    def context(self) -> Callable[[], SSLContext] | None:
        """Source of the TLS context on a worker's machine."""
        ...

    def listener(self) -> Listener:
        """Return a listening socket at an address that the workers can reach."""
        ...

    def launch_missing(self, join_info: JoinInfo) -> int:
        """Start the workers that do not run, and return how many are expected to connect.

        Raises:
            PentaryError: no worker can be started any more.
        """
        ...

    def close(self) -> None:
        """Stop all workers, at the end of a run or after an error."""
        ...


@dataclass
class _Step:
    """The step that is evaluated.

    Attributes:
        number: of the step.
        pieces: slices of its pairs, each for one worker, or more if that is slow; None before the first worker.
        found: results, by the first pair of the slice.
        unverified: results with the digests of the replicas, to be compared when the state before the step is known.
        longest: seconds of the slowest finished job.
    """

    number: int
    pieces: list[slice] | None = None
    found: dict[int, Any] = field(default_factory=dict)
    unverified: list[tuple[Worker, slice, bytes, Any]] = field(default_factory=list)
    longest: float = 0.0

    def missing(self) -> list[slice]:
        """Return the slices without a result."""
        return [piece for piece in self.pieces or () if piece.start not in self.found]


@dataclass
class _State:
    """The state before a step, for new workers and those far behind.

    Attributes:
        step: updates done.
        digest: first 8 bytes of the digest of the latent words.
        arrays: returns the latent words by name.
        content: safetensors file with them; empty until it is needed.
    """

    step: int
    digest: bytes
    arrays: Callable[[], Mapping[str, NDArray[Any]]]
    content: bytes = b""

    def file(self) -> bytes:
        """Return the content of a safetensors file."""
        self.content = self.content or save({name: np.ascontiguousarray(a) for name, a in self.arrays().items()})
        return self.content


class Coordinator:
    """Evaluates the population of each step on whichever workers are connected.

    Args:
        launcher: starts the workers.
        make: makes the replica in a worker; picklable.
        pairs: pairs of a population.
        scheduling: decides which worker evaluates which pairs.

    Attributes:
        sent, received: bytes to and from all workers so far.
    """

    def __init__(
        self, launcher: Launcher, make: Callable[[], Replica], pairs: int, scheduling: Scheduling | None = None
    ) -> None:
        """Start the workers without waiting for them."""
        self._launcher, self._pairs, self._scheduling = launcher, pairs, scheduling or DynamicScheduling()
        self._history: dict[int, integers.Packed] = {}
        self._step = _Step(0, [])
        self._state: _State | None = None
        self._workers: list[Worker] = []
        self._pending: dict[Channel, float] = {}  # by time of connection
        self._failures = 0
        self._polled = self._last_worker = monotonic()
        self._wait_is_told = False
        self._arrived = 0  # connections so far, accepted or rejected
        self._refused = ""
        self._gone = [0, 0]
        self._selector = selectors.DefaultSelector()
        self._listener = launcher.listener()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._launched, self._expected = 0.0, 0
        self._join_deadline = monotonic() + JOIN_SECONDS
        try:
            self._join_info = self._make_join_info(make)
            self._launch_missing()
        except BaseException:
            self.close()
            raise

    def _make_join_info(self, make: Callable[[], Replica]) -> JoinInfo:
        own = self._listener
        try:
            pickled = pickle.dumps(make)
        except Exception as error:  # of the pickled object's own code, too
            raise PentaryError(f"what is trained cannot be sent to workers: {error}") from error
        return JoinInfo(own.address, own.token, own_version(), pickled, self._launcher.context)

    @property
    def workers(self) -> list[str]:
        """Names of the connected workers."""
        return [worker.name for worker in self._workers]

    @property
    def sent(self) -> int:
        """Bytes sent to workers."""
        return self._gone[0] + sum(worker.channel.sent for worker in self._workers)

    @property
    def received(self) -> int:
        """Bytes received from workers."""
        return self._gone[1] + sum(worker.channel.received for worker in self._workers)

    @property
    def pieces(self) -> list[slice]:
        """Slices of pairs of the last step, in the order of its results."""
        return self._step.pieces or []

    def collect(self, step: int, digest: str, arrays: Callable[[], Mapping[str, NDArray[Any]]]) -> list[Any]:
        """Evaluate the population of a step, and return the results of its slices, in order.

        Args:
            step: number of the step.
            digest: digest of the latent words before it, in hexadecimal; a worker with another one is disconnected.
            arrays: returns these latent words by name, for new workers.

        Raises:
            PentaryError: no worker can be started any more, or a worker fails by an error of the user's.
        """
        self._state = _State(step - 1, bytes.fromhex(digest)[:8], arrays)
        if self._step.number != step:
            self._begin(step)
        current = self._step
        self._verify()
        while current.pieces is None or current.missing():
            self._dispatch()
            self._wait()
        return [current.found[piece.start] for piece in current.pieces]

    def publish(self, step: int, shaped: NDArray[np.integer[Any]], is_last: bool) -> None:
        """Record the shaped fitness of a step and, with it, dispatch the next step to the idle workers.

        They evaluate while the caller updates its own state.

        Args:
            step: number of the step.
            shaped: shaped fitness, (pairs,).
            is_last: whether there is no next step.
        """
        self._history[step] = integers.pack(shaped)
        needed = self._scheduling.oldest_needed()
        least = step - REPLAY + 1 if needed is None else min(needed, step - REPLAY + 1)
        while (oldest := next(iter(self._history))) < least:
            del self._history[oldest]
        if not is_last:
            self._begin(step + 1)
            self._dispatch()

    def shaped(self, step: int) -> NDArray[np.int64]:
        """Return the shaped fitness of a step in the history, (pairs,)."""
        return integers.unpack(self._history[step], self._pairs)

    def forget(self, before: int) -> None:
        """Delete the history before a step."""
        for old in [step for step in self._history if step < before]:
            del self._history[old]

    def pair_state(self, step: int, part: slice) -> bytes | None:
        """Return the state of some pairs after a step, from the worker that holds it; None if there is none.

        Args:
            step: the last one that was published.
            part: slice of pairs of one worker.

        Raises:
            PentaryError: a worker has failed.
        """
        worker = self._scheduling.owner(part)
        if worker is None or worker not in self._workers:
            return None
        left = 0.0 if worker.job is None else 2 * (worker.pace or 0.0) * (worker.job.part.stop - worker.job.part.start)
        until = monotonic() + REPLY_SECONDS + left
        while worker.job is not None and self._keep_polling(worker, until):
            pass
        since = self._catch_up(worker, step) if worker in self._workers else None
        if since is None or not self._send(worker, Kind.SAVE_PAIRS, part.start, part.stop, since):
            return None
        worker.step, worker.given = step, None
        while (worker.given is None or worker.given[0] != part.start) and self._keep_polling(worker, until):
            pass
        return worker.given[1] if worker.given is not None and worker.given[0] == part.start else None

    def _keep_polling(self, worker: Worker, until: float) -> bool:
        """Poll once, and disconnect a worker after a deadline; return whether the worker is still connected."""
        self._poll()
        if worker in self._workers and monotonic() > until:
            self._drop(worker, "does not answer")
        return worker in self._workers

    def close(self) -> None:
        """Disconnect and stop all workers."""
        for channel in [*(worker.channel for worker in self._workers), *self._pending]:
            channel.close()
        self._workers, self._pending = [], {}
        self._listener.close()
        self._selector.close()
        self._launcher.close()

    def _begin(self, step: int) -> None:
        """Start a step; before the first one, wait for all started workers to connect."""
        while not self._workers or (self._arrived < self._expected and monotonic() < self._join_deadline):
            self._wait()
        self._join_deadline = 0.0
        self._step = _Step(step)

    def _dispatch(self) -> None:
        """Send jobs to idle workers for slices without a result."""
        current = self._step
        able = [worker for worker in self._workers if worker.job is None and self._can_catch_up(worker)]
        able.sort(key=lambda worker: worker.pace or inf)  # the fastest one gets the longest slice
        if current.pieces is None:
            if not able:
                return
            current.pieces = self._scheduling.partition(self._pairs, able, current.number - 1)
        jobs: dict[int, list[Job]] = {}
        for worker in self._workers:
            if worker.job is not None and worker.job.step == current.number:
                jobs.setdefault(worker.job.part.start, []).append(worker.job)
        for worker, piece in self._scheduling.assign(able, current.missing(), jobs, self._workers, current.longest):
            self._send_job(worker, piece)

    def _can_catch_up(self, worker: Worker) -> bool:
        """Return whether a worker can reach the state before the step."""
        before = self._step.number - 1
        return self._catch_up(worker, before) is not None or (self._state is not None and self._state.step == before)

    def _send_job(self, worker: Worker, piece: slice) -> None:
        before = self._step.number - 1
        since = self._catch_up(worker, before)
        if since is None:
            assert self._state is not None and self._state.step == before, "this worker was able"
            if not self._send(worker, Kind.STATE, before, self._state.file()):
                return
            since = []
        worker.step = before
        content = self._scheduling.pair_state_to_send(piece, before)
        if content is not None:
            if not self._send(worker, Kind.LOAD_PAIRS, piece.start, piece.stop, since, content):
                return
            self._scheduling.mark_sent(piece)
            since = []
        worker.job = Job(self._step.number, piece, monotonic())
        self._send(worker, Kind.STEP, piece.start, piece.stop, since)

    def _catch_up(self, worker: Worker, step: int) -> list[integers.Packed] | None:
        """Return the history that brings a worker to the state after a step; None if it is gone or too long."""
        steps = range(worker.step + 1, step + 1)
        known = 0 <= step - worker.step <= REPLAY and all(each in self._history for each in steps)
        return [self._history[each] for each in steps] if known else None

    def _send(self, worker: Worker, kind: Kind, *values: Any) -> bool:
        """Send a message; return False if the connection is broken."""
        try:
            worker.channel.send(kind, *values)
        except Lost as error:
            self._drop(worker, f"is lost: {error}")
            return False
        return True

    def _wait(self) -> None:
        """Start missing workers, poll, and disconnect stragglers."""
        if monotonic() - self._launched > LAUNCH_SECONDS:
            self._launch_missing()
        was_here = monotonic() - self._polled < LAUNCH_SECONDS
        self._poll()
        step = self._step
        if was_here:  # otherwise messages of the meantime may still be unread
            for worker in self._scheduling.stragglers(self._workers, step.number, step.longest):
                self._drop(worker, "is much slower than the others")
        if self._workers:
            self._last_worker, self._wait_is_told = monotonic(), False
        elif not self._wait_is_told and monotonic() - self._last_worker > NOTICE_SECONDS:
            say("Waiting for workers.")
            self._wait_is_told = True

    def _poll(self) -> None:
        """Process connections and messages, waiting for at most `POLL_SECONDS`."""
        for key, _ in self._selector.select(POLL_SECONDS):
            if key.fileobj is self._listener:
                channel = self._listener.accept()
                if channel is not None and len(self._pending) < PENDING:
                    self._pending[channel] = monotonic()
                    self._selector.register(channel, selectors.EVENT_READ)
                elif channel is not None:
                    channel.close()
            elif key.data is None:
                self._admit(key.fileobj)  # type: ignore[arg-type]
            else:
                self._receive(key.data)
        for late in [each for each, since in self._pending.items() if monotonic() - since > PENDING_SECONDS]:
            self._reject(late)
        self._polled = monotonic()

    def _launch_missing(self) -> None:
        self._launched = monotonic()
        try:
            self._expected = self._launcher.launch_missing(self._join_info)
        except PentaryError as error:
            raise PentaryError(f"{error}{f'; {self._refused}' if self._refused else ''}") from error
        if self._refused and not self._workers and not self._expected:
            raise PentaryError(self._refused)

    def _admit(self, channel: Channel) -> None:
        """Accept a worker with the right token and the same version of the package."""
        try:
            messages = channel.arrived()
            if not messages:
                return
            match messages[0]:
                case [Kind.HELLO, bytes(token), str(version), int(number), str(host)]:
                    pass
                case _:
                    raise Lost("this is no worker")
            if not hmac.compare_digest(token, self._listener.token):
                raise Lost("it has not the token")
            name, own = f"process {number} on {host}", self._join_info.version
            if version != own:
                self._refused = f"{name} has pentary {version}, but this is {own}: install the same version on both"
                say(f"Warning: {self._refused}; it is left out")
                channel.send(Kind.REFUSED)
                raise Lost("its version differs")
            channel.send(Kind.WELCOME)
        except Lost:
            self._reject(channel)
            return
        channel.trust()
        worker = Worker(channel, name)
        self._arrived += 1
        del self._pending[channel]
        self._selector.modify(channel, selectors.EVENT_READ, worker)
        self._workers.append(worker)

    def _reject(self, channel: Channel) -> None:
        self._arrived += 1
        del self._pending[channel]
        self._selector.unregister(channel)
        channel.close()

    def _receive(self, worker: Worker) -> None:
        """Process the messages of a worker."""
        try:
            messages = worker.channel.arrived()
            for message in messages:
                match message:
                    case [Kind.RESULT, bytes(digest), found] if worker.job is not None:
                        self._complete(worker, worker.job, digest, found)
                    case [Kind.PAIRS, int(first), bytes(content)]:
                        worker.given = first, content
                    case [Kind.FAILED, bool(is_the_users), str(why), str(traceback)]:
                        self._failures += 1
                        ends = is_the_users or self._failures == FAILURES
                        self._drop(worker, "" if ends else f"cannot go on: {why}")
                        if ends:
                            raise WorkerError(f"{worker.name}: {why}", traceback)
                    case _:
                        raise Lost("it sends what was not asked for")
        except Lost as error:
            self._drop(worker, f"is lost: {error}")

    def _complete(self, worker: Worker, job: Job, digest: bytes, found: Any) -> None:
        """Record the result of a job; one of an earlier step is ignored."""
        took, worker.job, self._failures = monotonic() - job.began, None, 0
        worker.pace = took / (job.part.stop - job.part.start)
        if job.step == self._step.number:
            self._step.longest = max(self._step.longest, took)
            self._step.unverified.append((worker, job.part, digest, found))
            self._verify()

    def _verify(self) -> None:
        """Accept the first result of each slice whose digest is right, once the state before the step is known."""
        if self._state is None or self._state.step != self._step.number - 1:
            return
        unverified, self._step.unverified = self._step.unverified, []
        for worker, part, digest, found in unverified:
            if digest == self._state.digest:
                self._step.found.setdefault(part.start, found)
            else:
                self._drop(worker, f"has other weights after step {self._state.step:,}, so nothing of it is taken")

    def _drop(self, worker: Worker, why: str) -> None:
        if worker not in self._workers:
            return
        self._workers.remove(worker)
        self._selector.unregister(worker.channel)
        self._gone[0] += worker.channel.sent
        self._gone[1] += worker.channel.received
        worker.channel.close()
        worker.job = None
        self._scheduling.worker_lost(worker)
        if why:
            say(f"Warning: {worker.name} {why}; its members are evaluated elsewhere")
