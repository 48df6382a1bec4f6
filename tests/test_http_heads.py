"""What is no HTTP/1.1 is refused, what is odd but allowed is served."""

import json
import logging
import re
import subprocess
import sys

import pytest

from facenality.server import Limits
from serving import ROOT
from speaking import speaking, statuses

HOST = b"Host: x\r\n"
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"


def post(*lines: bytes, body: bytes = b"") -> bytes:
    return b"\r\n".join([b"POST / HTTP/1.1", b"Host: x", *lines, b"", body])


CHUNKED = b"Transfer-Encoding: chunked"
INVALID = {
    # the request line
    "no version": b"GET /\r\n\r\n",
    "HTTP/0.9": b"GET / HTTP/0.9\r\n\r\n",
    "HTTP/1.2": b"GET / HTTP/1.2\r\n" + HOST + b"\r\n",
    "HTTP/2.0": b"GET / HTTP/2.0\r\n" + HOST + b"\r\n",
    "the preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "HTTP/01.1": b"GET / HTTP/01.1\r\n" + HOST + b"\r\n",
    "HTTP/1.1.1": b"GET / HTTP/1.1.1\r\n" + HOST + b"\r\n",
    "http/1.1": b"GET / http/1.1\r\n" + HOST + b"\r\n",
    "another protocol": b"GET / RTSP/1.0\r\n" + HOST + b"\r\n",
    "space behind the version": b"GET / HTTP/1.1 \r\n" + HOST + b"\r\n",
    "two spaces": b"GET  / HTTP/1.1\r\n" + HOST + b"\r\n",
    "a tab for a space": b"GET\t/ HTTP/1.1\r\n" + HOST + b"\r\n",
    "space before the method": b" GET / HTTP/1.1\r\n" + HOST + b"\r\n",
    "space in the target": b"GET /a b HTTP/1.1\r\n" + HOST + b"\r\n",
    "no method": b"/ HTTP/1.1\r\n" + HOST + b"\r\n",
    "a method that is no token": b"GE(T / HTTP/1.1\r\n" + HOST + b"\r\n",
    "a method of 33 bytes": b"M" * 33 + b" / HTTP/1.1\r\n" + HOST + b"\r\n",
    "two empty lines first": b"\r\n\r\nGET / HTTP/1.1\r\n" + HOST + b"\r\n",
    "TLS": b"\x16\x03\x01\x00\xf4\x01\x00\x00\xf0\x03\x03",
    "NUL first": b"\0GET / HTTP/1.1\r\n" + HOST + b"\r\n",
    # the target
    "a relative target": b"GET a HTTP/1.1\r\n" + HOST + b"\r\n",
    "a target in UTF-8": "GET /é HTTP/1.1\r\n".encode() + HOST + b"\r\n",
    "a fragment": b"GET /a#b HTTP/1.1\r\n" + HOST + b"\r\n",
    "a quote in the target": b'GET /" HTTP/1.1\r\n' + HOST + b"\r\n",
    "a broken escape": b"GET /%zz HTTP/1.1\r\n" + HOST + b"\r\n",
    "half an escape": b"GET /%4 HTTP/1.1\r\n" + HOST + b"\r\n",
    "NUL in the target": b"GET /\0 HTTP/1.1\r\n" + HOST + b"\r\n",
    "* for GET": b"GET * HTTP/1.1\r\n" + HOST + b"\r\n",
    "an address of another scheme": b"GET ftp://x/ HTTP/1.1\r\n" + HOST + b"\r\n",
    "an address without a host": b"GET http:///a HTTP/1.1\r\n" + HOST + b"\r\n",
    "an address with a user": b"GET http://u@x/ HTTP/1.1\r\n" + HOST + b"\r\n",
    "CONNECT": b"CONNECT x:443 HTTP/1.1\r\n" + HOST + b"\r\n",
    "a target of 9 KiB": b"GET /" + b"a" * 9216 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
    # lines
    "bare LF": b"GET / HTTP/1.1\nHost: x\n\n",
    "bare LF between fields": b"GET / HTTP/1.1\r\nHost: x\nA: b\r\n\r\n",
    "bare LF at the end": b"GET / HTTP/1.1\r\nHost: x\r\n\n",
    "bare CR between fields": b"GET / HTTP/1.1\r\nHost: x\rA: b\r\n\r\n",
    "CR CR LF": b"GET / HTTP/1.1\r\r\nHost: x\r\r\n\r\n",
    # fields
    "space before the colon": b"GET / HTTP/1.1\r\nHost : x\r\n\r\n",
    "a folded field": b"GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n",
    "a folded first field": b"GET / HTTP/1.1\r\n Host: x\r\n\r\n",
    "a field without a colon": b"GET / HTTP/1.1\r\nHost: x\r\nA\r\n\r\n",
    "a field without a name": b"GET / HTTP/1.1\r\nHost: x\r\n: a\r\n\r\n",
    "a name in brackets": b"GET / HTTP/1.1\r\nHost: x\r\n(a): b\r\n\r\n",
    "a name in UTF-8": "GET / HTTP/1.1\r\nHost: x\r\né: b\r\n\r\n".encode(),
    "NUL in a value": b"GET / HTTP/1.1\r\nHost: x\r\nA: b\0c\r\n\r\n",
    "DEL in a value": b"GET / HTTP/1.1\r\nHost: x\r\nA: b\x7fc\r\n\r\n",
    "a bell in a value": b"GET / HTTP/1.1\r\nHost: x\r\nA: b\x07c\r\n\r\n",
    "bare CR in a value": b"GET / HTTP/1.1\r\nHost: x\r\nA: b\rc\r\n\r\n",
    "NUL in a name": b"GET / HTTP/1.1\r\nHost: x\r\nA\0: b\r\n\r\n",
    "a name of 257 bytes": b"GET / HTTP/1.1\r\nHost: x\r\n"
    + b"a" * 257
    + b": b\r\n\r\n",
    "101 fields": b"GET / HTTP/1.1\r\n" + HOST + b"A: b\r\n" * 100 + b"\r\n",
    "33 KiB of fields": b"GET / HTTP/1.1\r\n" + HOST + b"A: " + b"b" * 33 * 1024,
    # the host
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "no host beside an address": b"GET http://x/ HTTP/1.1\r\n\r\n",
    "two hosts": b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
    "the same host twice": b"GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n",
    "two hosts in HTTP/1.0": b"GET / HTTP/1.0\r\nHost: x\r\nHost: y\r\n\r\n",
    "a host with a path": b"GET / HTTP/1.1\r\nHost: x/y\r\n\r\n",
    "a host with a user": b"GET / HTTP/1.1\r\nHost: u@x\r\n\r\n",
    "a host list": b"GET / HTTP/1.1\r\nHost: x, y\r\n\r\n",
    "a port of letters": b"GET / HTTP/1.1\r\nHost: x:http\r\n\r\n",
    "half an IPv6 address": b"GET / HTTP/1.1\r\nHost: [::1\r\n\r\n",
    # the length
    "Content-Length: +3": post(b"Content-Length: +3", body=b"abc"),
    "Content-Length: -1": post(b"Content-Length: -1"),
    "Content-Length: 0x3": post(b"Content-Length: 0x3", body=b"abc"),
    "Content-Length: 3 3": post(b"Content-Length: 3 3", body=b"abc"),
    "Content-Length: 3, 3": post(b"Content-Length: 3, 3", body=b"abc"),
    "Content-Length: 3;": post(b"Content-Length: 3;", body=b"abc"),
    "Content-Length: 1_0": post(b"Content-Length: 1_0", body=b"0123456789"),
    "Content-Length of Arabic digits": post("Content-Length: ٣".encode(), body=b"abc"),
    "an empty Content-Length": post(b"Content-Length: "),
    "a Content-Length of 19 digits": post(b"Content-Length: " + b"1" * 19),
    "two lengths": post(b"Content-Length: 3", b"Content-Length: 4", body=b"abc"),
    "3 and 03": post(b"Content-Length: 3", b"Content-Length: 03", body=b"abc"),
    "two content types": post(b"Content-Type: a/b", b"Content-Type: c/d"),
    # the coding
    "length and coding": post(CHUNKED, b"Content-Length: 3", body=b"0\r\n\r\n"),
    "coding and length": post(b"Content-Length: 3", CHUNKED, body=b"0\r\n\r\n"),
    "coding in HTTP/1.0": b"POST / HTTP/1.0\r\n" + CHUNKED + b"\r\n\r\n0\r\n\r\n",
    "chunked twice": post(CHUNKED, CHUNKED, body=b"0\r\n\r\n"),
    "chunked, chunked": post(CHUNKED + b", chunked", body=b"0\r\n\r\n"),
    "gzip, chunked": post(b"Transfer-Encoding: gzip, chunked", body=b"0\r\n\r\n"),
    "chunked, identity": post(CHUNKED + b", identity", body=b"0\r\n\r\n"),
    "identity": post(b"Transfer-Encoding: identity", body=b"0\r\n\r\n"),
    "xchunked": post(b"Transfer-Encoding: xchunked", body=b"0\r\n\r\n"),
    "chunked;q=1": post(CHUNKED + b";q=1", body=b"0\r\n\r\n"),
    '"chunked"': post(b'Transfer-Encoding: "chunked"', body=b"0\r\n\r\n"),
    "a vertical tab before chunked": post(b"Transfer-Encoding: \x0bchunked"),
    "an empty coding": post(b"Transfer-Encoding: ", body=b"0\r\n\r\n"),
    "space in the coding's name": post(b"Transfer-Encoding : chunked"),
    # the expectation
    "an unknown expectation": post(b"Expect: 200-ok", b"Content-Length: 0"),
    "two expectations": post(b"Expect: 100-continue", b"Expect: 100-continue"),
}


