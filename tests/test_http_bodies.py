"""Bodies end where their framing says; replies are framed for whoever asked."""

import io
from contextlib import suppress

import pytest
from gevent import socket

from facenality.server import Limits
from speaking import read_all, speaking, statuses

HEAD = b"POST / HTTP/1.1\r\nHost: x\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


def bodies(spoken) -> list[bytes]:
    return [body for _, _, body in spoken.seen]


# --- chunked

VALID = {
    "one chunk": (b"3\r\nabc\r\n0\r\n\r\n", b"abc"),
    "several": (b"1\r\na\r\n2\r\nbc\r\n0\r\n\r\n", b"abc"),
    "none": (b"0\r\n\r\n", b""),
    "zeros": (b"0003\r\nabc\r\n0000\r\n\r\n", b"abc"),
    "hexadecimal": (
        b"a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n",
        b"0123456789" * 2,
    ),
    "an extension": (b"3;a=b\r\nabc\r\n0;c\r\n\r\n", b"abc"),
    "space before an extension": (b"3 ; a\r\nabc\r\n0\r\n\r\n", b"abc"),
    "a quoted extension": (b'3;a="b;\\"\\r"\r\nabc\r\n0\r\n\r\n', b"abc"),
    "trailers": (b"3\r\nabc\r\n0\r\nA: b\r\nContent-Length: 9\r\n\r\n", b"abc"),
    "line ends inside": (b"6\r\n\r\n0\r\n\r\r\n0\r\n\r\n", b"\r\n0\r\n\r"),
}


@pytest.mark.parametrize("form", VALID)
def test_a_chunked_body_is_read(spoken, form):
    data, body = VALID[form]
    assert statuses(spoken.ask(CHUNKED + data + GET)) == [200, 200]
    assert bodies(spoken) == [body, b""]


INVALID = {
    "no size": b"\r\nabc\r\n0\r\n\r\n",
    "a size in words": b"three\r\nabc\r\n0\r\n\r\n",
    "0x3": b"0x3\r\nabc\r\n0\r\n\r\n",
    "+3": b"+3\r\nabc\r\n0\r\n\r\n",
    "-3": b"-3\r\nabc\r\n0\r\n\r\n",
    "3_0": b"3_0\r\nabc\r\n0\r\n\r\n",
    "space before the size": b" 3\r\nabc\r\n0\r\n\r\n",
    "space after the size": b"3 \r\nabc\r\n0\r\n\r\n",
    "17 digits": b"00000000000000003\r\nabc\r\n0\r\n\r\n",
    "bare LF after the size": b"3\nabc\r\n0\r\n\r\n",
    "bare CR after the size": b"3\rabc\r\n0\r\n\r\n",
    "bare LF after the chunk": b"3\r\nabc\n0\r\n\r\n",
    "nothing after the chunk": b"3\r\nabc0\r\n\r\n",
    "a chunk that is longer": b"3\r\nabcd\r\n0\r\n\r\n",
    "a chunk that is shorter": b"5\r\nabc\r\n0\r\n\r\n",
    "an extension without a name": b"3;=a\r\nabc\r\n0\r\n\r\n",
    "bare LF in an extension": b"3;a\nb\r\nabc\r\n0\r\n\r\n",
    "bare CR in an extension": b"3;a\rb\r\nabc\r\n0\r\n\r\n",
    "NUL in an extension": b"3;a\0\r\nabc\r\n0\r\n\r\n",
    "an extension of 2 KiB": b"3;" + b"a" * 2048 + b"\r\nabc\r\n0\r\n\r\n",
    "bare LF at the end": b"3\r\nabc\r\n0\r\n\n",
    "a folded trailer": b"3\r\nabc\r\n0\r\nA: b\r\n c\r\n\r\n",
    "a trailer without a colon": b"3\r\nabc\r\n0\r\nA\r\n\r\n",
    "a trailer with NUL": b"3\r\nabc\r\n0\r\nA: \0\r\n\r\n",
    "a trailer of 2 KiB": b"3\r\nabc\r\n0\r\nA: " + b"b" * 2048 + b"\r\n\r\n",
    "33 trailers": b"3\r\nabc\r\n0\r\n" + b"A: b\r\n" * 33 + b"\r\n",
    "TE.0": b"0\r\n" + SMUGGLED,
}


@pytest.mark.parametrize("form", INVALID)
def test_a_broken_chunked_body_is_refused_and_nothing_behind_it_is_served(spoken, form):
    reply = spoken.ask(CHUNKED + INVALID[form] + SMUGGLED)
    assert statuses(reply) == [400]
    assert b"\r\nConnection: close\r\n" in reply
    assert reply.endswith(b"malformed")
    assert spoken.seen == []


