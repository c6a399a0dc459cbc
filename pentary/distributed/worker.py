"""A worker: evaluates its pairs, and updates its own replica of the weights by the shaped fitness of all pairs."""

import os
import pickle
import socket
import ssl
import traceback
from collections.abc import Callable
from importlib.metadata import version
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load

from pentary.distributed import integers
from pentary.distributed.channel import Channel, Kind, Lost, connect
from pentary.numbers.word import PentaryError
from pentary.support.parallel import one_blas_thread


class Replica(Protocol):
    """A copy of the trained weights, initialised as those of the run.

    Attributes:
        step: updates done.
        pairs: of a population.
    """

    @property
    def step(self) -> int:
        """Updates done."""
        ...

    @property
    def pairs(self) -> int:
        """Pairs of a population."""
        ...

    def load(self, step: int, arrays: dict[str, NDArray[Any]]) -> None:
        """Set the state to one that the coordinator has sent."""
        ...

    def move(self, shaped: NDArray[np.int64]) -> None:
        """Update the weights by the shaped fitness of all pairs, (pairs,)."""
        ...

    def digest(self) -> str:
        """Return the digest of the latent words."""
        ...

    def evaluate(self, part: slice) -> Any:
        """Return the results of some pairs of the next step, as values that MessagePack can hold."""
        ...

    def load_pairs(self, part: slice, content: bytes) -> None:
        """Set the state of some pairs."""
        ...

    def save_pairs(self, part: slice) -> bytes:
        """Return the state of some pairs; empty if pairs have none."""
        ...


class JoinInfo(NamedTuple):
    """Arguments of a worker.

    Attributes:
        address: host and port of the coordinator.
        token: authenticates the worker.
        version: version of the package at the coordinator.
        make: pickled callable that makes the replica; unpickled only if the versions agree.
        context: returns the TLS context on the worker's machine; None without TLS.
    """

    address: tuple[str, int]
    token: bytes
    version: str
    make: bytes
    context: Callable[[], ssl.SSLContext] | None = None


def own_version() -> str:
    """Return the version of the package."""
    return version("pentary")


def serve(join_info: JoinInfo) -> None:
    """Evaluate pairs for a coordinator until it closes the connection.

    Args:
        join_info: how to reach it, and what to evaluate.

    Raises:
        OSError: the coordinator cannot be reached.
    """
    context = join_info.context
    channel = connect(join_info.address, context() if context else None)
    try:
        channel.send(Kind.HELLO, join_info.token, own_version(), os.getpid(), socket.gethostname())
        if channel.receive()[0] != Kind.WELCOME:
            return
        try:
            replica: Replica = pickle.loads(join_info.make)()
        except Exception as error:
            channel.send(Kind.FAILED, *_failure(error))
            return
        while True:
            _answer(channel, replica, channel.receive())
    except Lost:
        pass
    finally:
        channel.close()


def _answer(channel: Channel, replica: Replica, message: list[Any]) -> None:
    match message:
        case [Kind.STATE, int(step), bytes(content)]:
            replica.load(step, load(content))
        case [Kind.STEP, int(first), int(stop), list(since)]:
            try:
                with one_blas_thread():
                    _move(replica, since)
                    digest = bytes.fromhex(replica.digest())[:8]
                    found = replica.evaluate(slice(first, stop))
            except Exception as error:
                channel.send(Kind.FAILED, *_failure(error))
            else:
                channel.send(Kind.RESULT, digest, found)
        case [Kind.LOAD_PAIRS, int(first), int(stop), list(since), bytes(content)]:
            _move(replica, since)
            replica.load_pairs(slice(first, stop), content)
        case [Kind.SAVE_PAIRS, int(first), int(stop), list(since)]:
            _move(replica, since)
            channel.send(Kind.PAIRS, first, replica.save_pairs(slice(first, stop)))
        case _:
            raise Lost("the coordinator sends what this worker does not know")


def _move(replica: Replica, since: list[integers.Packed]) -> None:
    for packed in since:
        replica.move(integers.unpack(packed, replica.pairs))


def _failure(error: Exception) -> tuple[bool, str, str]:
    """Return whether an error is the user's, its message, and a traceback: of the user's code, or of ours."""
    if isinstance(error, PentaryError):
        return True, str(error), getattr(error, "user_traceback", "")
    return False, f"{type(error).__name__}: {error}", traceback.format_exc()