@pytest.mark.parametrize("form", INVALID)
def test_an_invalid_form_gets_one_refusal_and_nothing_behind_it_is_served(spoken, form):
    reply = spoken.ask(INVALID[form] + SMUGGLED)
    [status] = statuses(reply)
    assert 400 <= status <= 505
    head, _, body = reply.partition(b"\r\n\r\n")
    assert b"\r\nConnection: close" in head
    assert json.loads(body)["success"] is False
    assert spoken.seen == []
    assert spoken.refused == [json.loads(body)["code"]]


def test_there_are_enough_invalid_forms():
    assert len(INVALID) >= 60


def get(*lines: bytes, line: bytes = b"GET / HTTP/1.1") -> bytes:
    return b"\r\n".join([line, b"Host: x", *lines, b"", b""])


G = ("GET", "/", b"")
P = ("POST", "/", b"abc")
VALID = {
    "the plainest": (get(), [G]),
    "one empty line first": (b"\r\n" + get(), [G]),
    "an empty line between two": (get() + b"\r\n" + get(), [G, G]),
    "no space after the colon": (get(b"A:b"), [G]),
    "space around a value": (get(b"A: \t b \t "), [G]),
    "an empty value": (get(b"A:"), [G]),
    "a tab in a value": (get(b"A: b\tc"), [G]),
    "Latin-1 in a value": (get(b"A: \xe9"), [G]),
    "names in any case": (get(b"CONTENT-length: 0"), [G]),
    "a name of all token characters": (get(b"!#$%&'*+-.^_`|~9aZ: b"), [G]),
    "a repeated field": (get(b"A: b", b"A: c"), [G]),
    "100 fields": (get(*[b"A: b"] * 99), [G]),
    "31 KiB of fields": (get(*[b"A: " + b"b" * 7900] * 4), [G]),
    "a target of 8 KiB": (
        get(line=b"GET /" + b"a" * 8191 + b" HTTP/1.1"),
        [("GET", "/" + "a" * 8191, b"")],
    ),
    "a method of 32 bytes": (
        get(line=b"M" * 32 + b" / HTTP/1.1"),
        [("M" * 32, "/", b"")],
    ),
    "a method in small letters": (get(line=b"get / HTTP/1.1"), [("get", "/", b"")]),
    "an empty host": (b"GET / HTTP/1.1\r\nHost:\r\n\r\n", [G]),
    "a host with a port": (b"GET / HTTP/1.1\r\nHost: x:80\r\n\r\n", [G]),
    "a host with an empty port": (b"GET / HTTP/1.1\r\nHost: x:\r\n\r\n", [G]),
    "an IPv6 host": (b"GET / HTTP/1.1\r\nHost: [::1]:5000\r\n\r\n", [G]),
    "a host with an underscore": (b"GET / HTTP/1.1\r\nHost: a_b\r\n\r\n", [G]),
    "an address for a target": (
        get(line=b"GET http://y/a?b HTTP/1.1"),
        [("GET", "/a?b", b"")],
    ),
    "an address without a path": (get(line=b"GET HTTPS://y HTTP/1.1"), [G]),
    "an address with only a query": (
        get(line=b"GET http://y?a HTTP/1.1"),
        [("GET", "/?a", b"")],
    ),
    "escapes in the path": (get(line=b"GET /a%20b HTTP/1.1"), [("GET", "/a b", b"")]),
    "a question in the query": (
        get(line=b"GET /?a?b HTTP/1.1"),
        [("GET", "/?a?b", b"")],
    ),
    "a percent sign in the query": (
        get(line=b"GET /?100% HTTP/1.1"),
        [("GET", "/?100%", b"")],
    ),
    "what browsers leave as it is": (
        get(line=b"GET /[a]?{b}|^ HTTP/1.1"),
        [("GET", "/[a]?{b}|^", b"")],
    ),
    "two slashes": (get(line=b"GET //a HTTP/1.1"), [("GET", "//a", b"")]),
    "HTTP/1.0 without a host": (b"GET / HTTP/1.0\r\n\r\n", [G]),
    "HTTP/1.0 with Expect": (
        b"POST / HTTP/1.0\r\nExpect: x\r\nContent-Length: 3\r\n\r\nabc",
        [P],
    ),
    "the same length twice": (
        post(b"Content-Length: 3", b"Content-Length: 3", body=b"abc"),
        [P],
    ),
    "a length with zeros in front": (post(b"Content-Length: 003", body=b"abc"), [P]),
    "a body for GET": (get(b"Content-Length: 3") + b"abc", [("GET", "/", b"abc")]),
    "Chunked in capitals": (
        post(b"Transfer-Encoding: CHUNKED", body=b"3\r\nabc\r\n0\r\n\r\n"),
        [P],
    ),
    "an upgrade that is not taken": (
        get(b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c") + get(),
        [G, G],
    ),
    "a websocket that is not opened": (
        get(b"Connection: Upgrade", b"Upgrade: websocket", b"Content-Length: 3")
        + b"abc",
        [("GET", "/", b"abc")],
    ),
    "options of Connection in a list": (get(b"Connection: a, CLOSE") + get(), [G]),
    "options of Connection in two fields": (
        get(b"Connection: a", b"Connection: close") + get(),
        [G],
    ),
    "five requests at once": (get() * 5, [G] * 5),
}


@pytest.mark.parametrize("form", VALID)
def test_an_odd_but_valid_form_is_served(spoken, form):
    data, requests = VALID[form]
    assert statuses(spoken.ask(data)) == [200] * len(requests)
    assert spoken.seen == requests
    assert spoken.refused == []


def test_there_are_enough_valid_forms():
    assert len(VALID) >= 30


def test_a_head_may_come_byte_by_byte(spoken):
    with spoken.connect() as sock:
        for byte in b"\r\n" + get(b"Connection: close"):
            sock.sendall(bytes([byte]))
        assert b"200 OK" in sock.recv(1000)


@pytest.mark.parametrize(
    ("begun", "status"),
    [
        (b"GET / HTTP/1.1\nHost: x\n\n", 400),
        (b"\x16\x03\x01\x02", 400),
        (b"\r\n\r\n", 400),
        (b"GET /" + b"a" * 33 * 1024, 431),
    ],
)
def test_what_cannot_become_a_head_is_refused_before_its_end(spoken, begun, status):
    with spoken.connect(begun) as sock:
        assert statuses(sock.recv(1000)) == [status]


def test_a_head_that_ends_early_is_refused(spoken):
    assert statuses(spoken.ask(b"GET / HTTP/1.1\r\nHost: x\r\n")) == [400]
    assert spoken.ask(b"") == b""


def test_options_for_the_whole_server_are_answered_by_itself(spoken):
    reply = spoken.ask(get(line=b"OPTIONS * HTTP/1.1"))
    assert statuses(reply) == [204]
    assert b"\r\nAllow: GET, HEAD, POST, OPTIONS\r\n" in reply
    assert spoken.seen == []


def test_the_address_in_the_target_goes_before_the_host_field(spoken):
    spoken.ask(get(line=b"GET http://other:81/a HTTP/1.1"))
    assert spoken.environ["HTTP_HOST"] == "other:81"


def test_a_name_with_an_underscore_does_not_pass_for_one_with_a_hyphen(spoken):
    spoken.ask(get(b"X-Real: 1", b"X_Real: 2", b"Content_Length: 7"))
    assert spoken.environ["HTTP_X_REAL"] == "1"
    assert "CONTENT_LENGTH" not in spoken.environ


def test_repeated_fields_are_joined(spoken):
    spoken.ask(get(b"A: b", b"a: c", b"Cookie: d=e", b"Cookie: f=g"))
    assert spoken.environ["HTTP_A"] == "b,c"
    assert spoken.environ["HTTP_COOKIE"] == "d=e; f=g"


@pytest.mark.parametrize(
    ("form", "status", "code"),
    [
        ("no host", 400, "malformed"),
        ("33 KiB of fields", 431, "head_too_large"),
        ("101 fields", 431, "head_too_large"),
        ("a target of 9 KiB", 414, "head_too_large"),
        ("an unknown expectation", 417, "not_spoken"),
        ("gzip, chunked", 501, "not_spoken"),
        ("CONNECT", 501, "not_spoken"),
        ("HTTP/2.0", 505, "not_spoken"),
    ],
)
def test_a_refusal_has_the_status_that_says_why(spoken, form, status, code):
    reply = spoken.ask(INVALID[form])
    assert statuses(reply) == [status]
    assert f'"code":"{code}"'.encode() in reply


def test_a_refusal_is_the_contracts(spoken):
    reply = spoken.ask(b"GET /secret HTTP/1.1\r\nHost: secret secret\r\n\r\n")
    head, _, body = reply.decode().partition("\r\n\r\n")
    document = json.loads(body)
    assert set(document) == {"success", "error", "code", "id"}
    assert re.fullmatch(r"[0-9a-f]{32}", document["id"])
    fields = dict(line.split(": ", 1) for line in head.split("\r\n")[1:])
    assert fields["X-Request-ID"] == document["id"]
    assert fields["Content-Type"] == "application/json"
    assert fields["Access-Control-Allow-Origin"] == "*"
    assert "Retry-After" in fields["Access-Control-Expose-Headers"]
    assert fields["Connection"] == "close"
    assert "Date" in fields
    assert "Server" not in fields
    assert "secret" not in body


ORIGIN = b"GET / HTTP/1.1\r\nOrigin: %b\r\n\r\n"


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [(b"https://b.example", True), (b"https://c.example", False), (b"null", False)],
)
def test_a_refusal_names_an_origin_only_where_it_is_allowed(origin, allowed):
    with speaking(origins=("https://a.example", "https://b.example")) as server:
        reply = server.ask(ORIGIN % origin)
    assert (b"Access-Control-Allow-Origin: %b\r\n" % origin in reply) is allowed
    assert (b"Vary: Origin\r\n" in reply) is allowed


