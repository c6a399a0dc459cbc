"""Starting workers through executors: one in each process of this machine, or through any executor of the user's."""

import ctypes
import multiprocessing
import signal
import sys
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from time import monotonic
from typing import Final

from threadpoolctl import threadpool_limits

from pentary.distributed.channel import Listener
from pentary.distributed.worker import Invitation, serve
from pentary.numbers.word import PentaryError
from pentary.support.parallel import workers
from pentary.support.signals import deferred

BRIEF: Final = 10.0
"""Seconds: a worker that ends sooner was of no use."""

ATTEMPTS: Final = 3
"""How often in a row a worker may be of no use."""

_DIE_WITH_PARENT: Final = 1  # PR_SET_PDEATHSIG of Linux


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
        self._calls: list[tuple[Future[None], float] | None] = [None] * count
        self._attempts = [0] * count

    def listener(self) -> Listener:
        """Return a listener at the address of this machine."""
        try:
            return Listener(self._host)
        except OSError as error:
            raise PentaryError(f"workers cannot connect to {self._host}: {error.strerror}") from error

    def tend(self, invitation: Invitation) -> int:
        """Start the workers that are missing; see `fleet.Launcher`."""
        for number, call in enumerate(self._calls):
            if call is not None and not call[0].done():
                continue
            if call is not None:
                future, began = call
                self._attempts[number] = self._attempts[number] + 1 if monotonic() - began < BRIEF else 0
                if self._attempts[number] == ATTEMPTS:
                    why = future.exception()
                    raise PentaryError(f"workers end as soon as they start{f': {why}' if why else ''}")
            with deferred():
                self._calls[number] = (self.start(number, invitation), monotonic())
        return len(self._calls)

    def start(self, number: int, invitation: Invitation) -> "Future[None]":
        """Start a worker."""
        assert self._executor is not None, "a class with executors of its own overrides this"
        return self._executor.submit(serve, invitation)

    def close(self) -> None:
        """Wait for the workers to end, which their connections being closed makes them do."""
        for call in self._calls:
            if call is not None and not call[0].cancel():
                call[0].exception()


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
    """Prepare a process: it uses its share of the cores, ends with its parent, and leaves Ctrl-C to that."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
    threadpool_limits(threads)