def test_a_body_that_ends_early_is_refused(spoken):
    for head in (HEAD + b"Content-Length: 4\r\n\r\nabc", CHUNKED + b"3\r\nab"):
        assert statuses(spoken.ask(head)) == [400]
    assert statuses(spoken.ask(CHUNKED)) == [400]
    assert spoken.seen == []


SIZES = {
    "one chunk": (b"8\r\n12345678\r\n0\r\n\r\n", [200]),
    "a chunk that is larger": (b"9\r\n123456789\r\n0\r\n\r\n", [413]),
    "a size beyond all measure": (b"ffffffffffffffff\r\n", [413]),
    "many chunks": (b"4\r\n1234\r\n" * 3 + b"0\r\n\r\n", [413]),
}


@pytest.mark.parametrize("form", SIZES)
def test_a_chunked_body_may_have_max_body_bytes_in_all(form):
    data, expected = SIZES[form]
    with speaking(Limits(max_body_bytes=8)) as server:
        assert statuses(server.ask(CHUNKED + data)) == expected


def test_a_body_that_is_mostly_framing_is_refused(spoken):
    chunk = b"1;" + b"a" * 1000 + b"\r\n1\r\n"
    reply = spoken.ask(CHUNKED + chunk * 1100)
    assert reply.endswith(b"too_large")


def test_a_body_is_a_file_for_the_application():
    def reading(environ, start_response):
        body = io.BufferedReader(environ["wsgi.input"])
        lines = [body.readline(), *body.readlines()]
        start_response("200 OK", [])
        return [repr(lines).encode(), body.read(), body.read(5)]

    with speaking() as server:
        server.server.application = reading
        reply = server.ask(HEAD + b"Content-Length: 6\r\n\r\na\nb\nc\n")
        assert reply.endswith(rb"[b'a\n', b'b\n', b'c\n']")
        assert server.ask(HEAD + b"\r\n").endswith(b"\r\n\r\n[b'']")


def test_an_error_in_a_body_stays_where_it_is():
    """An application that reads on must not read what comes behind it."""

    def reading_on(environ, start_response):
        body = environ["wsgi.input"]
        said = []
        for _ in range(3):
            try:
                said.append(body.read())
            except Exception as error:
                said.append(error.code)
        start_response("200 OK", [])
        return [repr(said).encode()]

    with speaking() as server:
        server.server.application = reading_on
        reply = server.ask(CHUNKED + b"zz\r\n3\r\nabc\r\n0\r\n\r\n")
    assert reply.endswith(b"['malformed', 'malformed', 'malformed']")
    assert b"Connection: close" in reply


# --- unread bodies


BODY = b"Content-Length: 3\r\n\r\nabc"
NO_CHUNK = b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"


@pytest.mark.parametrize(
    ("version", "body"), [(b"1.0", BODY), (b"1.1", BODY), (b"1.1", NO_CHUNK)]
)
def test_a_reply_to_an_unread_body_closes_and_says_so_once(spoken, version, body):
    head = b"POST /unread HTTP/%b\r\nHost: x\r\nConnection: keep-alive\r\n" % version
    reply = spoken.ask(head + body + GET)
    assert statuses(reply) == [404]
    assert reply.lower().count(b"connection:") == 1
    assert b"\r\nConnection: close\r\n" in reply


SMALL = Limits(max_body_bytes=2**20)
UNREAD = HEAD.replace(b"POST /", b"POST /unread")
PART = bytes(65536)
CHUNK = b"10000\r\n" + PART + b"\r\n"
FLOODS = {
    "length": (UNREAD + b"Content-Length: 67108864\r\n\r\n", PART, 404, 0),
    "chunked": (UNREAD + b"Transfer-Encoding: chunked\r\n\r\n", CHUNK, 404, 0),
    "too large": (CHUNKED, CHUNK, 413, SMALL.max_body_bytes),
    "malformed": (b"GET nowhere HTTP/1.1\r\n\r\n", PART, 400, 0),
}


@pytest.mark.parametrize("kind", FLOODS)
def test_of_a_refused_body_a_mebibyte_is_taken_and_the_reply_arrives(kind):
    head, part, status, read = FLOODS[kind]
    endless = memoryview(part * 80)
    with speaking(SMALL) as server:
        # What the kernels hold is no part of the count: as little as they allow.
        server.server.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        with server.connect() as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
            sock.sendall(head)
            sent = 0
            with suppress(ConnectionError):
                while sent < len(endless):
                    sent += sock.send(endless[sent : sent + 65536])
            assert statuses(sock.recv(65536)) == [status]
    assert read + 2**20 - 65536 < sent < read + 2**20 + 300_000


