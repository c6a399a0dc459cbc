import os
import subprocess
import sys
import threading

import numpy as np
import pytest

from pentary.support import parallel
from pentary.support.parallel import even_size, map_chunks, workers


def test_chunks_cover_the_total_once_and_in_order() -> None:
    assert list(map_chunks(lambda part: (part.start, part.stop), 10, 4)) == [(0, 4), (4, 8), (8, 10)]
    assert list(map_chunks(lambda part: part, 0, 4)) == []


@pytest.mark.parametrize("number", [1, 2, 3, 16])
def test_even_slices_keep_every_worker_busy_to_the_end(monkeypatch, number: int) -> None:
    monkeypatch.setattr(parallel, "workers", lambda: number)
    for total, largest in ((1024, 512), (1025, 512), (4096, 190), (1, 512), (7, 1)):
        size = even_size(total, largest)
        rounds = -(-total // (largest * number))
        assert 1 <= size <= largest
        assert -(-total // size) <= rounds * number
        assert size - total / (rounds * number) < 1


def test_the_first_exception_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        map_chunks(lambda part: 1 // part.start, 4, 1)


@pytest.mark.parametrize("threads", [1, 2])
def test_the_environment_sets_the_number_of_workers(threads: int) -> None:
    code = "from pentary.support.parallel import workers; print(workers())"
    env = os.environ | {"OPENBLAS_NUM_THREADS": str(threads), "OMP_NUM_THREADS": str(threads)}
    shown = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    assert int(shown.stdout) == min(threads, len(os.sched_getaffinity(0)))  # OpenBLAS is limited to the processors


def test_blas_has_one_thread_inside_a_chunk_and_all_of_them_after() -> None:
    from threadpoolctl import ThreadpoolController

    def blas_threads(_: slice) -> tuple[int, int]:
        np.matmul(np.ones((4, 4)), np.ones((4, 4)))
        libraries = ThreadpoolController().select(user_api="blas").lib_controllers
        own = [library.num_threads for library in libraries if "numpy" in library.filepath]  # SciPy brings another
        return max(own), threading.get_ident()

    before = workers()
    assert {threads for threads, _ in map_chunks(blas_threads, 4, 1)} == {1}
    assert blas_threads(slice(0))[0] == before


def test_a_signal_while_the_workers_start_does_not_make_the_end_wait_for_them() -> None:
    code = """if True:
        import signal, sys, threading
        from pentary.support import parallel, signals

        signals.end_like_ctrl_c()
        start = threading.Thread.start

        def interrupted(self):
            threading.Thread.start = start
            start(self)
            signal.raise_signal(signal.SIGINT)

        threading.Thread.start = interrupted
        try:
            parallel.map_items(abs, [1, 2])
        except KeyboardInterrupt:
            sys.exit(signals.exit_code())
    """
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 130
