"""Calls of a user's function of a weight matrix: here, or in processes of their own, which may hang or die."""

import multiprocessing
import signal
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import TimeoutError
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from pentary.es.fitness import number
from pentary.support.child import work_for_parent
from pentary.support.extras import extra
from pentary.support.parallel import one_blas_thread
from pentary.support.signals import deferred
from pentary.tasks.running import users

if TYPE_CHECKING:
    from pebble import ProcessPool

Fitness = Callable[[NDArray[np.int64]], object]
"""A user's function; what it returns is checked."""

LARGEST: Final = 1e300
"""Largest magnitude of a fitness: differences and means of such numbers are finite."""

_AHEAD: Final = 8
"""Calls that are given to each process ahead."""


@dataclass(frozen=True)
class Outcome:
    """What a call has come to.

    Attributes:
        fitness: that was returned; None if the call has failed.
        why: what has happened instead, such as "raised ValueError".
        traceback: of an exception, the part in the user's code.
    """

    fitness: int | float | None
    why: str = ""
    traceback: str = ""


def call(function: Fitness, weights: NDArray[np.int8]) -> Outcome:
    """Call a function, and check what it returns.

    Args:
        function: of the user.
        weights: (rows, cols), of which the function gets a copy in int64: in int8, 100 times a weight would wrap.

    Raises:
        KeyboardInterrupt: a signal has ended the call.
    """
    try:
        value = function(weights.astype(np.int64, order="C"))
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # asyncio's cancellation, for one, is no Exception
        return Outcome(None, f"raised {type(error).__name__}", users.users_part(error))
    fitness = number(value)
    if fitness is None:
        return Outcome(None, f"returned {type(value).__name__}, not a number,")
    if not abs(fitness) <= LARGEST:
        told = fitness if isinstance(fitness, float) else "an integer that is too large"
        return Outcome(None, f"returned {told}, outside ±{LARGEST},")
    return Outcome(fitness)


class Processes:
    """Processes that call a function; one that hangs or dies is replaced, and only its call has failed.

    Args:
        name: of the function, as `users.find` takes it.
        count: of the processes.
        timeout: seconds after which a call has failed; None for none.

    Raises:
        MissingLibraryError: the library that makes them is not installed.
    """

    def __init__(self, name: str, count: int = 1, timeout: float | None = None) -> None:
        """Start nothing yet."""
        with extra("workers", "calls in processes of their own"):
            import pebble  # noqa: F401 - tells at once if it is missing
        self._name, self._count, self._timeout = name, count, timeout
        self._pool: ProcessPool | None = None

    def outcomes(self, members: Iterable[NDArray[np.int8]]) -> Iterator[Outcome]:
        """Yield the outcome for each member, in order.

        Args:
            members: (rows, cols) each.
        """
        pool = self._pool or self._start()
        waiting: deque[Any] = deque()
        for weights in members:
            if len(waiting) >= self._count * _AHEAD:
                yield self._outcome(waiting.popleft())
            arguments = weights.tobytes(), weights.shape
            waiting.append(pool.schedule(_judge, arguments, timeout=self._timeout))
        while waiting:
            yield self._outcome(waiting.popleft())

    def _start(self) -> "ProcessPool":
        from pebble import ProcessPool

        context, own = multiprocessing.get_context("spawn"), multiprocessing.current_process()
        if own.daemon:  # a worker of Dask: Python lets it start no processes, since it might leave them behind
            own._config["daemon"] = False  # type: ignore[attr-defined]
        with deferred():
            self._pool = ProcessPool(self._count, initializer=_load, initargs=(self._name,), context=context)
        weakref.finalize(self, _stop, self._pool)
        return self._pool

    def _outcome(self, waiting: Any) -> Outcome:
        from pebble import ProcessExpired

        try:
            return waiting.result()
        except TimeoutError:
            return Outcome(None, f"did not return within {self._timeout:g} s")
        except ProcessExpired as error:
            return Outcome(None, f"ended its process with status {error.exitcode}")


def _stop(pool: "ProcessPool") -> None:
    pool.stop()
    pool.join()


_function: Fitness | None = None
"""In a process of its own: the function that it calls."""


def _load(name: str) -> None:
    """Prepare a process: it ends with its parent, which alone heeds Ctrl-C."""
    global _function
    work_for_parent([signal.SIGINT])
    _function = users.find(name)


def _judge(content: bytes, shape: tuple[int, int]) -> Outcome:
    assert _function is not None, "the process has been prepared"
    with one_blas_thread():
        return call(_function, np.frombuffer(content, np.int8).reshape(shape))
