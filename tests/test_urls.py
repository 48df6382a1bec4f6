"""Images by URL, in process: what honest servers send arrives, the rest is refused."""

import gzip
import logging
import socket as native
import ssl
import time
from http.client import HTTPException
from pathlib import Path

import gevent
import pytest
from gevent import socket
from hypothesis import given, settings
from hypothesis import strategies as st

from facenality.errors import ClientGone, Overloaded, UnprocessableInput, URLFetchFailed
from facenality.features.url_images import fetcher, http_client, policy
from facenality.features.url_images import fetcher as resolving
from facenality.features.url_images.addresses import Kind
from facenality.features.url_images.http_client import (
    connected,
    dial,
    trusting_the_system,
)
from facenality.features.url_images.policy import Refused, Target, follow, parse
from wild import (
    Authority,
    Wild,
    chunked,
    drips,
    floods,
    hangs,
    head,
    redirect,
    reply,
)

MIB = 2**20
BODY = bytes(range(256)) * 400


def local(_host, _port):
    """Every name is this machine."""
    return ["127.0.0.1"]


TLS = trusting_the_system()  # reading all its certificates takes a while


def fetching(setting, *, most=MIB, seconds=5.0, resolve=local, tls=TLS):
    return fetcher.Fetcher(
        policy.read(setting),
        most=most,
        seconds=seconds,
        grain=0.001,
        resolve=resolve,
        tls=tls,
    )


def fetched(habit, **more):
    """What a fetch from a server with this habit brings."""
    with Wild({"/": habit}) as server:
        return fetching(server.authority, **more).fetch(server.url)


def why(caplog):
    """The reason that the operator reads."""
    return caplog.messages[-1]


@pytest.fixture(autouse=True)
def _log(caplog):
    caplog.set_level(logging.INFO)


HONEST = {
    "with a length": reply(BODY),
    "with a wrong content type": reply(BODY, "Content-Type: text/html"),
    "identity said": reply(BODY, "Content-Encoding: identity"),
    "in one chunk": chunked(BODY, len(BODY)),
    "in small chunks": chunked(BODY, 100),
    "with chunk extensions and trailers": head("Transfer-Encoding: chunked")
    + b"%x;a=b\r\n%s\r\n0\r\nX-Sum: 1\r\n\r\n" % (len(BODY), BODY),
    "until the end": head() + BODY,
    "as HTTP/1.0": b"HTTP/1.0 200 OK\r\n\r\n" + BODY,
    "after 100 Continue": b"HTTP/1.1 100 Continue\r\n\r\n" + reply(BODY),
    "with more than promised": reply(BODY) + b"and more",
    "with a large head": reply(BODY, *[f"X-{i}: {'a' * 500}" for i in range(60)]),
    "slowly": lambda server, connection: [
        (connection.sendall(reply(BODY)[i : i + 20_000]), time.sleep(0.01))
        for i in range(0, len(BODY) + 100, 20_000)
    ],
}


@pytest.mark.parametrize("habit", HONEST.values(), ids=HONEST)
def test_an_honest_reply_arrives_whole(habit):
    assert fetched(habit) == BODY


@pytest.mark.parametrize("size", [MIB - 1, MIB])
@pytest.mark.parametrize("form", [reply, lambda body: chunked(body, 8192)])
def test_as_much_as_allowed_arrives(size, form):
    assert len(fetched(form(b"x" * size))) == size


