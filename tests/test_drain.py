"""The server in process: small replies at once, and a drain that loses nothing."""

import socket
from contextlib import ExitStack

import gevent
import pytest

from facenality.server import SOCKET, Server

REQUEST = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n"
LARGE = b"x" * 8_000_000  # more than the kernel holds for a client that does not read


def application(environ, start_response):
    body = environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [LARGE if body == b"much" else body]


@pytest.fixture
def server():
    one = Server(("127.0.0.1", 0), application)
    one.listen()
    yield one
    one.close()


@pytest.fixture
def connect(server):
    """Plain sockets to the server: they do not let the hub run."""
    with ExitStack() as stack:

        def one(data=b""):
            address = ("127.0.0.1", server.server_port)
            client = stack.enter_context(socket.create_connection(address))
            client.sendall(data)
            return client

        yield one


def read(client) -> bytes:
    """All that comes, while the hub runs."""
    client.setblocking(False)
    parts = []
    with gevent.Timeout(10):
        while True:
            try:
                part = client.recv(1 << 20)
            except BlockingIOError:
                gevent.sleep(0.01)
                continue
            if not part:
                return b"".join(parts)
            parts.append(part)


def test_a_small_reply_does_not_wait_for_an_acknowledgement(server, connect):
    def application(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        option = (socket.IPPROTO_TCP, socket.TCP_NODELAY)
        return [str(environ[SOCKET].getsockopt(*option)).encode()]

    server.application = application
    client = connect(REQUEST + b"body")
    assert server.drain(5)
    assert read(client).endswith(b"\r\n\r\n1")


def test_a_request_that_waits_in_the_backlog_is_answered(server, connect):
    client = connect(REQUEST + b"body")
    assert server.drain(5)
    assert read(client).endswith(b"\r\n\r\nbody")


def test_a_request_that_has_begun_to_arrive_on_a_kept_connection_is_answered(
    server, connect
):
    client = connect(REQUEST + b"one.")
    gevent.sleep(0.05)
    client.recv(1000)
    client.sendall(REQUEST)  # its head is with the kernel, its body is on the way
    gevent.spawn_later(0.3, client.sendall, b"two.")
    assert server.drain(5)
    assert read(client).endswith(b"\r\n\r\ntwo.")


def test_a_reply_that_is_still_being_sent_ends_the_connection_when_it_is_done(
    server, connect
):
    client = connect(REQUEST + b"much")
    gevent.sleep(0.05)
    drained = gevent.spawn(server.drain, 8)
    gevent.sleep(1.5)  # both rounds of hanging up are over
    assert len(read(client)) > len(LARGE)
    assert drained.get(timeout=5) is True


def test_an_idle_connection_is_closed(server, connect):
    client = connect(REQUEST + b"one.")
    gevent.sleep(0.05)
    client.recv(1000)
    assert server.drain(5)
    assert read(client) == b""


def test_a_client_that_never_finishes_its_body_makes_the_drain_time_out(
    server, connect
):
    connect(REQUEST)
    gevent.sleep(0.05)
    assert server.drain(0.3) is False
