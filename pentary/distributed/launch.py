"""Starting workers through executors: one in each process of this machine, or through any executor of the user's."""

import multiprocessing
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection
from concurrent.futures import Executor, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from functools import partial
from time import monotonic
from typing import Final

from threadpoolctl import threadpool_limits

from pentary.distributed.channel import Listener
from pentary.distributed.worker import JoinInfo, serve
from pentary.numbers.word import PentaryError
from pentary.support.child import work_for_parent
from pentary.support.display import say
from pentary.support.parallel import workers
from pentary.support.signals import ENDING, deferred

BRIEF_SECONDS: Final = 10.0
"""Seconds; a worker that ends sooner counts as a failed start."""

ATTEMPTS: Final = 3
"""Consecutive failed starts after which a worker is given up."""

SHUTDOWN_SECONDS: Final = 10.0
"""Seconds to wait for a worker to end."""


@dataclass
class Call:
    """A worker, as a call of `serve` that is submitted again when it ends.

    Attributes:
        future: of the call; None before the first.
        began: start time, by `time.monotonic`.
        attempts: consecutive failed starts.
        why: message of the last failure; empty if there is none.
    """

    future: "Future[None] | None" = None
    began: float = 0.0
    attempts: int = 0
    why: str = ""

    @property
    def is_given_up(self) -> bool:
        """Whether it is not started again."""
        return self.attempts >= ATTEMPTS

    @property
    def reason(self) -> str:
        """The message of the last failure as the end of a sentence; empty if there is none."""
        return f": {self.why}" if self.why else ""

    def keep_running(self, start: "Callable[[], Future[None]]") -> None:
        """Submit the call if it does not run, unless it is given up."""
        if self.is_given_up or (self.future is not None and not self.future.done()):
            return
        if self.future is not None:
            self.attempts = self.attempts + 1 if monotonic() - self.began < BRIEF_SECONDS else 0
            error = None if self.future.cancelled() else self.future.exception()
            self.why = first_line(error) if error else ""
        if not self.is_given_up:
            with deferred():
                try:
                    self.future, self.began = start(), monotonic()
                except RuntimeError as error:  # an executor that is broken, or was shut down
                    self.attempts, self.why = ATTEMPTS, first_line(error)


def expected(calls: Collection[Call]) -> int:
    """Return how many workers are not given up.

    Raises:
        PentaryError: all are.
    """
    left = [call for call in calls if not call.is_given_up]
    if calls and not left:
        raise PentaryError(f"workers end as soon as they start{max(each.reason for each in calls)}")
    return len(left)


def first_line(error: BaseException) -> str:
    """Return the first line of the message of an error, or its kind if it has none."""
    return (str(error) or type(error).__name__).partition("\n")[0]


class _Calls(ABC):
    """Workers in calls that last as long as the run.

    Args:
        count: number of workers.
        host: address of this machine, as the workers reach it.
    """

    context = None

    def __init__(self, count: int, host: str = "127.0.0.1") -> None:
        """Start none yet."""
        self._host = host
        self._calls = [Call() for _ in range(count)]

    @abstractmethod
    def start(self, number: int, join_info: JoinInfo) -> "Future[None]":
        """Start a worker."""

    def listener(self) -> Listener:
        """Return a listening socket at the address of this machine."""
        try:
            return Listener(self._host)
        except OSError as error:
            raise PentaryError(f"workers cannot connect to {self._host}: {error.strerror}") from error

    def launch_missing(self, join_info: JoinInfo) -> int:
        """Start the workers that do not run; see `coordinator.Launcher`."""
        for number, call in enumerate(self._calls):
            call.keep_running(partial(self.start, number, join_info))
        return expected(self._calls)


class Executors(_Calls):
    """Workers through an executor of the user's.

    Args:
        executor: executor with room for `count` calls at a time.
        count: number of workers.
        host: address of this machine, as the workers reach it.
    """

    def __init__(self, executor: Executor, count: int, host: str = "127.0.0.1") -> None:
        """Start none yet."""
        super().__init__(count, host)
        self._executor = executor

    def start(self, number: int, join_info: JoinInfo) -> "Future[None]":
        """Start a worker."""
        return self._executor.submit(serve, join_info)

    def close(self) -> None:
        """Wait for the workers to end, which they do when their connection is closed."""
        running = [each.future for each in self._calls if each.future is not None and not each.future.cancel()]
        if wait(running, SHUTDOWN_SECONDS).not_done:
            say("Warning: a worker has not ended; its executor waits for it")


class Local(_Calls):
    """Workers in processes of this machine, which share its cores; one that ends is replaced.

    Args:
        count: of the workers.
    """

    def __init__(self, count: int) -> None:
        """Start none yet."""
        super().__init__(count)
        self._threads = max(1, workers() // count)
        self._pools: list[ProcessPoolExecutor | None] = [None] * count

    def start(self, number: int, join_info: JoinInfo) -> "Future[None]":
        """Start a worker in a process pool of its own: a pool breaks when its process dies."""
        old = self._pools[number]
        if old is not None:
            old.shutdown(wait=False)
        context = multiprocessing.get_context("spawn")
        pool = ProcessPoolExecutor(1, context, _prepare, (self._threads,))
        self._pools[number] = pool
        return pool.submit(serve, join_info)

    def close(self) -> None:
        """Kill the processes; the coordinator has all that is needed."""
        for pool in self._pools:
            if pool is not None:
                for process in list((pool._processes or {}).values()):
                    process.kill()
                pool.shutdown()


def _prepare(threads: int) -> None:
    """Initialise a worker process with its share of the cores."""
    work_for_parent(ENDING)
    threadpool_limits(threads)
