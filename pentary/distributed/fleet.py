"""The coordinator of the workers: it hands out the pairs of each step, and takes what is found for each pair once."""

import hmac
import pickle
import selectors
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import inf
from time import monotonic
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save

from pentary.distributed import integers
from pentary.distributed.channel import Channel, Kind, Listener, Lost
from pentary.distributed.sharing import Free, Job, Seat, Sharing
from pentary.distributed.worker import Invitation, Replica, own_version
from pentary.numbers.word import PentaryError
from pentary.support.display import say

ARRIVAL: Final = 60.0
"""Seconds in which the workers that were started have to connect before a run begins with those that have."""

UNTOLD: Final = 10.0
"""Seconds without a worker after which that is told."""

MOMENT: Final = 0.05
"""Seconds after which it is looked again whether a worker takes too long."""

TENDING: Final = 0.5
"""Seconds after which it is looked again whether workers have to be started."""

REPLAY: Final = 100
"""Steps by which a worker may be behind to be sent their shaped fitness; one that is further behind gets the state."""

GIVING: Final = 60.0
"""Seconds in which a worker has to tell what pairs carry, beside twice the time that its job has left."""

STRANGERS: Final = (64, 10.0)
"""How many may be connected before they are let in, and for how many seconds."""

FAILURES: Final = 3
"""Errors of workers in a row, without anything found, after which the run ends with the last one."""


class WorkerError(PentaryError):
    """A worker cannot evaluate its members.

    Attributes:
        user_traceback: of an exception in the user's code, or of an internal error.
    """

    def __init__(self, message: str, user_traceback: str) -> None:
        """Keep both."""
        super().__init__(message)
        self.user_traceback = user_traceback


class Launcher(Protocol):
    """What starts workers."""

    def listener(self) -> Listener:
        """Return a listener that the workers reach."""
        ...

    def tend(self, invitation: Invitation) -> int:
        """Start what workers are missing, and return how many are expected.

        Raises:
            PentaryError: there will be no more.
        """
        ...

    def close(self) -> None:
        """End all that was started, at the end of a run or after an error."""
        ...


@dataclass
class _Step:
    """The step that is evaluated.

    Attributes:
        number: of the step.
        pieces: its pairs in slices, each given to one worker, or to more if one is slow; None until there is a worker.
        found: what a slice has come to.
        heard: what workers have told, with the digest of their copy, as long as the state is not known here.
        longest: seconds that the slowest of its finished jobs took.
    """

    number: int
    pieces: list[slice] | None = None
    found: dict[int, Any] = field(default_factory=dict)
    heard: list[tuple[Seat, slice, bytes, Any]] = field(default_factory=list)
    longest: float = 0.0

    def missing(self) -> list[slice]:
        """Return the slices that nothing is known of."""
        return [piece for piece in self.pieces or () if piece.start not in self.found]


@dataclass
class _State:
    """The state before a step, for workers that begin or are far behind.

    Attributes:
        step: updates done.
        digest: the first 8 bytes of that of the latent words.
        arrays: returns it as arrays by name.
        content: of a safetensors file with them; empty until it is needed.
    """

    step: int
    digest: bytes
    arrays: Callable[[], Mapping[str, NDArray[Any]]]
    content: bytes = b""

    def file(self) -> bytes:
        """Return the content of a safetensors file."""
        self.content = self.content or save({name: np.ascontiguousarray(a) for name, a in self.arrays().items()})
        return self.content


