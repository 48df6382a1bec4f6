"""Row R10 in short (`make overload` measures it), and row R11: nothing for nobody."""

import contextlib
import json
import socket
import struct
import subprocess
import sys
import time

import pytest

import scraping
from bench.open_load import Outcome
from hostile_pictures import png
from serving import ROOT, Served
from sleeping import called, connect, head, request, sleeper

pytestmark = pytest.mark.full

CORS = "Origin: https://shop.example\r\n"


def open_load(server: Served, steps: str, path: str = "/predict") -> subprocess.Popen:
    """Requests that come whether others are answered or not."""
    words = [sys.executable, "-m", "bench.open_load", str(server.port), path, steps]
    return subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE)


def outcomes(load: subprocess.Popen) -> list[Outcome]:
    out, _ = load.communicate(timeout=60)
    return [Outcome(*one) for one in json.loads(out)]


@pytest.fixture
def slow(tmp_path):
    """Start servers whose model takes 0.4 s a batch of at most two."""
    calls = sleeper(tmp_path / "models" / "slow", 0.4)
    with contextlib.ExitStack() as stack:

        def start(*flags: str):
            flags = ("--max-batch-size=2", *flags)
            server = Served(tmp_path / "models", *flags)
            return stack.enter_context(server).ready(), calls

        yield start


def test_ten_times_too_much_is_answered_or_refused_and_nothing_is_lost(tmp_path):
    sleeper(tmp_path / "models" / "slow", 0.1)  # 20 instances a second
    flags = ("--max-batch-size=2", "--max-queue-wait-s=1")
    with Served(tmp_path / "models", *flags) as server:
        load = open_load(server.ready(), "200:4,4:4")
        probes = 0
        while load.poll() is None and probes < 20:
            assert server.get("/livez").status_code == 200
            assert server.get("/readyz").status_code == 200
            probes += 1
        got = outcomes(load)
    answered = [o for o in got if o.status == 200]
    refused = [o for o in got if o.status == 503]
    assert probes == 20, "the probes were not answered meanwhile"
    assert len(answered) + len(refused) == len(got) > 700
    assert all(1 <= int(o.retry_after) <= 60 for o in refused)
    assert len(answered) >= 4 * 20 / 3, "the model stood idle"
    assert all(o.status == 200 for o in got if o.came > 7), "it did not recover"


# --- refusals before the body is read


@contextlib.contextmanager
def busy(folder, *flags: str):
    """A server whose model is busy for ever, and where any wait is too long."""
    calls = sleeper(folder / "slow", 1000)
    sleeper(folder / "other", 0)
    flags = ("--model=slow", "--max-queue-wait-s=0.01", "--drain-timeout-s=0", *flags)
    with Served(folder, *flags) as server, connect(server.ready().port, request(1)):
        while not called(calls):
            time.sleep(0.01)
        time.sleep(0.05)
        yield server


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    with busy(tmp_path_factory.mktemp("full")) as server:
        yield server


