"""A worker: it evaluates the pairs that it is given, and moves its own copy of the weights by the fitness of all."""

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
    """A copy of what is trained, which begins as the run does.

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
        """Take a state over that the coordinator has sent."""
        ...

    def move(self, shaped: NDArray[np.int64]) -> None:
        """Do an update: see `pentary.es.strategy.move`."""
        ...

    def digest(self) -> str:
        """Return the digest of the latent words."""
        ...

    def evaluate(self, part: slice) -> Any:
        """Return what the members of some pairs of the next step have come to, as a message can hold it."""
        ...

    def carry(self, part: slice, content: bytes) -> None:
        """Take over what some pairs carry from step to step."""
        ...

    def carried(self, part: slice) -> bytes:
        """Return what some pairs carry from step to step: nothing, if nothing stays between two steps."""
        ...


class Invitation(NamedTuple):
    """What a worker is started with.

    Attributes:
        address: of the coordinator.
        token: that lets it in.
        version: of the package there.
        make: pickled callable that makes the replica; it is opened only if the versions agree.
        context: returns the context of TLS on the worker's machine; None for none.
    """

    address: tuple[str, int]
    token: bytes
    version: str
    make: bytes
    context: Callable[[], ssl.SSLContext] | None = None


def own_version() -> str:
    """Return the version of the package."""
    return version("pentary")


def serve(invitation: Invitation) -> None:
    """Work for a coordinator until it closes the connection.

    Args:
        invitation: from the coordinator.

    Raises:
        OSError: the coordinator cannot be reached.
    """
    context = invitation.context
    channel = connect(invitation.address, context() if context else None)
    try:
        channel.send(Kind.HELLO, invitation.token, own_version(), os.getpid(), socket.gethostname())
        if channel.receive()[0] != Kind.WELCOME:
            return
        try:
            replica: Replica = pickle.loads(invitation.make)()
        except Exception as error:
            channel.send(Kind.FAILED, *_told(error))
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
                channel.send(Kind.FAILED, *_told(error))
            else:
                channel.send(Kind.FOUND, digest, found)
        case [Kind.CARRY, int(first), int(stop), list(since), bytes(content)]:
            _move(replica, since)
            replica.carry(slice(first, stop), content)
        case [Kind.GIVE, int(first), int(stop), list(since)]:
            _move(replica, since)
            channel.send(Kind.GIVEN, first, replica.carried(slice(first, stop)))
        case _:
            raise Lost("the coordinator sends what this worker does not know")


def _move(replica: Replica, since: list[integers.Packed]) -> None:
    for packed in since:
        replica.move(integers.unpack(packed, replica.pairs))


def _told(error: Exception) -> tuple[bool, str, str]:
    """Return whether an error is the user's, its message, and a traceback: of the user's code, or of ours."""
    if isinstance(error, PentaryError):
        return True, str(error), getattr(error, "user_traceback", "")
    return False, f"{type(error).__name__}: {error}", traceback.format_exc()
