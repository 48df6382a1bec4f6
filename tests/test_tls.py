"""https by the server itself: what a browser would call safe, from start to reload."""

import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import gevent
import pytest
from gevent import ssl as gevent_ssl
from gevent.socket import create_connection

from facenality.errors import ClientGone, InvalidSetting
from facenality.server import Limits, Tls, disconnect
from serving import ROOT, Served
from speaking import QUICK, read_all, speaking, statuses
from texting import PREDICT, TOKEN, texting

pytestmark = pytest.mark.full

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


def certify(folder: Path, name: str, *more: str) -> tuple[Path, Path]:
    """A certificate that signs itself, and its key."""
    folder.mkdir(parents=True, exist_ok=True)
    cert, key = folder / "cert.pem", folder / "key.pem"
    kind = more or ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-days", "2", "-subj", f"/CN={name}"),
            *("-keyout", key, "-out", cert, *kind),
        ],
        check=True,
        capture_output=True,
    )
    return cert, key


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    return certify(tmp_path_factory.mktemp("tls"), "one.example")


@pytest.fixture(scope="module")
def server(pair):
    with speaking(QUICK, tls=Tls(*pair)) as spoken:
        yield spoken


def context(**more) -> gevent_ssl.SSLContext:
    made = gevent_ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname = False
    made.verify_mode = ssl.CERT_NONE
    for name, value in more.items():
        setattr(made, name, value)
    return made


def secured(server, data: bytes = b"", **more):
    """A connection over TLS."""
    plain = create_connection(("127.0.0.1", server.server.server_port), 10)
    sock = context(**more).wrap_socket(plain)
    sock.sendall(data)
    return sock


def test_requests_are_answered_over_tls(server):
    with secured(server, GET) as sock:
        assert b"200 OK" in sock.recv(1000)
        sock.sendall(GET.replace(b"Host", b"Connection: close\r\nHost"))
        assert statuses(read_all(sock)) == [200]
    assert server.environ["wsgi.url_scheme"] == "https"


def test_a_large_reply_arrives_whole_and_ends_with_the_farewell_of_tls(server):
    close = GET.replace(b"/ ", b"/large ", 1).replace(
        b"Host", b"Connection: close\r\nHost"
    )
    plain = create_connection(("127.0.0.1", server.server.server_port), 10)
    with context().wrap_socket(plain, suppress_ragged_eofs=False) as sock:
        sock.sendall(close)
        assert len(read_all(sock)) > 50_000_000


def test_a_body_arrives_whole(server):
    body = bytes(range(256)) * 4096
    head = (
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"
    )
    with secured(server, head % len(body) + body) as sock:
        assert read_all(sock).endswith(b"got " + body)


def test_a_refusal_arrives_over_tls_too(server):
    head = b"POST /unread HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999\r\n\r\n"
    with secured(server, head + bytes(300_000)) as sock:
        assert statuses(read_all(sock)) == [404]
    with secured(server, b"GET nowhere HTTP/1.1\r\n\r\n") as sock:
        assert statuses(read_all(sock)) == [400]


def test_tls_1_1_is_refused(server):
    with pytest.warns(DeprecationWarning, match="TLSv1 is deprecated"):
        old = context(minimum_version=ssl.TLSVersion.TLSv1)
    with pytest.warns(DeprecationWarning, match="TLSv1_1 is deprecated"):
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    old.set_ciphers("ALL:@SECLEVEL=0")
    plain = create_connection(("127.0.0.1", server.server.server_port), 10)
    with plain, pytest.raises(ssl.SSLError):
        old.wrap_socket(plain)


@pytest.mark.parametrize(
    "cipher",
    ["AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-SHA", "DHE-RSA-AES128-GCM-SHA256"],
)
def test_a_weak_cipher_is_refused(server, cipher):
    weak = context(maximum_version=ssl.TLSVersion.TLSv1_2)
    weak.set_ciphers(cipher)
    plain = create_connection(("127.0.0.1", server.server.server_port), 10)
    with plain, pytest.raises((ssl.SSLError, OSError)):
        weak.wrap_socket(plain)


