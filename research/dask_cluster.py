"""A Dask cluster on this machine, started by Dask's own commands."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager


def command(*arguments: str) -> "subprocess.Popen[bytes]":
    """Start `dask` with some arguments."""
    quiet = subprocess.DEVNULL
    return subprocess.Popen([sys.executable, "-m", "dask", *arguments, "--no-dashboard"], stdout=quiet, stderr=quiet)


def worker(address: str) -> "subprocess.Popen[bytes]":
    """Start a worker of a scheduler."""
    return command("worker", address, "--nthreads", "1", "--host", "127.0.0.1")


@contextmanager
def cluster(workers: int, protocol: str = "tcp") -> Iterator[tuple[str, "list[subprocess.Popen[bytes]]"]]:
    """Run a scheduler and some workers.

    Yields:
        The address of the scheduler; and the processes, the scheduler first, which may become more.
    """
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"{protocol}://127.0.0.1:{free.getsockname()[1]}"
    processes = [command("scheduler", "--host", address), *(worker(address) for _ in range(workers))]
    try:
        yield address, processes
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(20)