def test_the_log_has_none_of_the_clients_words(spoken, caplog, monkeypatch):
    monkeypatch.setattr(logging.getLogger("facenality"), "propagate", True)
    with caplog.at_level("INFO", "facenality"):
        spoken.ask(b"GET /secret HTTP/1.1\r\nHost: secret secret\r\n\r\n")
    assert "400 malformed" in caplog.text
    assert "secret" not in caplog.text


def test_connections_above_the_limit_are_told_to_come_later():
    with speaking(Limits(max_connections=2)) as server:
        first, second = server.connect(get()), server.connect(get())
        assert first.recv(1000)
        assert second.recv(1000)
        reply = server.ask(get())
        assert statuses(reply) == [503]
        assert b'"code":"too_many_connections"' in reply
        assert b"\r\nRetry-After: 1\r\n" in reply
        assert server.refused == ["too_many_connections"]
        first.close()
        assert statuses(server.ask(get())) in ([200], [503])  # when it is noticed
        assert statuses(server.ask(get())) == [200]
        second.close()


def test_there_are_no_more_connections_than_files(caplog, monkeypatch):
    monkeypatch.setattr(logging.getLogger("facenality"), "propagate", True)
    assert Limits().fitted(float("inf")) == Limits()
    assert Limits().fitted(4096) == Limits()
    assert not caplog.text
    assert Limits().fitted(1024).max_connections == 1024 - 256 - 64
    assert "lowered from 2048 to 704" in caplog.text
    assert Limits().fitted(64).max_connections == 1


def test_as_many_files_may_be_open_as_the_system_allows():
    code = (
        "import resource as r\n"
        "soft, hard = r.getrlimit(r.RLIMIT_NOFILE)\n"
        "r.setrlimit(r.RLIMIT_NOFILE, (100, hard))\n"
        "from facenality.server.timeouts import open_files\n"
        "assert open_files() >= hard\n"
        "assert r.getrlimit(r.RLIMIT_NOFILE)[0] == hard\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_far_above_the_limit_connections_are_closed_without_a_word():
    with speaking(Limits(max_connections=1)) as server:
        socks = [server.connect() for _ in range(70)]
        assert server.ask(get()) == b""
        assert server.refused.count("too_many_connections") >= 70
        assert socks[0].sendall(get()) is None
        assert b"200 OK" in socks[0].recv(1000)
        for sock in socks:
            sock.close()