ONCE = b"1\r\nx\r\n"
BAD = {
    "no such file": (reply(BODY, status="404 Not Found"), "answered 404"),
    "an error": (reply(BODY, status="500 Oh"), "answered 500"),
    "a part": (reply(BODY, status="206 Partial Content"), "answered 206"),
    "nothing new": (reply(b"", status="304 Not Modified"), "answered 304"),
    "early hints": (head().replace(b"200", b"103") + reply(BODY), "answered 103"),
    "another protocol": (b"SSH-2.0-OpenSSH_9.2\r\n" * 3, "BadStatusLine"),
    "another HTTP": (b"HTTP/2.0 200 OK\r\n\r\n", "UnknownProtocol"),
    "nothing": (b"", "RemoteDisconnected"),
    "gzip": (reply(gzip.compress(BODY), "Content-Encoding: gzip"), "content encoding"),
    "a gzip bomb": (
        reply(gzip.compress(bytes(64 * MIB)), "Content-Encoding: gzip"),
        "content encoding",
    ),
    "a longer promise": (head("Content-Length: 9") + b"12345678", "IncompleteRead"),
    "a promise too large": (
        head(f"Content-Length: {MIB + 1}") + b"x",
        "its server says",
    ),
    "too much without a promise": (floods(head(), b"x"), f"more than {MIB} bytes"),
    "too much in chunks": (
        floods(head("Transfer-Encoding: chunked"), b"8\r\n12345678\r\n" * 8),
        "larger than allowed",
    ),
    "too much in large chunks": (
        chunked(b"x" * (MIB + 1), 65536),
        f"more than {MIB} bytes",
    ),
    "a chunk cut short": (
        head("Transfer-Encoding: chunked") + b"ff\r\nabc",
        "IncompleteRead",
    ),
    "no chunk size": (head("Transfer-Encoding: chunked") + b"zz\r\nab", "Incomplete"),
    "a negative chunk": (head("Transfer-Encoding: chunked") + b"-5\r\nab\r\n", ""),
    "the smallest chunks": (
        floods(head("Transfer-Encoding: chunked"), ONCE),
        "larger than allowed",
    ),
    "trailers for ever": (
        floods(head("Transfer-Encoding: chunked") + b"0\r\n", b"A: b\r\n"),
        "larger than allowed",
    ),
    "a head for ever": (floods(b"HTTP/1.1 200 OK\r\n", b"A"), ""),
    "headers for ever": (floods(b"HTTP/1.1 200 OK\r\n", b"A: b\r\n"), "100 headers"),
    "a status line for ever": (floods(b"HTTP/1.1 200 ", b"OK"), ""),
    "100 Continue for ever": (
        floods(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        "larger than allowed",
    ),
}


@pytest.mark.parametrize("what", BAD)
def test_a_bad_reply_is_refused_and_the_log_says_why(what, caplog):
    habit, reason = BAD[what]
    with pytest.raises(URLFetchFailed):
        fetched(habit)
    assert reason in why(caplog)


SLOW = {
    "nothing": hangs(),
    "half a head": hangs(b"HTTP/1.1 200 OK\r\n"),
    "half a body": hangs(head("Content-Length: 99") + b"x"),
    "a dripping head": drips(b"HTTP/1.1 200 OK\r\nX-A: ", b"a"),
    "a dripping body": drips(head("Content-Length: 1000000")),
    "a dripping body without end": drips(head()),
    "dripping chunks": drips(head("Transfer-Encoding: chunked"), ONCE),
    "dripping trailers": drips(
        head("Transfer-Encoding: chunked") + b"0\r\n", b"A: b\r\n"
    ),
    "100 Continue again and again": drips(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "redirects to itself": lambda server, connection: (
        time.sleep(0.15),
        connection.sendall(redirect("/")),
    ),
}


@pytest.mark.parametrize("what", SLOW)
def test_the_deadline_is_for_all_of_a_fetch(what, caplog):
    started = time.monotonic()
    with pytest.raises(URLFetchFailed, match=r"within 0\.4 s"):
        fetched(SLOW[what], seconds=0.4)
    assert 0.4 <= time.monotonic() - started < 4
    assert why(caplog).endswith("it took more than 0.4 s")


class AlwaysFaster:
    """A connection whose bytes are there before they are asked for."""

    def recv_into(self, buffer):
        return len(buffer)


def test_a_server_that_is_always_faster_leaves_the_hub_its_turns():
    """And so the deadline, a timer of the hub's, can pass while bytes pour in."""
    wire = http_client.Wire(AlwaysFaster())
    wire.grant(2**60)

    def pour():
        started = time.monotonic()
        with gevent.Timeout(0.1), wire.makefile("rb") as file:
            while time.monotonic() < started + 5:
                file.read(65536)

    with pytest.raises(gevent.Timeout):
        pour()


def test_a_refused_connection_and_a_name_of_nobody_are_refused(caplog):
    with native.create_server(("127.0.0.1", 0)) as taken:
        free = taken.getsockname()[1]
    with pytest.raises(URLFetchFailed):
        fetching(f"localhost:{free}").fetch(f"http://localhost:{free}/")
    assert "refused" in why(caplog)

    def nobody(*_):
        raise native.gaierror(-2, "Name or service not known")

    with pytest.raises(URLFetchFailed):
        fetching("a.example", resolve=nobody).fetch("http://a.example/")
    assert "not known" in why(caplog)
    with pytest.raises(URLFetchFailed):
        fetching("a.example", resolve=lambda *_: []).fetch("http://a.example/")
    assert "none" in why(caplog)


def test_the_second_address_is_tried_where_the_first_is_dead():
    with Wild({"/": reply(BODY)}) as server:
        one = fetching(server.authority, resolve=lambda *_: ["127.0.0.9", "127.0.0.1"])
        assert one.fetch(server.url) == BODY
        assert server.connections == 1


@pytest.mark.parametrize("setting", ["::1", "[::1]:{port}", "[0::0:1]:{port}"])
def test_ipv6_is_fetched_from_where_it_is_named(setting):
    with Wild({"/": reply(BODY)}, host="::1", name="[::1]") as server:
        one = fetching(setting.format(port=server.port))
        if "port" in setting:
            assert one.fetch(server.url) == BODY
            assert one.fetch(f"http://[0:0::1]:{server.port}") == BODY
            assert f"Host: [::1]:{server.port}\r\n" in server.asked[0]
        else:  # only 80 and 443
            with pytest.raises(URLFetchFailed):
                one.fetch(server.url)


def test_the_request_carries_nothing_of_ours(monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    cookies = reply(b"", "Location: /end?a=%20b", "Set-Cookie: a=b", status="302 Found")
    with Wild({"/ä b": reply(b""), "/": cookies, "/end": reply(BODY)}) as server:
        assert fetching(server.authority).fetch(server.url + "#part") == BODY
        first, second = server.asked
    lines = first.split("\r\n")
    assert lines[0] == "GET / HTTP/1.1"
    assert {line.split(":")[0] for line in lines[1:] if line} == {
        "Host",
        "User-Agent",
        "Accept",
        "Accept-Encoding",
        "Connection",
    }
    assert "Accept-Encoding: identity" in lines
    assert f"Host: {server.authority}" in lines
    assert second.startswith("GET /end?a=%20b HTTP/1.1\r\n")
    assert "Cookie" not in second


def test_at_most_three_redirects_are_followed(caplog):
    steps = {f"/{i}": redirect(f"/{i + 1}", "307 Temporary") for i in range(5)}
    with Wild(steps | {"/5": reply(BODY), "/loop": redirect("/loop")}) as server:
        one = fetching(server.authority)
        assert one.fetch(f"{server.url}/2") == BODY
        server.asked.clear()
        for path in ("/1", "/loop"):
            with pytest.raises(URLFetchFailed):
                one.fetch(server.url + path)
            assert "3 redirects" in why(caplog)
        assert len(server.asked) == 8


@pytest.mark.parametrize("status", ["301 a", "302 a", "303 a", "307 a", "308 a"])
@pytest.mark.parametrize(
    "to", ["there", "/there", "?", "{url}/there", "//{host}/there"]
)
def test_a_redirect_may_be_relative(status, to):
    where = "/a/there" if to == "there" else "/a/b" if to == "?" else "/there"
    habits = {where: reply(BODY)}
    with Wild(habits) as server:
        to = to.format(url=server.url, host=server.authority)
        once = [redirect(to, status), reply(BODY)]
        server.habits["/a/b"] = lambda _, connection: connection.sendall(once.pop(0))
        assert fetching(server.authority).fetch(f"{server.url}/a/b") == BODY


@pytest.mark.parametrize(
    "to",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://127.0.0.1:{other}/",
        "http://localhost:{other}/",
        "http://[::ffff:127.0.0.1]:{port}/",
        "http://0x7f.1:{port}/",
        "http://2130706433:{port}/",
        "http://localhost/",
        "http://user@localhost:{port}/",
        "http://localhost:{port}\\@localhost:{other}/",
        "file:///etc/passwd",
        "gopher://localhost:{port}/",
        "ftp://localhost:{port}/",
        "http://[::1",
        "http://[bad]/",
        "//",
        "",
        "\u00e4",
    ],
)
def test_a_redirect_is_checked_as_the_first_url(to):
    with Wild({"/secret": reply(b"")}) as other, Wild({}) as server:
        to = to.format(other=other.port, port=server.port)
        server.habits["/"] = redirect(to).decode().encode("latin-1")
        with pytest.raises(URLFetchFailed):
            fetching(server.authority).fetch(server.url)
        assert other.connections == 0
        assert all(a.startswith(("GET / ", "GET /%C3")) for a in server.asked)


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def trusted(authority, monkeypatch):
    """The system trusts the authority for as long as the test runs."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    return authority


def test_https_is_fetched_by_name_and_by_address(trusted):
    tls = trusted.serves("DNS:localhost", "IP:127.0.0.1")
    with Wild({"/": reply(BODY)}, tls=tls) as server:
        assert fetching(server.authority, tls=None).fetch(server.url) == BODY
        by_address = f"127.0.0.1:{server.port}"
        one = fetching(by_address, tls=None)
        assert one.fetch(f"https://{by_address}/") == BODY


def test_the_certificate_is_of_the_name_that_was_asked_for(trusted):
    """Not of the address, which is all that the connection itself knows."""
    tls, asked_for = trusted.serves("DNS:images.example"), []
    tls.sni_callback = lambda _sock, name, _context: asked_for.append(name)
    context = trusting_the_system()

    def at(name):
        target = Target("https", name, server.port, "/")
        with connected(target, ["127.0.0.1"], context, dial) as sock:
            return http_client.ask(sock, target, MIB)

    with Wild({"/": reply(BODY)}, tls=tls) as server:
        assert at("images.example") == BODY
        with pytest.raises(ssl.SSLCertVerificationError, match="mismatch"):
            at("other.example")
    assert asked_for == ["images.example", "other.example"]


def test_a_wrong_or_expired_certificate_is_refused(trusted, caplog):
    for names, days in ((["DNS:other.example"], 2), (["DNS:localhost"], -1)):
        tls = trusted.serves(*names, days=days)
        with Wild({"/": reply(BODY)}, tls=tls) as server:
            with pytest.raises(URLFetchFailed):
                fetching(server.authority, tls=None).fetch(server.url)
            assert "CERTIFICATE_VERIFY_FAILED" in why(caplog)
        assert server.asked == []


def test_a_certificate_that_the_system_does_not_know_is_refused(authority, caplog):
    tls = authority.serves("DNS:localhost")
    with Wild({"/": reply(BODY)}, tls=tls) as server, pytest.raises(URLFetchFailed):
        fetching(server.authority, tls=None).fetch(server.url)
    assert "CERTIFICATE_VERIFY_FAILED" in why(caplog)


def test_a_redirect_may_lead_from_http_to_https_and_never_back(trusted, caplog):
    tls = trusted.serves("DNS:localhost")
    habits = {"/": reply(BODY)}
    with Wild(habits, tls=tls) as secure, Wild(habits) as plain:
        one = fetching(f"{secure.authority},{plain.authority}", tls=None)
        plain.habits["/up"] = redirect(f"{secure.url}/")
        secure.habits["/down"] = redirect(f"{plain.url}/")
        assert one.fetch(f"{plain.url}/up") == BODY
        with pytest.raises(URLFetchFailed):
            one.fetch(f"{secure.url}/down")
        assert "from https to http" in why(caplog)
        assert len(plain.asked) == 1


def test_the_deadline_holds_for_a_handshake_that_never_ends(trusted):
    with Wild({}) as server, pytest.raises(URLFetchFailed):
        fetching(server.authority, seconds=0.3).fetch(f"https://{server.authority}/")


def test_plain_http_on_the_port_of_https_is_refused(trusted, caplog):
    tls = trusted.serves("DNS:localhost")
    with Wild({"/": reply(BODY)}, tls=tls) as server, pytest.raises(URLFetchFailed):
        fetching(server.authority, tls=None).fetch(f"http://{server.authority}/")


def test_a_name_server_that_hangs_delays_other_fetches_only(monkeypatch):
    """And its threads are free again when it answers."""
    real = native.getaddrinfo

    def slow(host, *rest, **more):
        if host == "slow.example":
            time.sleep(0.8)
            raise native.gaierror(-3, "Temporary failure in name resolution")
        return real(host, *rest, **more)

    monkeypatch.setattr(resolving.socket, "getaddrinfo", slow)
    with Wild({"/": reply(BODY)}) as server:
        setting = f"slow.example,{server.authority}"
        one = fetching(setting, seconds=0.3, resolve=resolving.system_resolver())
        hung = [
            gevent.spawn(
                pytest.raises, URLFetchFailed, one.fetch, "http://slow.example/"
            )
            for _ in range(resolving.RESOLVER_THREADS)
        ]
        gevent.sleep(0.05)
        with pytest.raises(URLFetchFailed, match=r"0\.3 s"):
            one.fetch(server.url)
        gevent.joinall(hung, raise_error=True)
        gevent.sleep(0.8)
        assert one.fetch(server.url) == BODY


def test_only_so_many_are_fetched_at_once():
    with Wild({"/": hangs(), "/fine": reply(BODY)}) as server:
        one = fetching(server.authority, seconds=30)
        waiting = [
            gevent.spawn(one.fetch, server.url) for _ in range(fetcher.MAX_FETCHES)
        ]
        gevent.sleep(0.1)
        with pytest.raises(Overloaded) as caught:
            one.fetch(f"{server.url}/fine")
        assert caught.value.retry_after == 1
        gevent.killall(waiting)
        assert one.fetch(f"{server.url}/fine") == BODY
        server.wait_for_hung_up(fetcher.MAX_FETCHES)


@pytest.mark.parametrize("error", [ClientGone("gone"), gevent.GreenletExit()])
def test_who_stops_waiting_ends_the_fetch(error):
    with Wild({"/": hangs(head("Content-Length: 9"))}) as server:
        one = fetching(server.authority, seconds=30)
        waiting = gevent.spawn(one.fetch, server.url)
        gevent.sleep(0.1)
        waiting.kill(error)
        assert not isinstance(waiting.exception, URLFetchFailed)
        server.wait_for_hung_up(1)


def test_off_connects_to_nothing_and_says_so():
    with pytest.raises(
        UnprocessableInput, match="by URL is off; send the image itself"
    ):
        fetcher.Fetcher(policy.read("off"), most=MIB).fetch("http://example.com/")


def test_every_refusal_is_the_same_sentence_at_a_whole_second(caplog):
    """Forbidden, refused, missing, too late: neither text nor time tells them apart."""
    with Wild({"/slow": hangs()}) as server:
        one = fetcher.Fetcher(
            policy.read(server.authority), most=MIB, seconds=1.0, grain=0.5
        )
        errors, times = set(), []
        for url in ("nonsense", "http://10.0.0.1/", server.url, f"{server.url}/slow"):
            started = time.monotonic()
            with pytest.raises(URLFetchFailed) as caught:
                one.fetch(url)
            times.append(time.monotonic() - started)
            errors.add((str(caught.value), caught.value.code, caught.value.status))
    assert len(errors) == 1
    assert all(taken >= 0.5 for taken in times[:3])
    assert times[3] >= 1
    assert len(set(caplog.messages)) == 4


def test_the_log_cannot_be_forged_by_a_server(caplog):
    with pytest.raises(URLFetchFailed):
        fetched(b"HTTP/1.1\x1b[31m\x85 forged\r\n\r\n")
    assert why(caplog).isprintable()
    assert why(caplog).isascii()


@settings(max_examples=300, deadline=None)
@given(
    st.binary(max_size=300), st.sampled_from([b"", head(), head("Content-Length: 9")])
)
def test_whatever_a_server_sends_is_bytes_or_a_refusal(noise, start):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(start + noise)
        theirs.shutdown(native.SHUT_WR)
        try:
            answer = http_client.ask(ours, Target("http", "a", 80, "/"), 100)
        except (Refused, OSError, HTTPException, ValueError):
            return
        assert isinstance(answer, http_client.Redirect) or len(answer) <= 100


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("http://a.example", ("http", "a.example", 80, "/")),
        ("HTTPS://A.Example.:8443?q=1", ("https", "a.example", 8443, "/?q=1")),
        ("http://xn--bcher-kva.example/ä b", ("http", "xn--bcher-kva.example", 80,
                                              "/%C3%A4%20b")),
        ("http://a_b.example/%20\"<>\\^`{|}#x", ("http", "a_b.example", 80,
                                                 "/%20%22%3C%3E%5C%5E%60%7B%7C%7D")),
        ("http://[2606:4700:0:0::1111]/", ("http", "2606:4700::1111", 80, "/")),
        ("http://1.2.3.4:080/", ("http", "1.2.3.4", 80, "/")),
    ],
)  # fmt: skip
def test_a_plain_url_is_read(url, target):
    assert parse(url) == Target(*target)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "a.example/x.png",
        "ftp://a.example/",
        "data:image/png;base64,AAAA",
        "http://",
        "http://:80/",
        "http://a.example:/",
        "http://a.example:99999999/",
        "http://a..example/",
        "http://.a.example/",
        "http://-a.example/",
        f"http://{'a' * 64}.example/",
        f"http://{'a.' * 127}example/",
        "http://a.example/\r\nX: y",
        "http://a.example\r\n/",
        "http://a.example/\x00",
        "http://a.example/\ud800",
        "http://bücher.example/",
        "http://a.example%2f@b.example/",
        "http://a.example../",
        "http://1.2.3/",
        "http://1.2.3.4.5/",
        "http://1.2.3.0x4/",
        "http://0x/",
        f"http://a.example/{'a' * 8192}",
    ],
)
def test_what_is_not_plain_is_refused(url):
    with pytest.raises(Refused):
        parse(url)


def test_a_redirect_keeps_host_and_port():
    target = Target("https", "::1", 8443, "/a/b")
    assert follow(target, "c") == Target("https", "::1", 8443, "/a/c")


def allowed(setting, url):
    return {one.value for one in policy.read(setting).kinds(parse(url))}


@pytest.mark.parametrize(
    ("setting", "url", "kinds"),
    [
        ("off", "http://a.example/", set()),
        ("public", "http://a.example/", {"public"}),
        ("public", "https://a.example/", {"public"}),
        ("public", "http://a.example:443/", {"public"}),
        ("public", "http://a.example:8080/", set()),
        ("public", "http://a.example:22/", set()),
        ("public", "http://localhost/", {"public"}),
        ("a.example", "https://A.example./", {"public", "private"}),
        ("a.example", "https://b.a.example/", set()),
        ("a.example", "http://a.example:8080/", set()),
        ("a.example:8080", "https://a.example:8080/", {"public", "private"}),
        ("a.example:8080", "http://a.example/", set()),
        ("a.example, B.example:81", "http://b.example:81/", {"public", "private"}),
        ("10.0.0.5", "http://10.0.0.5/", {"public", "private"}),
        ("fd00::5", "http://[fd00:0::5]/", {"public", "private"}),
        ("localhost", "http://localhost/", {"loopback"}),
        ("LocalHost.", "http://localhost/", {"loopback"}),
        ("localhost", "http://127.0.0.1/", set()),
        ("127.0.0.1:81", "http://127.0.0.1:81/", {"loopback"}),
        ("::1", "http://[::1]/", {"loopback"}),
    ],
)
def test_the_policy_says_which_kinds_of_address_a_target_may_have(setting, url, kinds):
    assert allowed(setting, url) == kinds


@pytest.mark.parametrize(
    "setting",
    [
        "",
        ",",
        "on",
        "public,a.example",
        "a.example,off",
        "http://a.example",
        "a.example/images",
        "*.example.com",
        "a.example:",
        "a.example:x",
        "a.example:0",
        "a.example:65536",
        "user@a.example",
        "bücher.example",
        "10.0.0.0/8",
        "010.0.0.1",
        "[::1",
        "[a.example]",
    ],
)
def test_a_setting_that_is_no_policy_is_refused(setting):
    with pytest.raises(ValueError, match="off, public, or comma-separated HOST"):
        policy.read(setting)


@pytest.mark.parametrize(
    "host", ["169.254.169.254", "127.0.0.2", "0.0.0.0", "fe80::1", "[fd00:ec2::254]:80"]
)
def test_some_addresses_cannot_even_be_named(host):
    with pytest.raises(ValueError, match="nothing is ever fetched from"):
        policy.read(f"a.example,{host}")


def test_a_named_host_may_be_private_but_never_link_local_or_loopback():
    for address, reached in {
        "10.1.2.3": True,
        "100.64.0.1": True,
        "fd00::1": True,
        "93.184.216.34": True,
        "127.0.0.1": False,
        "::1": False,
        "169.254.169.254": False,
        "fe80::1": False,
        "100.100.100.200": False,
        "fd00:ec2::254": False,
        "::ffff:10.1.2.3": False,
    }.items():
        kinds = policy.read("images.corp").kinds(parse("http://images.corp/"))
        target = parse("http://images.corp/")
        if reached:
            assert resolving.addresses(target, kinds, lambda *_, a=address: [a])
        else:
            with pytest.raises(Refused):
                resolving.addresses(target, kinds, lambda *_, a=address: [a])
    assert Kind.NEVER not in kinds


def test_the_package_knows_nothing_of_the_web():
    for file in Path(http_client.__file__).parent.glob("*.py"):
        assert "flask" not in file.read_text(), file
