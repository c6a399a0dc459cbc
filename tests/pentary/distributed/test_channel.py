"""Messages over a socket: whole, in order, counted; and what is no message ends the connection."""

import socket
import ssl
import threading
from pathlib import Path

import pytest
import trustme

from pentary.distributed.channel import GREETING, Channel, Kind, Listener, Lost, connect


@pytest.fixture
def ends():
    listener = Listener("127.0.0.1")
    near = connect(listener.address)
    far = listener.accept()
    assert far is not None
    far.trust()
    yield near, far
    for each in (near, far, listener):
        each.close()


def test_messages_arrive_whole_and_in_order_and_their_bytes_are_counted(ends):
    near, far = ends
    large = bytes(range(256)) * 3000
    sending = threading.Thread(target=lambda: [near.send(Kind.STATE, n, large) for n in range(5)])
    sending.start()
    for number in range(5):
        assert far.receive() == [Kind.STATE, number, large]
    sending.join()
    assert near.sent == far.received > 5 * len(large)
    far.send(Kind.RESULT, b"digest", [[-3, 2, b"\x01"], 2**63 - 1, -(2**63)])
    assert near.receive() == [Kind.RESULT, b"digest", [[-3, 2, b"\x01"], 2**63 - 1, -(2**63)]]


def test_what_has_come_is_taken_without_waiting(ends):
    near, far = ends
    assert far.arrived() == []
    near.send(Kind.PAIRS, b"a")
    near.send(Kind.PAIRS, b"b")
    assert far.receive() == [Kind.PAIRS, b"a"]
    near.close()
    assert far.arrived() == [[Kind.PAIRS, b"b"]], "what came before the end is not lost"
    with pytest.raises(Lost, match="closed the connection"):
        far.arrived()


@pytest.mark.parametrize("content", [b"\xc1", b"\x01", b"\x90", b"\x91\xa1a", b"GET / HTTP/1.1\r\n\r\n"])
def test_what_is_no_message_ends_the_connection(content):
    listener = Listener("127.0.0.1")
    with socket.create_connection(listener.address) as other:
        other.sendall(content)
        far = listener.accept()
        assert far is not None
        with pytest.raises(Lost, match="what is no message"):
            far.receive()
        far.close()
    listener.close()


def test_a_message_that_is_too_large_ends_the_connection():
    listener = Listener("127.0.0.1")
    near = connect(listener.address)
    far = listener.accept()
    assert far is not None
    near.send(Kind.HELLO, bytes(GREETING))
    with pytest.raises(Lost, match="what is no message"):
        far.receive()
    for each in (near, far, listener):
        each.close()


def test_an_encrypted_connection_is_refused_to_who_has_no_certificate(tmp_path: Path):
    authority = trustme.CA()
    server, client, plain = (
        ssl.create_default_context(purpose)
        for purpose in (ssl.Purpose.CLIENT_AUTH, ssl.Purpose.SERVER_AUTH, ssl.Purpose.SERVER_AUTH)
    )
    authority.issue_cert("127.0.0.1").configure_cert(server)
    authority.issue_cert("worker@here").configure_cert(client)
    for context in (server, client, plain):
        authority.configure_trust(context)
    server.verify_mode = ssl.CERT_REQUIRED
    listener = Listener("127.0.0.1", server)
    accepted: list[Channel | None] = []

    def accept():
        accepted.append(listener.accept())

    for context, is_let_in in ((client, True), (plain, False)):
        accepting = threading.Thread(target=accept)
        accepting.start()
        near = connect(listener.address, context)
        accepting.join()
        far = accepted.pop()
        assert (far is not None) == is_let_in
        if far is not None:
            far.trust()
            near.send(Kind.PAIRS, b"x" * 100_000)
            assert far.receive() == [Kind.PAIRS, b"x" * 100_000]
            far.close()
        near.close()
    listener.close()
