"""Parallel processing of chunks by worker threads, with a single-threaded BLAS.

One product split over all cores would leave most of them idle during the element-wise work between products; one chunk
per core keeps everything parallel, and its buffers in that core's cache. Results are integers, so the split does not
change them.
"""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from functools import cache
from threading import Barrier
from typing import TypeVar

import numpy  # noqa: F401 - loads the BLAS whose threads are counted
from threadpoolctl import ThreadpoolController

from pentary.support.signals import deferred

S = TypeVar("S")
T = TypeVar("T")


@cache
def _controller() -> ThreadpoolController:
    return ThreadpoolController()


@cache
def _executor() -> ThreadPoolExecutor:
    executor = ThreadPoolExecutor(workers(), "pentary")
    all_started = Barrier(workers())
    with deferred():  # an exception while a thread starts would make the executor forget it, and wait for it at exit
        for started in [executor.submit(all_started.wait) for _ in range(workers())]:
            started.result()
    return executor


@cache
def workers() -> int:
    """Return the number of workers: that of BLAS threads at first use, so the environment variables of BLAS set it."""
    blas = _controller().select(user_api="blas")
    return max((library.num_threads for library in blas.lib_controllers), default=1)


def one_blas_thread() -> AbstractContextManager[object]:
    """Return a context manager that limits BLAS to one thread.

    Use it also for products between two calls of `map_chunks`: the threads of OpenBLAS keep spinning for a while after
    a product, on the cores that the workers need.
    """
    workers()  # counts the threads of BLAS before they are limited
    return _controller().limit(limits=1, user_api="blas")


def map_chunks(function: Callable[[slice], T], total: int | slice, size: int) -> Iterable[T]:
    """Apply a function to the slices 0..size, size..2 size, ... that cover `total`, in parallel.

    Args:
        function: called with each slice, from several threads.
        total: length to cover, or the slice.
        size: length of every slice but the last.

    Returns:
        The results in order. The first exception of a call is raised.

    >>> list(map_chunks(lambda part: part.stop - part.start, total=10, size=4))
    [4, 4, 2]
    """
    return map_items(function, slices(total, size))


def slices(total: int | slice, size: int) -> list[slice]:
    """Return the slices 0..size, size..2 size, ... that cover a length; or, from its start on, a slice.

    >>> slices(slice(3, 8), size=3)
    [slice(3, 6, None), slice(6, 8, None)]
    """
    whole = total if isinstance(total, slice) else slice(0, total)
    return [slice(start, min(start + size, whole.stop)) for start in range(whole.start, whole.stop, size)]


def even_size(total: int, largest: int) -> int:
    """Return a length for slices that cover `total` and keep all workers busy to the end.

    Args:
        total: length to cover.
        largest: largest length of a slice.

    Returns:
        The greatest such length with slices of about equal length and whole rounds of all workers; at least 1.
    """
    rounds = -(-total // (largest * workers()))
    return -(-total // (rounds * workers()))


def map_items(function: Callable[[S], T], items: Iterable[S]) -> list[T]:
    """Apply a function to each item, in parallel; results are in order, and the first exception is raised."""
    with one_blas_thread():
        return list(_executor().map(function, items))