# --- Expect: 100-continue

EXPECTS = HEAD + b"Expect: 100-Continue\r\nContent-Length: 3\r\n"


def test_a_client_that_asks_is_told_to_go_ahead(spoken):
    with spoken.connect(EXPECTS + b"Connection: close\r\n\r\n") as sock:
        assert sock.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        sock.sendall(b"abc")
        assert read_all(sock).endswith(b"got abc")


def test_a_client_that_has_begun_is_not_told_to(spoken):
    assert statuses(spoken.ask(EXPECTS + b"\r\nabc")) == [200]


def test_a_refused_client_is_not_told_to_go_ahead(spoken):
    refused = EXPECTS.replace(b"POST /", b"POST /unread")
    with spoken.connect(refused + b"\r\n") as sock:
        assert statuses(read_all(sock)) == [404]
    assert spoken.seen == []


def test_nobody_is_told_to_go_ahead_without_a_body(spoken):
    reply = spoken.ask(EXPECTS.replace(b"Length: 3", b"Length: 0") + b"\r\n")
    assert statuses(reply) == [200]


# --- replies

TEN = b"HTTP/1.0\r\n"
KEEP = b"Connection: keep-alive\r\n"


def test_http_1_0_is_kept_only_where_it_asks(spoken):
    once = spoken.ask(b"GET / " + TEN + b"\r\n" + b"GET / " + TEN + b"\r\n")
    assert statuses(once) == [200]
    assert b"\r\nConnection: close\r\n" in once
    twice = spoken.ask((b"GET / " + TEN + KEEP + b"\r\n") * 2)
    assert statuses(twice) == [200, 200]
    assert twice.count(b"\r\nConnection: keep-alive\r\n") == 2


def test_http_1_0_gets_no_chunks_but_the_end_of_the_connection(spoken):
    reply = spoken.ask(b"GET /streamed " + TEN + KEEP + b"\r\n" + GET)
    head, _, body = reply.partition(b"\r\n\r\n")
    assert body == b"onetwo"
    assert b"Transfer-Encoding" not in head
    assert b"\r\nConnection: close" in head


def test_a_reply_of_unknown_length_is_chunked(spoken):
    reply = spoken.ask(GET.replace(b"/ ", b"/streamed ", 1) + GET)
    assert b"\r\nTransfer-Encoding: chunked\r\n" in reply
    assert b"Content-Length" not in reply.partition(b"\r\n\r\n")[0]
    assert b"\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\nHTTP/1.1 200" in reply


@pytest.mark.parametrize("path", [b"/", b"/streamed"])
def test_a_reply_to_head_is_a_head(spoken, path):
    head = b"HEAD " + path + b" HTTP/1.1\r\nHost: x\r\n\r\n"
    replies = spoken.ask(head * 2)
    assert statuses(replies) == [200, 200]
    assert replies.count(b"\r\n\r\n") == 2
    assert replies.endswith(b"\r\n\r\n")


def test_a_reply_has_a_date_and_no_server(spoken):
    reply = spoken.ask(GET)
    assert reply.count(b"\r\nDate: ") == 1
    assert b"\r\nServer:" not in reply


def test_an_application_that_asks_to_close_closes():
    def closing(environ, start_response):
        start_response("200 OK", [("Connection", "close")])
        return []

    with speaking() as server:
        server.server.application = closing
        reply = server.ask(GET * 2)
    assert statuses(reply) == [200]
    assert reply.count(b"Connection: close") == 1


def test_a_large_reply_arrives_whole(spoken):
    with spoken.connect(GET.replace(b"/ ", b"/large ", 1)) as sock:
        sock.sendall(GET.replace(b"Host", b"Connection: close\r\nHost"))
        assert len(read_all(sock)) > 50_000_000


def test_an_application_that_fails_is_a_500_and_the_end():
    def failing(environ, start_response):
        raise ZeroDivisionError

    with speaking() as server:
        server.server.application = failing
        reply = server.ask(GET * 2)
    assert statuses(reply) == [500]
    assert b'"code":"internal_error"' in reply


def test_an_application_that_fails_within_its_reply_ends_the_connection():
    def failing(environ, start_response):
        start_response("200 OK", [("Content-Length", "9")])(b"begun")
        raise ZeroDivisionError

    with speaking() as server:
        server.server.application = failing
        reply = server.ask(GET * 2)
    assert statuses(reply) == [200]
    assert reply.endswith(b"\r\n\r\nbegun")
