"""Workers in threads that behave as a test says."""

import pickle
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

from pentary.distributed.channel import Listener
from pentary.distributed.worker import JoinInfo, Replica, serve

Play = Callable[[JoinInfo], None]


class Cast:
    """A launcher of workers in threads.

    Args:
        plays: what each does with its join_info.
    """

    context = None

    def __init__(self, *plays: Play) -> None:
        self._plays, self._threads = [*plays], []
        self.join_info: JoinInfo | None = None

    def listener(self) -> Listener:
        return Listener("127.0.0.1")

    def launch_missing(self, join_info: JoinInfo) -> int:
        self.join_info = join_info
        while self._plays:
            self.enter(self._plays.pop(0))
        return len(self._threads)

    def enter(self, play: Play) -> None:
        """Let a worker come, in the middle of a run if the test wants."""
        assert self.join_info is not None
        thread = threading.Thread(target=play, args=(self.join_info,))
        self._threads.append(thread)
        thread.start()

    def close(self) -> None:
        for thread in self._threads:
            thread.join(20)
            assert not thread.is_alive(), "a worker has not heard that the run is over"


class Dead(BaseException):
    """Ends a worker in the middle of its work."""


What = Callable[["Odd", slice], None]
_whats: list[What] = []


class Odd:
    """A replica that does something odd before it evaluates.

    Args:
        make: pickled, of the replica.
        number: of what it does, in a list of this process.
    """

    def __init__(self, make: bytes, number: int) -> None:
        self._own: Replica = pickle.loads(make)()
        self._what, self.lies = _whats[number], False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._own, name)

    def digest(self) -> str:
        return "00" * 32 if self.lies else self._own.digest()

    def evaluate(self, part: slice) -> Any:
        self._what(self, part)
        return self._own.evaluate(part)


def odd(what: What) -> Play:
    """Return a worker that does something before it evaluates."""

    def play(join_info: JoinInfo) -> None:
        _whats.append(what)
        with suppress(Dead):
            serve(join_info._replace(make=pickle.dumps(partial(Odd, join_info.make, len(_whats) - 1))))

    return play


def dies_in(step: int) -> What:
    def die(replica: Odd, part: slice) -> None:
        if replica.step == step - 1:
            raise Dead

    return die


def delay(seconds: float) -> What:
    return lambda replica, part: time.sleep(seconds)


def lies_in(step: int) -> What:
    """Return a wrong digest from a step on."""

    def lie(replica: Odd, part: slice) -> None:
        replica.lies = replica.step >= step - 2

    return lie


def fails_with(error: Exception) -> What:
    def fail(replica: Odd, part: slice) -> None:
        raise error

    return fail