def test_tls_1_2_and_1_3_are_spoken(server):
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        with secured(server, minimum_version=version, maximum_version=version) as sock:
            name, protocol, _ = sock.cipher()
            assert sock.version() == protocol or protocol == "TLSv1.2"
            assert "GCM" in name or "CHACHA20" in name


NO_HANDSHAKE = {
    "plain HTTP": GET,
    "nothing and the end": None,
    "garbage": b"\x16\x03\x01\xff\xff" + b"x" * 100,
}


@pytest.mark.parametrize("kind", NO_HANDSHAKE)
def test_what_is_no_handshake_is_closed_and_counted(pair, kind, capfd):
    data = NO_HANDSHAKE[kind]
    with speaking(QUICK, tls=Tls(*pair)) as server:
        with server.connect(data or b"") as sock:
            if data is None:
                sock.shutdown(socket.SHUT_WR)
            assert b"HTTP" not in read_all(sock)
        assert server.refused == ["tls"]
        assert server.seen == []
    assert "Traceback" not in capfd.readouterr().err


def test_a_handshake_that_takes_too_long_is_closed_and_holds_up_nobody(server):
    server.refused.clear()
    started = time.monotonic()
    with server.connect(b"\x16\x03") as slow:
        with secured(server, GET) as quick:
            assert b"200 OK" in quick.recv(1000)
        assert time.monotonic() - started < QUICK.head_timeout
        assert read_all(slow) == b""
    assert QUICK.head_timeout <= time.monotonic() - started < QUICK.head_timeout + 1
    assert server.refused == ["tls"]


def test_a_slow_head_after_the_handshake_is_a_408(server):
    with secured(server, b"GET /") as sock:
        assert statuses(read_all(sock)) == [408]


def test_above_the_limit_clients_are_told_so(pair):
    with speaking(Limits(max_connections=1), tls=Tls(*pair)) as server:
        first = secured(server, GET)
        assert b"200 OK" in first.recv(1000)
        with first, secured(server, GET) as second:
            assert statuses(read_all(second)) == [503]


def test_idle_connections_and_half_handshakes_do_not_delay_the_drain(pair):
    with speaking(tls=Tls(*pair)) as server:
        idle, half = secured(server, GET), server.connect(b"\x16\x03")
        assert b"200 OK" in idle.recv(1000)
        started = time.monotonic()
        assert server.server.drain(8)
        assert time.monotonic() - started < 3
        assert idle.recv(1000) == b""
        assert read_all(half) == b""
        idle.close()
        half.close()


def test_a_request_that_is_served_while_draining_is_answered_in_full(pair):
    def application(environ, start_response):
        gevent.sleep(0.5)
        start_response("200 OK", [])
        return [b"late"]

    with speaking(tls=Tls(*pair)) as server:
        server.server.application = application
        sock = secured(server, GET)
        gevent.sleep(0.1)
        drained = gevent.spawn(server.server.drain, 5)
        reply = read_all(sock)
        assert reply.endswith(b"late")
        assert b"Connection: close" in reply
        assert drained.get()
        sock.close()


# --- leaving clients


def say_farewell(sock) -> None:
    sock._sslobj.shutdown()


def ask_again(sock) -> None:
    sock.sendall(GET)


@pytest.mark.parametrize(
    ("before", "goes"),
    [
        (None, True),
        (say_farewell, True),
        (ask_again, True),
        (None, False),
        (ask_again, False),
    ],
)
def test_a_client_that_leaves_is_noticed_beneath_tls(pair, before, goes):
    gone = []

    def application(environ, start_response):
        try:
            with disconnect.cancel_on_disconnect(environ):
                gevent.sleep(0.8)
        except ClientGone:
            gone.append(time.monotonic())
        start_response("200 OK", [])
        return []

    with speaking(tls=Tls(*pair)) as server:
        server.server.application = application
        sock = secured(server, GET)
        gevent.sleep(0.1)
        if before:
            with suppress(ssl.SSLWantReadError):
                before(sock)
        if goes:
            sock._sock.shutdown(socket.SHUT_RDWR)
        gevent.sleep(0.5)
        assert bool(gone) is goes
        gevent.sleep(0.3)
        sock.close()


# --- files


