"""Messages between a coordinator and its workers: arrays of MessagePack over TCP, or TLS.

A message holds numbers, texts and bytes alone, so nothing that comes over the wire is ever executed.
"""

import secrets
import socket
import ssl
from collections import deque
from enum import IntEnum
from typing import Any, Final

import msgpack

from pentary.support.signals import deferred

SIZE: Final = 2**30
"""Largest message, bytes."""

PATIENCE: Final = 60.0
"""Timeout of sending, seconds."""

GREETING: Final = 2**12
"""Largest message before authentication, bytes."""

HANDSHAKE: Final = 5.0
"""Timeout of the TLS handshake, seconds."""

_SILENCE: Final = {"TCP_KEEPIDLE": 20, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 4, "TCP_USER_TIMEOUT": 60_000}
"""TCP options by which a connection breaks after a minute of silence of the other machine."""

_PIECE: Final = 2**16


class Kind(IntEnum):
    """Kind of a message; `architecture/distributed.md` lists the fields of each."""

    HELLO = 0
    WELCOME = 1
    REFUSED = 2
    STATE = 3
    STEP = 4
    RESULT = 5
    FAILED = 6
    LOAD_PAIRS = 7
    SAVE_PAIRS = 8
    PAIRS = 9


class Lost(Exception):
    """The connection is broken, or the peer has sent an invalid message."""


class Channel:
    """One end of a connection.

    Args:
        own: connected socket.
        size: of the largest message.

    Attributes:
        sent, received: bytes so far, as they went through the socket, before encryption.
    """

    def __init__(self, own: socket.socket, size: int = SIZE) -> None:
        """Set the TCP options."""
        own.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        own.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in _SILENCE.items():
            if hasattr(socket, name):  # not on every system
                own.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
        self._socket, self._unpacker = own, _unpacker(size)
        self._messages: deque[list[Any]] = deque()
        self.sent = self.received = 0

    def fileno(self) -> int:
        """Return the descriptor, for `selectors`."""
        return self._socket.fileno()

    def trust(self) -> None:
        """Accept messages up to `SIZE` from now on."""
        self._unpacker = _unpacker(SIZE)

    def send(self, kind: Kind, *values: Any) -> None:
        """Send a message, whole: a signal waits for that.

        Raises:
            Lost: the other end is gone.
        """
        content = msgpack.packb([int(kind), *values])
        assert content is not None, "MessagePack packs into bytes"
        try:
            with deferred():
                self._socket.settimeout(PATIENCE)
                self._socket.sendall(content)
        except OSError as error:
            raise Lost(str(error)) from error
        self.sent += len(content)

    def receive(self) -> list[Any]:
        """Wait for a message, and return it: its kind, and what it holds.

        Raises:
            Lost: the other end is gone.
        """
        while not self._messages:
            self._socket.settimeout(None)
            self._read()
        return self._messages.popleft()

    def arrived(self) -> list[list[Any]]:
        """Return the messages that have arrived, without waiting.

        Raises:
            Lost: the other end is gone, and no message is left.
        """
        try:
            while True:
                self._socket.settimeout(0)
                self._read()
        except (BlockingIOError, ssl.SSLWantReadError):
            pass
        except Lost:
            if not self._messages:
                raise
        found = [*self._messages]
        self._messages.clear()
        return found

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()

    def _read(self) -> None:
        try:
            content = self._socket.recv(_PIECE)
        except (BlockingIOError, ssl.SSLWantReadError):
            raise
        except OSError as error:
            raise Lost(str(error)) from error
        if not content:
            raise Lost("it has closed the connection")
        self.received += len(content)
        try:
            self._unpacker.feed(content)
            for message in self._unpacker:
                if not (isinstance(message, list) and message and isinstance(message[0], int)):
                    raise ValueError("it is no array that begins with a number")
                self._messages.append(message)
        except (ValueError, msgpack.exceptions.UnpackException) as error:
            raise Lost(f"it sent what is no message: {error}") from error


def _unpacker(size: int) -> msgpack.Unpacker:
    return msgpack.Unpacker(max_buffer_size=size, strict_map_key=True)


class Listener:
    """Where workers connect to.

    Args:
        host: address to listen at, as workers reach it.
        context: of TLS; None for none.

    Attributes:
        address: host and port.
        token: that a worker has to send, drawn anew each time.

    Raises:
        OSError: nothing can listen there.
    """

    def __init__(self, host: str, context: ssl.SSLContext | None = None) -> None:
        """Listen at a port that is free."""
        self._socket = socket.create_server((host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
        self._context = context
        self.address: tuple[str, int] = self._socket.getsockname()[:2]
        self.token = secrets.token_bytes(16)

    def fileno(self) -> int:
        """Return the descriptor, for `selectors`."""
        return self._socket.fileno()

    def accept(self) -> Channel | None:
        """Accept a connection; None if it breaks off at once."""
        try:
            own, _ = self._socket.accept()
            own.settimeout(HANDSHAKE)
            if self._context is not None:
                own = self._context.wrap_socket(own, server_side=True)
            return Channel(own, GREETING)
        except OSError:
            return None

    def close(self) -> None:
        """Stop listening."""
        self._socket.close()


def connect(address: tuple[str, int], context: ssl.SSLContext | None = None) -> Channel:
    """Connect to a listener.

    Args:
        address: of it.
        context: of TLS; None for none.

    Raises:
        OSError: nothing listens there.
    """
    own = socket.create_connection(address, PATIENCE)
    if context is not None:
        own = context.wrap_socket(own, server_hostname=address[0])
    return Channel(own)
