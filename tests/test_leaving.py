"""Watching a connection without a server of ours, and with bytes that wait on it."""

import gevent
import pytest
from gevent import socket

from facenality.errors import ClientGone
from facenality.server import disconnect
from facenality.server.sockets import has_bytes


@pytest.fixture
def pair():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def test_without_our_server_there_is_nothing_to_watch():
    with disconnect.cancel_on_disconnect({}):
        gevent.sleep(0)


def test_a_client_that_stays_is_not_disturbed(pair):
    with disconnect.cancel_on_disconnect({disconnect.SOCKET: pair[0]}):
        gevent.sleep(0.01)
    assert not disconnect._closed(pair[0])


def test_a_pipelined_request_is_not_a_closed_connection(pair):
    ours, theirs = pair
    with disconnect.cancel_on_disconnect({disconnect.SOCKET: ours}):
        theirs.sendall(b"POST")
        gevent.sleep(0.01)
    assert ours.recv(10) == b"POST", "watching must not eat bytes"


def test_a_client_that_leaves_ends_the_wait(pair):
    ours, theirs = pair
    gevent.spawn_later(0.01, theirs.close)
    with (
        pytest.raises(ClientGone),
        disconnect.cancel_on_disconnect({disconnect.SOCKET: ours}),
    ):
        gevent.sleep(5)


def test_a_reset_connection_is_closed():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        client = socket.create_connection(listener.getsockname())
        ours, _ = listener.accept()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        client.close()
        with ours:
            assert disconnect._closed(ours)
            assert not has_bytes(ours)


def test_a_client_that_leaves_behind_a_pipelined_request_is_noticed(pair):
    ours, theirs = pair
    theirs.sendall(b"POST")
    gevent.spawn_later(0.1, theirs.close)
    with (
        pytest.raises(ClientGone),
        disconnect.cancel_on_disconnect({disconnect.SOCKET: ours}),
    ):
        gevent.sleep(5)
