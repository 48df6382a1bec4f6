"""What takes too long is answered where it can be, and ends within a second.

WAIT=1 waits the default limits of 10, 5 and 30 s out, with `-k slow_client`.
"""

import os
import time

import gevent
import pytest

from facenality.server import Limits
from facenality.settings import Settings
from speaking import QUICK, read_all, speaking, statuses

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n"
CHUNKED = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
REFUSED = b"POST /unread HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n"
LIMIT = 0.3  # of each kind, in QUICK


@pytest.fixture(scope="module")
def server():
    with speaking(QUICK) as spoken:
        yield spoken


def test_the_limits_are_the_contracts():
    limits = Limits.of(Settings())
    assert limits.head_timeout == 10
    assert limits.idle_timeout == 5
    assert limits.body_timeout == 30
    assert limits == Limits()


def drip(sock, data: bytes, pause: float = 0.05) -> None:
    """A byte every 50 ms, until the server has enough of it."""
    try:
        for byte in data:
            sock.sendall(bytes([byte]))
            gevent.sleep(pause)
    except OSError:
        pass


WAITED = Limits() if os.environ.get("WAIT") else QUICK
HEAD, IDLE, BODY = WAITED.head_timeout, WAITED.idle_timeout, WAITED.body_timeout

# What a client sends at once, what it drips, the statuses it gets, and after how long.
SLOW = {
    "says nothing": (b"", b"", [], HEAD),
    "drips a head": (b"", b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"b" * 99, [408], HEAD),
    "drips fields": (b"GET / HTTP/1.1\r\n", b"A: b\r\n" * 9, [408], HEAD),
    "begins a head and stops": (b"GET / HT", b"", [408], HEAD),
    "says nothing more": (GET, b"", [200], IDLE),
    "drips a second head": (
        GET,
        b"GET / HTTP/1.1\r\nA: " + b"b" * 99,
        [200, 408],
        HEAD,
    ),
    "drips empty lines": (b"", b"\r\n" * 9, [400], 0),
    "stops within its body": (POST + b"abc", b"", [408], BODY),
    "drips a body": (POST, b"x" * 99, [408], BODY),
    "stops within a chunk": (CHUNKED + b"9\r\nabc", b"", [408], BODY),
    "drips chunks": (CHUNKED, b"1\r\nx\r\n" * 20, [408], BODY),
    "drips the size of a chunk": (CHUNKED + b"1;", b"a" * 99, [408], BODY),
    "drips trailers": (CHUNKED + b"0\r\n", b"A: b\r\n" * 20, [408], BODY),
}


@pytest.fixture(scope="module")
def patient():
    with speaking(WAITED) as spoken:
        yield spoken


@pytest.mark.parametrize("client", SLOW)
def test_a_slow_client_ends_within_a_second_of_its_limit(patient, client):
    at_once, slowly, expected, limit = SLOW[client]
    started = time.monotonic()
    with patient.connect(at_once) as sock:
        sock.settimeout(None)
        dripping = gevent.spawn(drip, sock, slowly, limit / 6 or 0.05)
        reply = read_all(sock, limit + 10)
        took = time.monotonic() - started
        dripping.kill()
    assert statuses(reply) == expected
    if limit:
        print(f"{client}: a limit of {limit:g} s, ended after {took:.2f} s")
        assert limit <= took < limit + 1
    if 408 in expected:
        assert b"Connection: close" in reply


def test_a_slow_head_is_counted_and_said_by_its_name():
    with speaking(QUICK) as server:
        with server.connect(b"GET /") as sock:
            reply = read_all(sock)
        assert b'"code":"head_timeout"' in reply
        assert server.refused == ["head_timeout"]


def open_connections(server) -> int:
    return len(server.server._handlers)


def gone(server, seconds: float) -> bool:
    """Whether the server has closed all its connections within `seconds`."""
    until = time.monotonic() + seconds
    while open_connections(server) and time.monotonic() < until:
        gevent.sleep(0.05)
    return not open_connections(server)


def test_a_client_that_does_not_read_its_reply_is_reset():
    with speaking(QUICK) as server:
        sock = server.connect(GET.replace(b"/ ", b"/large ", 1))
        gevent.sleep(LIMIT / 2)
        assert open_connections(server) == 1
        assert gone(server, LIMIT / 2 + 1)
        with sock, pytest.raises(ConnectionResetError):  # noqa: PT012  it comes
            while sock.recv(1 << 20):
                pass


def test_a_client_that_reads_slowly_gets_no_more_time():
    def reading(sock):
        try:
            while sock.recv(4096):
                gevent.sleep(0.01)
        except OSError:
            pass

    with speaking(QUICK) as server:
        sock = server.connect(GET.replace(b"/ ", b"/large ", 1))
        reader = gevent.spawn(reading, sock)
        assert gone(server, LIMIT + 1)
        reader.join(2)
        sock.close()


def test_a_refused_client_that_goes_on_dripping_is_closed_after_two_seconds(server):
    started = time.monotonic()
    with server.connect(REFUSED) as sock:
        dripping = gevent.spawn(drip, sock, b"x" * 99)
        assert statuses(read_all(sock)) == [404]  # at once: we say that we are done
        assert time.monotonic() - started < 1
        assert gone(server, 3)
        assert 2 <= time.monotonic() - started < 3
        dripping.join(1)
        assert dripping.ready()


def test_the_applications_own_time_is_not_limited():
    def application(environ, start_response):
        gevent.sleep(2 * LIMIT)
        start_response("200 OK", [])
        return [environ["wsgi.input"].read()]

    with speaking(QUICK) as server:
        server.server.application = application
        body = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"
        assert server.ask(body).endswith(b"abc")


def test_a_client_with_requests_always_at_hand_does_not_keep_the_others_waiting(server):
    server.seen.clear()
    line = b"GET /%b HTTP/1.1\r\nHost: x\r\n\r\n"
    greedy = server.connect(line % b"greedy" * 500)
    modest = server.connect(line % b"modest")
    gevent.spawn(read_all, greedy)
    assert b"200 OK" in modest.recv(1000)
    paths = [path for _, path, _ in server.seen]
    assert paths.index("/modest") < 450
    greedy.close()
    modest.close()


def test_a_body_of_countless_chunks_does_not_keep_the_others_waiting():
    with speaking() as server:
        greedy = server.connect(CHUNKED)
        chunks = b"1\r\nx\r\n" * 100_000 + b"0\r\n\r\n"
        gevent.spawn(greedy.sendall, chunks)
        modest = server.connect(GET)
        assert b"200 OK" in modest.recv(1000)
        assert server.seen == [("GET", "/", b"")]
        assert b"200 OK" in greedy.recv(1000)
        greedy.close()
        modest.close()


def test_many_that_are_late_at_once_are_all_told_within_a_second():
    with speaking(QUICK) as server:
        socks = [server.connect(b"GET") for _ in range(200)]
        started = time.monotonic()
        assert [statuses(read_all(sock)) for sock in socks] == [[408]] * 200
        assert time.monotonic() - started < LIMIT + 1
        for sock in socks:
            sock.close()


def test_the_clock_stands_still_while_there_are_no_connections():
    with speaking(QUICK) as server:
        timer = server.server._deadlines._timer
        assert not timer.active
        server.connect(GET).close()
        gevent.sleep(0.1)
        assert timer.active
        assert gone(server, 1)
        gevent.sleep(0.5)
        assert not timer.active