def test_both_files_are_set_or_neither(pair):
    cert, key = pair
    assert Tls.of(None, None) is None
    with pytest.raises(InvalidSetting, match="--tls-key is not set"):
        Tls.of(cert, None)
    with pytest.raises(InvalidSetting, match="--tls-cert is not set"):
        Tls.of(None, key)


def test_files_that_cannot_be_used_are_one_clear_line(pair, tmp_path):
    cert, key = pair
    _, other = certify(tmp_path / "other", "other.example")
    locked = certify(tmp_path / "locked", "locked.example", "-passout", "pass:secret")
    empty = tmp_path / "empty.pem"
    empty.write_text("")
    table = [
        (cert, other, "KEY_VALUES_MISMATCH"),
        (*locked, "--tls-key is encrypted"),
        (cert, tmp_path / "absent.pem", "No such file"),
        (tmp_path / "absent.pem", key, "No such file"),
        (empty, key, "do not match"),
        (cert, empty, "do not match"),
        (key, cert, "do not match"),
    ]
    for bad_cert, bad_key, reason in table:
        with pytest.raises(InvalidSetting, match=reason) as caught:
            Tls(bad_cert, bad_key)
        assert "\n" not in str(caught.value)


def test_a_wrong_certificate_stops_the_start(tmp_path):
    done = subprocess.run(
        [sys.executable, "app.py", "--models-dir", tmp_path, "--tls-cert", "cert.pem"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 2
    assert done.stderr == "app.py: --tls-key is not set; TLS needs both of them\n"


# --- a real server


def name_of(port: int) -> str:
    """The name in the certificate that the server shows."""
    pem = ssl.get_server_certificate(("127.0.0.1", port))
    shown = subprocess.run(
        ["openssl", "x509", "-noout", "-subject"],
        input=pem,
        capture_output=True,
        text=True,
    )
    return shown.stdout.split("=")[-1].strip()


def hang_up(server: Served, answer: str) -> None:
    seen = server.log().count(answer)
    server.process.send_signal(signal.SIGHUP)
    deadline = time.monotonic() + 10
    while server.log().count(answer) == seen:
        assert time.monotonic() < deadline, server.log()
        time.sleep(0.05)


def test_sighup_reads_the_certificate_again_and_keeps_the_old_where_it_cannot(tmp_path):
    cert, key = certify(tmp_path / "now", "one.example")
    (tmp_path / "models").mkdir()
    with Served(
        tmp_path / "models", "--tls-cert", str(cert), "--tls-key", str(key)
    ) as server:
        assert "listening on https://localhost" in server.log()
        assert name_of(server.port) == "one.example"
        certify(tmp_path / "now", "two.example")
        hang_up(server, "certificate: reloaded")
        assert name_of(server.port) == "two.example"
        cert.write_text("nothing")
        hang_up(server, "certificate: not reloaded")
        assert name_of(server.port) == "two.example"
        assert server.log().count("Traceback") == 0


@pytest.fixture(scope="module")
def secure(pair, tmp_path_factory):
    """The bundled sentiment model over https."""
    cert, key = map(str, pair)
    flags = ("--tls-cert", cert, "--tls-key", key)
    with texting(tmp_path_factory.mktemp("models"), *flags) as server:
        yield server


def test_the_sentiment_route_answers_the_curl_of_its_post_over_tls(secure):
    done = subprocess.run(
        [
            *("curl", "-sS", "-k", "-X", "POST"),
            f"https://localhost:{secure.port}{PREDICT}",
            *("-d", '{"1":"I love it","2":"I hate it"}'),
            *("-H", "Content-Type: application/json"),
        ],
        capture_output=True,
        text=True,
        timeout=30,
        env={**os.environ, "no_proxy": "*"},
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == '{"1":"Positive","2":"Negative"}'


def test_plain_http_to_the_port_of_https_leaves_no_traceback(secure):
    with socket.create_connection(("127.0.0.1", secure.port), 10) as sock:
        sock.sendall(GET)
        with suppress(OSError):
            assert b"HTTP" not in sock.recv(1000)
    secure.wait_for_log("a TLS handshake failed")
    assert "Traceback" not in secure.log()
    assert TOKEN not in secure.log()