def reply(client: socket.socket) -> tuple[str, dict[str, str], dict]:
    """Status line, headers and body of one reply."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += client.recv(65536)
    top, _, body = data.partition(b"\r\n\r\n")
    first, *lines = top.decode().split("\r\n")
    headers = {k.lower(): v for k, _, v in (line.partition(": ") for line in lines)}
    while len(body) < int(headers["content-length"]):
        body += client.recv(65536)
    return first, headers, json.loads(body)


def test_a_refusal_keeps_the_contract_and_the_connection(full):
    with connect(full.port, request(2, more="X-Request-ID: mine\r\n")) as client:
        first, headers, body = reply(client)
        assert first.upper() == "HTTP/1.1 503 SERVICE UNAVAILABLE"
        assert int(headers["retry-after"]) >= 1
        assert headers["x-request-id"] == "mine"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
        assert "connection" not in headers
        assert headers["access-control-allow-origin"] == "*"  # as on every reply
        assert (body["success"], body["code"]) == (False, "overloaded")
        assert len(body["id"]) == 32
        client.sendall(request(3))
        assert reply(client)[0].startswith("HTTP/1.1 503")
    full.wait_for_log("POST /predict 503 .*id=mine")


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (head(10_000_000), "a large body"),
        (head(100), "a small one that does not come"),
        (head(100, more="Expect: 100-continue\r\n"), "one that waits for leave"),
        (
            head(100).replace(b"Content-Length: 100", b"Transfer-Encoding: chunked"),
            "one whose length nobody knows",
        ),
    ],
    ids=["large", "small", "expecting", "chunked"],
)
def test_a_refusal_does_not_wait_for_the_body(full, data, why):
    with connect(full.port, data) as client:
        first, headers, _ = reply(client)
    assert first.startswith("HTTP/1.1 503"), why
    assert headers["connection"] == "close"


def test_a_client_that_half_closes_before_its_body_ends_is_told_so(full):
    with connect(full.port, head(100) + b'{"inst') as client:
        client.shutdown(socket.SHUT_WR)
        first, _, body = reply(client)
    assert first.startswith("HTTP/1.1 400")
    assert body["code"] == "malformed"
    assert "Traceback" not in full.log()


def test_another_model_has_its_own_queue(full):
    with connect(full.port, request(9, path="/predict?model=other")) as client:
        assert reply(client)[0] == "HTTP/1.1 200 OK"


def test_what_is_wrong_otherwise_is_said_all_the_same(full):
    for path, status in (
        ("/predict?model=none", 404),
        ("/predict?version=7", 404),
        ("/predict?version=" + "9" * 5000, 400),
        ("/predict?version=1&model=slow", 503),
        ("/predict?version=", 400),
    ):
        with connect(full.port, request(2, path=path)) as client:
            assert reply(client)[0].startswith(f"HTTP/1.1 {status}"), path


@pytest.mark.parametrize(
    ("origins", "allowed"),
    [
        ("*", "*"),
        ("https://shop.example", "https://shop.example"),
        ("https://other.example", None),
    ],
)
def test_a_refusal_may_be_read_by_the_origins_that_may_call(tmp_path, origins, allowed):
    asking = request(2, more=CORS)
    with (
        busy(tmp_path, f"--cors-origins={origins}") as server,
        connect(server.port, asking) as client,
    ):
        first, headers, _ = reply(client)
    assert first.startswith("HTTP/1.1 503")
    assert headers.get("access-control-allow-origin") == allowed
    exposed = headers.get("access-control-expose-headers")
    assert exposed == (allowed and "Retry-After, Server-Timing, X-Request-ID")
    assert headers.get("vary") == (None if allowed in ("*", None) else "Origin")


# --- leaving clients


def leave(client: socket.socket, *, reset: bool) -> None:
    if reset:  # a crashed client: RST instead of FIN
        linger = struct.pack("ii", 1, 0)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    client.close()


def test_what_clients_left_behind_never_reaches_the_model(slow):
    """Single instances, many at once, and those half sent; only the last one stays."""
    server, calls = slow()
    busy = connect(server.port, request(1))
    while not called(calls):
        time.sleep(0.01)
    gone = [connect(server.port, request(100 + n)) for n in range(6)]
    gone += [connect(server.port, request(*range(200, 264))) for _ in range(2)]
    gone += [connect(server.port, request(300 + n)[:-3]) for n in range(4)]
    while scraping.value(server, "requests_in_progress") < 2 + len(gone):
        time.sleep(0.01)  # one that goes before it is read is nobody; the scrape is one
    for n, client in enumerate(gone):
        leave(client, reset=n % 2 == 0)
    stays = connect(server.port, request(2))
    assert reply(busy)[0] == "HTTP/1.1 200 OK"
    assert reply(stays)[0] == "HTTP/1.1 200 OK"
    busy.close()
    stays.close()
    server.wait_for_log(r"(?s)(POST /predict 499.*){8}")
    time.sleep(0.5)  # time for a batch that should not be
    assert [sorted(batch) for batch in called(calls)] == [[1], [2]]


def test_what_has_expired_never_reaches_the_model(slow):
    server, calls = slow("--request-timeout-s=0.3")
    with connect(server.port, request(*range(1, 30))) as client:
        first, _, body = reply(client)
    assert first.startswith("HTTP/1.1 504")
    assert {r["code"] for r in body["results"]} == {"expired"}
    time.sleep(0.5)
    assert len(called(calls)) == 1


def test_half_of_a_large_upload_reaches_nothing(slow):
    server, calls = slow()
    half = head(8_000_000) + b'{"instances":[[5,' + b" " * 4_000_000
    for reset in (True, False):
        leave(connect(server.port, half), reset=reset)
    server.wait_for_log(r"(?s)(POST /predict 4.*){2}")
    with connect(server.port, request(7)) as client:
        assert reply(client)[0] == "HTTP/1.1 200 OK"
    assert called(calls) == [[7]]


PICTURES = """
task = "image-regression"
labels = ["x"]
[image]
mode = "RGB"
size = [8, 8]
"""


def test_what_waits_to_be_decoded_is_not_when_its_client_has_gone(slow, tmp_path):
    """One decoder, and pictures of 25 megapixels; the others' turns never come."""
    (tmp_path / "models" / "slow" / "model.toml").write_text(PICTURES)
    server, calls = slow("--decoder-threads=1")
    data = png((5000, 5000), 6, 8, 20_000)
    post = head(len(data), kind="image/png") + data
    clients = [connect(server.port, post) for _ in range(8)]
    time.sleep(0.1)
    for client in clients:
        leave(client, reset=True)
    server.wait_for_log(r"(?s)(POST /predict 4.*){8}")
    with connect(server.port, post) as client:
        assert reply(client)[0] == "HTTP/1.1 200 OK"
    assert len(called(calls)) == 1
