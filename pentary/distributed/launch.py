"""Starting workers through executors: one in each process of this machine, or through any executor of the user's."""

import multiprocessing
from collections.abc import Callable, Collection
from concurrent.futures import Executor, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from functools import partial
from time import monotonic
from typing import Final

from threadpoolctl import threadpool_limits

from pentary.distributed.channel import Listener
from pentary.distributed.worker import Invitation, serve
from pentary.numbers.word import PentaryError
from pentary.support.child import work_for_parent
from pentary.support.display import say
from pentary.support.parallel import workers
from pentary.support.signals import ENDING, deferred

BRIEF: Final = 10.0
"""Seconds: a worker that ends sooner was of no use."""

ATTEMPTS: Final = 3
"""How often in a row a worker may be of no use until it is started no more."""

FAREWELL: Final = 10.0
"""Seconds in which a worker has to end."""


@dataclass
class Call:
    """A worker that was started.

    Attributes:
        future: of the call; None before the first.
        began: by `time.monotonic`.
        attempts: calls in a row that were of no use.
        why: the last one was of no use.
    """

    future: "Future[None] | None" = None
    began: float = 0.0
    attempts: int = 0
    why: str = ""

    @property
    def is_given_up(self) -> bool:
        """Whether it is started no more."""
        return self.attempts >= ATTEMPTS

    def tend(self, start: "Callable[[], Future[None]]") -> None:
        """Start it if it does not run, unless it is given up."""
        if self.is_given_up or (self.future is not None and not self.future.done()):
            return
        if self.future is not None:
            self.attempts = self.attempts + 1 if monotonic() - self.began < BRIEF else 0
            error = None if self.future.cancelled() else self.future.exception()
            self.why = f": {first_line(error)}" if error else ""
        if not self.is_given_up:
            with deferred():
                try:
                    self.future, self.began = start(), monotonic()
                except RuntimeError as error:  # an executor that is broken, or was shut down
                    self.attempts, self.why = ATTEMPTS, f": {first_line(error)}"


def expected(calls: Collection[Call]) -> int:
    """Return how many workers are not given up.

    Raises:
        PentaryError: all are.
    """
    left = [call for call in calls if not call.is_given_up]
    if calls and not left:
        raise PentaryError(f"workers end as soon as they start{next((each.why for each in calls if each.why), '')}")
    return len(left)


def first_line(error: BaseException) -> str:
    """Return the first line of the message of an error, or its kind if it has none."""
    return (str(error) or type(error).__name__).partition("\n")[0]


class Executors:
    """Workers through an executor, each in a call that lasts as long as the run.

    Args:
        executor: with room for so many calls at a time.
        count: of the workers.
        host: address of this machine, as the workers reach it.
    """

    def __init__(self, executor: Executor | None, count: int, host: str = "127.0.0.1") -> None:
        """Start none yet."""
        self._executor, self._host = executor, host
        self._calls = [Call() for _ in range(count)]

    def listener(self) -> Listener:
        """Return a listener at the address of this machine."""
        try:
            return Listener(self._host)
        except OSError as error:
            raise PentaryError(f"workers cannot connect to {self._host}: {error.strerror}") from error

    def tend(self, invitation: Invitation) -> int:
        """Start the workers that are missing; see `fleet.Launcher`."""
        for number, call in enumerate(self._calls):
            call.tend(partial(self.start, number, invitation))
        return expected(self._calls)

    def start(self, number: int, invitation: Invitation) -> "Future[None]":
        """Start a worker."""
        assert self._executor is not None, "a class with executors of its own overrides this"
        return self._executor.submit(serve, invitation)

    def close(self) -> None:
        """Wait for the workers to end, which their connections being closed makes them do."""
        running = [each.future for each in self._calls if each.future is not None and not each.future.cancel()]
        if wait(running, FAREWELL).not_done:
            say("Warning: a worker has not ended; its executor waits for it")


class Local(Executors):
    """Workers in processes of this machine, which share its cores; one that ends is replaced.

    Args:
        count: of the workers.
    """

    def __init__(self, count: int) -> None:
        """Start none yet."""
        super().__init__(None, count)
        self._threads = max(1, workers() // count)
        self._pools: list[ProcessPoolExecutor | None] = [None] * count

    def start(self, number: int, invitation: Invitation) -> "Future[None]":
        """Start a worker in a new process: if it dies, no other one is concerned."""
        old = self._pools[number]
        if old is not None:
            old.shutdown(wait=False)
        context = multiprocessing.get_context("spawn")
        pool = ProcessPoolExecutor(1, context, _prepare, (self._threads,))
        self._pools[number] = pool
        return pool.submit(serve, invitation)

    def close(self) -> None:
        """Kill the processes: nothing is in them that is not known here."""
        for pool in self._pools:
            if pool is not None:
                for process in list((pool._processes or {}).values()):
                    process.kill()
                pool.shutdown()


def _prepare(threads: int) -> None:
    """Prepare a process, which uses its share of the cores."""
    work_for_parent(ENDING)
    threadpool_limits(threads)