class Fleet:
    """Workers that evaluate the members of a run: those that are there at the moment.

    Args:
        launcher: starts them.
        make: makes a replica in a worker; it can be pickled.
        pairs: of a population.
        sharing: says who evaluates which pairs.

    Attributes:
        sent, received: bytes that went to the workers and came from them, those that have gone included.
    """

    def __init__(
        self, launcher: Launcher, make: Callable[[], Replica], pairs: int, sharing: Sharing | None = None
    ) -> None:
        """Start the workers; wait for none."""
        self._launcher, self._pairs, self._sharing = launcher, pairs, sharing or Free()
        self._history: dict[int, integers.Packed] = {}
        self._step = _Step(0, [])
        self._state: _State | None = None
        self._seats: list[Seat] = []
        self._strangers: dict[Channel, float] = {}  # since when
        self._failures = 0
        self._looked = self._last_seat = monotonic()
        self._is_drought_told = False
        self._seen = 0  # workers that have come, whether they were let in or not
        self._refused = ""
        self._gone = [0, 0]
        self._selector = selectors.DefaultSelector()
        self._listener = launcher.listener()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._tended, self._expected = 0.0, 0
        self._arrival = monotonic() + ARRIVAL
        try:
            self._invitation = self._invite(make)
            self._tend()
        except BaseException:
            self.close()
            raise

    def _invite(self, make: Callable[[], Replica]) -> Invitation:
        own = self._listener
        try:
            pickled = pickle.dumps(make)
        except Exception as error:  # of the pickled object's own code, too
            raise PentaryError(f"what is trained cannot be sent to workers: {error}") from error
        return Invitation(own.address, own.token, own_version(), pickled, getattr(self._launcher, "context", None))

    @property
    def workers(self) -> list[str]:
        """Names of the workers that are there."""
        return [seat.name for seat in self._seats]

    @property
    def sent(self) -> int:
        """Bytes that went to workers."""
        return self._gone[0] + sum(seat.channel.sent for seat in self._seats)

    @property
    def received(self) -> int:
        """Bytes that came from workers."""
        return self._gone[1] + sum(seat.channel.received for seat in self._seats)

    @property
    def pieces(self) -> list[slice]:
        """The slices of the last step, in the order of what was found."""
        return self._step.pieces or []

    def ask(self, step: int) -> None:
        """Hand out the members of a step to the workers that are free, before its state is known here.

        Args:
            step: after the last one that was `told`.
        """
        self._begin(step)
        self._hand_out()

    def found(self, step: int, digest: str, arrays: Callable[[], Mapping[str, NDArray[Any]]]) -> list[Any]:
        """Wait until the members of a step are evaluated.

        Args:
            step: whose members are evaluated.
            digest: of the latent words before it, in hexadecimal; a worker with others is dismissed.
            arrays: returns the state before it, for workers that have just come.

        Returns:
            What the workers have found, pair after pair.

        Raises:
            PentaryError: there are no workers any more, or one of them cannot evaluate its members.
        """
        self._state = _State(step - 1, bytes.fromhex(digest)[:8], arrays)
        if self._step.number != step:
            self._begin(step)
        current = self._step
        self._judge()
        while current.pieces is None or current.missing():
            self._hand_out()
            self._wait()
        return [current.found[piece.start] for piece in current.pieces]

    def told(self, step: int, shaped: NDArray[np.integer[Any]]) -> None:
        """Record the shaped fitness of a step, (pairs,), by which every worker moves its copy."""
        self._history[step] = integers.pack(shaped)
        needed = self._sharing.needs()
        least = step - REPLAY + 1 if needed is None else min(needed, step - REPLAY + 1)
        while (oldest := next(iter(self._history))) < least:
            del self._history[oldest]

    def shaped(self, step: int) -> NDArray[np.int64]:
        """Return the shaped fitness of a step that is still known."""
        return integers.unpack(self._history[step], self._pairs)

    def forget(self, before: int) -> None:
        """Forget the shaped fitness of the steps before one."""
        for old in [step for step in self._history if step < before]:
            del self._history[old]

    def carried(self, step: int, part: slice) -> bytes | None:
        """Return what some pairs carry after a step, from the worker that has them; None if none can tell.

        Args:
            step: the last one that was `told`.
            part: pairs, as `sharing` gave them to a worker.

        Raises:
            PentaryError: a worker has failed.
        """
        seat = self._sharing.owner(part)
        if seat is None or seat not in self._seats:
            return None
        left = 0.0 if seat.job is None else 2 * (seat.pace or 0.0) * (seat.job.part.stop - seat.job.part.start)
        until = monotonic() + GIVING + left
        while seat.job is not None and self._is_heard(seat, until):
            pass
        since = self._since(seat, step) if seat in self._seats else None
        if since is None or not self._send(seat, Kind.GIVE, part.start, part.stop, since):
            return None
        seat.step, seat.given = step, None
        while (seat.given is None or seat.given[0] != part.start) and self._is_heard(seat, until):
            pass
        return seat.given[1] if seat.given is not None and seat.given[0] == part.start else None

    def _is_heard(self, seat: Seat, until: float) -> bool:
        """Wait for messages for a moment; return whether it makes sense to go on waiting for a worker."""
        self._listen()
        if seat in self._seats and monotonic() > until:
            self._lose(seat, "does not answer")
        return seat in self._seats

    def close(self) -> None:
        """Dismiss the workers, and end what was started."""
        for channel in [*(seat.channel for seat in self._seats), *self._strangers]:
            channel.close()
        self._seats, self._strangers = [], {}
        self._listener.close()
        self._selector.close()
        self._launcher.close()

    def _begin(self, step: int) -> None:
        """Begin a step; before the first one, wait for the workers that were started."""
        while not self._seats or (self._seen < self._expected and monotonic() < self._arrival):
            self._wait()
        self._arrival = 0.0
        self._step = _Step(step)

    def _hand_out(self) -> None:
        """Give each worker that is free pairs that nothing is known of."""
        current = self._step
        able = [seat for seat in self._seats if seat.job is None and self._able(seat)]
        able.sort(key=lambda seat: seat.pace or inf)  # the fastest first, for the longest slice
        if current.pieces is None:
            if not able:
                return
            current.pieces = self._sharing.divide(self._pairs, able, current.number - 1)
        jobs: dict[int, list[Job]] = {}
        for seat in self._seats:
            if seat.job is not None and seat.job.step == current.number:
                jobs.setdefault(seat.job.part.start, []).append(seat.job)
        for seat, piece in self._sharing.assign(able, current.missing(), jobs, self._seats, current.longest):
            self._give(seat, piece)

    def _able(self, seat: Seat) -> bool:
        """Return whether a worker can be brought to the state before the step."""
        before = self._step.number - 1
        return self._since(seat, before) is not None or (self._state is not None and self._state.step == before)

    def _give(self, seat: Seat, piece: slice) -> None:
        before = self._step.number - 1
        since = self._since(seat, before)
        if since is None:
            assert self._state is not None and self._state.step == before, "this worker was able"
            if not self._send(seat, Kind.STATE, before, self._state.file()):
                return
            since = []
        seat.step = before
        content = self._sharing.content(piece, before)
        if content is not None:
            if not self._send(seat, Kind.CARRY, piece.start, piece.stop, since, content):
                return
            self._sharing.carried(piece)
            since = []
        seat.job = Job(self._step.number, piece, monotonic())
        self._send(seat, Kind.STEP, piece.start, piece.stop, since)

    def _since(self, seat: Seat, step: int) -> list[integers.Packed] | None:
        """Return the shaped fitness that brings a worker to the state after a step; None if that is too much."""
        steps = range(seat.step + 1, step + 1)
        known = 0 <= step - seat.step <= REPLAY and all(each in self._history for each in steps)
        return [self._history[each] for each in steps] if known else None

    def _send(self, seat: Seat, kind: Kind, *values: Any) -> bool:
        """Send a message; return False if the worker is lost."""
        try:
            seat.channel.send(kind, *values)
        except Lost as error:
            self._lose(seat, f"is lost: {error}")
            return False
        return True

    def _wait(self) -> None:
        """Wait for messages and new workers, for a moment, and take them."""
        if monotonic() - self._tended > TENDING:
            self._tend()
        was_here = monotonic() - self._looked < TENDING
        self._listen()
        step = self._step
        if was_here:  # else what has come in the meantime may not all be read yet
            for seat in self._sharing.overdue(self._seats, step.number, step.longest):
                self._lose(seat, "is much slower than the others")
        if self._seats:
            self._last_seat, self._is_drought_told = monotonic(), False
        elif not self._is_drought_told and monotonic() - self._last_seat > UNTOLD:
            say("Waiting for workers.")
            self._is_drought_told = True

    def _listen(self) -> None:
        """Wait for messages for a moment, and take them."""
        for key, _ in self._selector.select(MOMENT):
            if key.fileobj is self._listener:
                channel = self._listener.accept()
                if channel is not None and len(self._strangers) < STRANGERS[0]:
                    self._strangers[channel] = monotonic()
                    self._selector.register(channel, selectors.EVENT_READ)
                elif channel is not None:
                    channel.close()
            elif key.data is None:
                self._greet(key.fileobj)  # type: ignore[arg-type]
            else:
                self._hear(key.data)
        for stranger in [each for each, since in self._strangers.items() if monotonic() - since > STRANGERS[1]]:
            self._turn_away(stranger)
        self._looked = monotonic()

    def _tend(self) -> None:
        self._tended = monotonic()
        try:
            self._expected = self._launcher.tend(self._invitation)
        except PentaryError as error:
            raise PentaryError(f"{error}{f'; {self._refused}' if self._refused else ''}") from error
        if self._refused and not self._seats and not self._expected:
            raise PentaryError(self._refused)

    def _greet(self, channel: Channel) -> None:
        """Let a worker in that has the token and the version of the package."""
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
            name, own = f"process {number} on {host}", self._invitation.version
            if version != own:
                self._refused = f"{name} has pentary {version}, but this is {own}: install the same version on both"
                say(f"Warning: {self._refused}; it is left out")
                channel.send(Kind.REFUSED)
                raise Lost("its version differs")
            channel.send(Kind.WELCOME)
        except Lost:
            self._turn_away(channel)
            return
        channel.trust()
        seat = Seat(channel, name)
        self._seen += 1
        del self._strangers[channel]
        self._selector.modify(channel, selectors.EVENT_READ, seat)
        self._seats.append(seat)

    def _turn_away(self, channel: Channel) -> None:
        self._seen += 1
        del self._strangers[channel]
        self._selector.unregister(channel)
        channel.close()

    def _hear(self, seat: Seat) -> None:
        """Take the messages of a worker."""
        try:
            messages = seat.channel.arrived()
            for message in messages:
                match message:
                    case [Kind.FOUND, bytes(digest), found] if seat.job is not None:
                        self._take(seat, seat.job, digest, found)
                    case [Kind.GIVEN, int(first), bytes(content)]:
                        seat.given = first, content
                    case [Kind.FAILED, bool(is_the_users), str(why), str(traceback)]:
                        self._failures += 1
                        ends = is_the_users or self._failures == FAILURES
                        self._lose(seat, "" if ends else f"cannot go on: {why}")
                        if ends:
                            raise WorkerError(f"{seat.name}: {why}", traceback)
                    case _:
                        raise Lost("it sends what was not asked for")
        except Lost as error:
            self._lose(seat, f"is lost: {error}")

    def _take(self, seat: Seat, job: Job, digest: bytes, found: Any) -> None:
        """Take what a worker has found, unless it is of a step that is over."""
        took, seat.job, self._failures = monotonic() - job.began, None, 0
        seat.pace = took / (job.part.stop - job.part.start)
        if job.step == self._step.number:
            self._step.longest = max(self._step.longest, took)
            self._step.heard.append((seat, job.part, digest, found))
            self._judge()

    def _judge(self) -> None:
        """Count what was heard, of each pair once and from copies with the right digest, if that is known."""
        if self._state is None or self._state.step != self._step.number - 1:
            return
        heard, self._step.heard = self._step.heard, []
        for seat, part, digest, found in heard:
            if digest == self._state.digest:
                self._step.found.setdefault(part.start, found)
            else:
                self._lose(seat, f"has other weights after step {self._state.step:,}, so nothing of it is taken")

    def _lose(self, seat: Seat, why: str) -> None:
        if seat not in self._seats:
            return
        self._seats.remove(seat)
        self._selector.unregister(seat.channel)
        self._gone[0] += seat.channel.sent
        self._gone[1] += seat.channel.received
        seat.channel.close()
        seat.job = None
        self._sharing.lost(seat)
        if why:
            say(f"Warning: {seat.name} {why}; its members are evaluated elsewhere")
