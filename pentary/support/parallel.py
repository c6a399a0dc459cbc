"""Chunks of a population side by side, each worker with a BLAS of one thread.

One product split over all cores would leave them idle during the element-wise work between products; one chunk a core
keeps everything parallel and its buffers in that core's cache. Results are integers, so no split changes them.
"""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from functools import cache
from typing import TypeVar

import numpy  # noqa: F401 - loads the BLAS whose threads are counted
from threadpoolctl import ThreadpoolController

S = TypeVar("S")
T = TypeVar("T")


@cache
def _controller() -> ThreadpoolController:
    return ThreadpoolController()


@cache
def _executor() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(workers(), "pentary")


@cache
def workers() -> int:
    """Give the number of workers: as many as BLAS had threads at first use, so its environment variables set it."""
    blas = _controller().select(user_api="blas")
    return max((library.num_threads for library in blas.lib_controllers), default=1)


def one_blas_thread() -> AbstractContextManager[object]:
    """Give a context in which BLAS has one thread.

    Products between two calls of `map_chunks` belong in one too: the threads of OpenBLAS go on spinning for a while
    after a product, on the cores that the workers need.
    """
    workers()  # counts BLAS's threads, so before they are limited
    return _controller().limit(limits=1, user_api="blas")


def map_chunks(function: Callable[[slice], T], total: int, size: int) -> Iterable[T]:
    """Apply a function to the slices 0..size, size..2 size, ... that cover `total`, in parallel.

    Args:
        function: called with each slice, from several threads.
        total: length to cover.
        size: length of a slice, but the last.

    Returns:
        The results in order. The first exception is raised.

    >>> list(map_chunks(lambda part: part.stop - part.start, total=10, size=4))
    [4, 4, 2]
    """
    return map_items(function, slices(total, size))


def slices(total: int, size: int) -> list[slice]:
    """Give the slices 0..size, size..2 size, ... that cover `total`."""
    return [slice(start, min(start + size, total)) for start in range(0, total, size)]


def even_size(total: int, largest: int) -> int:
    """Give the length of slices that cover `total` so that all workers are busy to the end.

    Args:
        total: length to cover.
        largest: length that a slice may have.

    Returns:
        The greatest length of slices that are about equal and come in whole rounds of all workers; at least 1.
    """
    rounds = -(-total // (largest * workers()))
    return -(-total // (rounds * workers()))


def map_items(function: Callable[[S], T], items: Iterable[S]) -> list[T]:
    """Apply a function to each item, in parallel; results are in order, and the first exception is raised."""
    with one_blas_thread():
        return list(_executor().map(function, items))
