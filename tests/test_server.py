"""The server as a server: starting, refusing, draining, leaving clients."""

import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, suppress

import pytest
import requests

from made import colours_by_hand, picture
from scraping import await_predictions
from serving import ROOT, Served


def run(*flags: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "app.py", *flags],
        cwd=ROOT,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        timeout=60,
    )


def raw(server: Served, data: bytes, seconds: float = 10) -> bytes:
    """Send bytes, return everything until the server closes."""
    with socket.create_connection(("127.0.0.1", server.port), seconds) as sock:
        sock.sendall(data)
        return read_all(sock)


def read_all(sock: socket.socket) -> bytes:
    parts = []
    while part := sock.recv(65536):
        parts.append(part)
    return b"".join(parts)


def request_bytes(body: bytes, *headers: str) -> bytes:
    head = [
        "POST /predict HTTP/1.1",
        "Host: x",
        "Content-Type: image/png",
        f"Content-Length: {len(body)}",
        *headers,
    ]
    return "\r\n".join([*head, "", ""]).encode() + body


# --- starting


def test_it_listens_first_and_is_ready_when_loaded(colours):
    with Served(colours) as server:
        first = server.get("/readyz")
        body = first.json()
        assert first.status_code == 503
        assert body["code"] == "loading"
        assert body["ready"] is False
        assert body["stage"]
        assert 0 <= body["percent"] < 100
        assert int(first.headers["Retry-After"]) >= 1
        assert server.get("/livez").status_code == 200
        early = server.post("/predict", files={"image": picture()})
        assert early.status_code == 503
        assert early.json()["code"] == "loading"
        server.ready()
        late = server.post("/predict", files={"image": picture()})
        assert late.status_code == 200


def test_livez_answers_while_tensorflow_is_imported(colours):
    with Served(colours) as server:
        slowest = 0.0
        while server.get("/readyz").status_code == 503:
            slowest = max(slowest, server.get("/livez").elapsed.total_seconds())
        assert 0 < slowest < 2, "the hub stood still while a model was loading"


def test_an_unloadable_default_keeps_the_server_unready_with_the_reason(tmp_path):
    (tmp_path / "mine.keras").write_bytes(b"no model")
    with Served(tmp_path) as server:
        server.wait_for_log("not served")
        body = server.get("/readyz").json()
        assert body["stage"] == "failed"
        assert "mine" in body["error"]


def test_a_wrong_setting_stops_the_start_with_one_line():
    done = run("--port", "abc")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "--port (FACENALITY_PORT) is 'abc'" in done.stderr


def test_a_taken_port_stops_the_start_with_one_line(colours):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = run("--port", port, "--models-dir", str(colours))
    assert done.returncode == 2
    assert f"port {port}" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_process_that_gevent_has_patched_is_refused():
    code = (
        "from gevent import monkey; monkey.patch_all()\n"
        "from facenality.app.main import main; import sys; sys.exit(main([]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 2
    assert "gevent.monkey has patched" in done.stderr
    assert "Traceback" not in done.stderr


# --- limits


def test_a_body_that_is_too_large_is_refused_before_it_is_read(server):
    head = (
        b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\n"
        b"Content-Length: 99999999\r\n\r\n"
    )
    started = time.monotonic()
    reply = raw(server, head)
    assert reply.startswith(b"HTTP/1.1 413 ")
    assert b"Connection: close" in reply
    assert b"15 MiB" in reply
    assert time.monotonic() - started < 8


def test_the_refusal_reaches_a_client_that_goes_on_sending(server):
    reply = server.post(
        "/predict",
        data=bytes(15 * 2**20 + 512 * 1024),
        headers={"Content-Type": "image/png"},
    )
    assert reply.status_code == 413


def test_a_chunked_body_that_grows_too_large_is_refused(server):
    def chunks():
        for _ in range(16):
            yield bytes(2**20)

    reply = server.post(
        "/predict", data=chunks(), headers={"Content-Type": "image/png"}
    )
    assert reply.status_code == 413


def test_fifteen_mebibytes_pass(server):
    body = picture("blue", (900, 900), "BMP")
    body += bytes(15 * 2**20 - len(body))
    reply = server.post("/predict", data=body, headers={"Content-Type": "image/bmp"})
    assert reply.json()["predictions"][0]["label"] == "blue"


def test_garbage_behind_the_largest_chunked_body_is_no_bug_of_ours(by_hand):
    with Served(by_hand, "--max-body-bytes=8") as server:
        server.ready()
        head = (
            b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n8\r\n12345678\r\nzz\r\n"
        )
        assert raw(server, head).startswith(b"HTTP/1.1 400")


@pytest.mark.parametrize(
    "body", [b"zz\r\nx", b"5\r\nab", b"-1\r\n", b"5\r\nabcdeXX"], ids=str
)
def test_a_broken_chunked_body_is_answered_and_closed(server, body):
    head = (
        b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", server.port), 10) as sock:
        sock.sendall(head + body)
        sock.shutdown(socket.SHUT_WR)
        reply = read_all(sock)
    assert reply == b"" or reply.startswith(b"HTTP/1.1 4")
    assert server.get("/livez").status_code == 200


def test_a_connection_is_kept_for_the_next_request(server):
    with requests.Session() as session:
        for _ in range(3):
            reply = session.post(server.url + "/predict", files={"image": picture()})
            assert "Connection" not in reply.headers
        pools = session.get_adapter(server.url).poolmanager.pools
        assert pools[next(iter(pools.keys()))].num_connections == 1


def test_a_refused_body_closes_the_connection(server):
    """Its rest would be read as the next request."""
    reply = server.post("/nothing", data=b"x" * 100)
    assert reply.status_code == 404
    assert reply.headers["Connection"] == "close"


def test_pipelined_requests_are_answered_in_turn(server):
    one = request_bytes(picture("red"))
    two = request_bytes(picture("blue"), "Connection: close")
    replies = raw(server, one + two)
    assert replies.count(b"HTTP/1.1 200 OK") == 2
    assert replies.index(b'[{"label":"red"') < replies.index(b'[{"label":"blue"')


def test_a_bug_of_ours_is_a_500_with_an_id_and_no_traceback(tmp_path):
    """The client gets a sentence; the log gets the traceback, with the same id."""
    (tmp_path / "sitecustomize.py").write_text(
        "import os\n"
        "if os.environ.get('WITH_BUGS'):\n"
        "    import facenality.tasks.image_decode as images\n"
        "    images.decode = lambda data, spec: {}[len(data)]\n"
        "    import facenality.web.routes.models as models\n"
        "    models.failed = lambda catalog: 1 / 0\n"
    )
    colours_by_hand(tmp_path / "models" / "colours")
    env = {"WITH_BUGS": "1", "PYTHONPATH": f"{tmp_path}:{ROOT}"}
    with Served(tmp_path / "models", env=env) as server:
        server.wait_for_log("ready in")
        for reply in (
            server.get("/models"),
            server.post("/predict", files={"image": picture()}),
        ):
            assert reply.status_code == 500
            assert reply.json()["code"] == "internal_error"
            assert "log" in reply.json()["error"]
            assert "Error" not in reply.text
        assert "ZeroDivisionError" in server.log()
        assert "KeyError" in server.log()


# --- leaving clients and draining, with a model that takes its time


SITE = """
import os
if os.environ.get("SLOW_MODEL"):
    import sys, time
    from facenality.scheduling.executor import ThreadExecutor
    quick = ThreadExecutor._rows
    def slow(self, instances):
        print("predicted", len(instances), file=sys.stderr, flush=True)
        time.sleep(0.3)
        return quick(self, instances)
    ThreadExecutor._rows = slow
"""


@pytest.fixture
def slow(tmp_path):
    """Start servers whose model thread takes 0.3 s for each batch of at most one."""
    (tmp_path / "sitecustomize.py").write_text(SITE)
    colours_by_hand(tmp_path / "models" / "colours")
    env = {"SLOW_MODEL": "1", "PYTHONPATH": f"{tmp_path}:{ROOT}"}
    with ExitStack() as stack:

        def start(*flags: str) -> Served:
            flags = ("--max-batch-size=1", *flags)
            served = Served(tmp_path / "models", *flags, env=env)
            return stack.enter_context(served).ready()

        yield start


@pytest.fixture
def slow_server(slow):
    return slow()


def test_a_client_that_leaves_takes_its_job_out_of_the_queue(slow_server):
    body = request_bytes(picture("red"))
    address = ("127.0.0.1", slow_server.port)
    clients = [socket.create_connection(address) for _ in range(5)]
    clients[0].sendall(body)
    slow_server.wait_for_log("predicted 1")
    for client in clients[1:]:
        client.sendall(body)
    await_predictions(slow_server, 5)
    for client, reset in zip(clients[1:], (True, False, True, False), strict=True):
        if reset:  # a crashed client: RST instead of FIN
            linger = struct.pack("ii", 1, 0)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        client.close()  # one is with the model, four wait
    assert b"200 OK" in clients[0].recv(65536)
    clients[0].close()
    slow_server.wait_for_log(r"(?s)(POST /predict 499.*){4}")
    reply = slow_server.post("/predict", files={"image": picture()})
    assert reply.status_code == 200
    assert slow_server.log().count("predicted 1") == 2


def test_a_deadline_that_passes_is_a_504_and_its_job_never_runs(slow):
    server = slow("--request-timeout-s=0.2")
    with ThreadClients(server, 5) as clients:
        pass
    assert [reply.status_code for reply in clients.replies] == [504] * 5
    assert {reply.json()["code"] for reply in clients.replies} == {"expired"}
    assert server.log().count("predicted 1") == 1


def test_a_queue_that_would_take_too_long_refuses_with_retry_after(slow):
    server = slow("--max-queue-wait-s=0.5")
    server.post("/predict", files={"image": picture()})  # teaches the rate
    with ThreadClients(server, 12) as clients:
        pass
    by_status = sorted(reply.status_code for reply in clients.replies)
    assert 2 <= by_status.count(200) <= 4
    assert by_status.count(503) == 12 - by_status.count(200)
    refused = next(r for r in clients.replies if r.status_code == 503)
    assert refused.json()["code"] == "overloaded"
    assert int(refused.headers["Retry-After"]) >= 1


def test_sigterm_finishes_what_is_in_flight_and_exits_0(slow_server):
    with ThreadClients(slow_server, 6) as clients:
        await_predictions(slow_server, 6)
        idle = socket.create_connection(("127.0.0.1", slow_server.port))
        started = time.monotonic()
        assert slow_server.terminate() == 0
        assert time.monotonic() - started < 20
    idle.close()
    assert [reply.status_code for reply in clients.replies] == [200] * 6
    assert clients.replies[-1].headers["Connection"] == "close"
    with pytest.raises(requests.ConnectionError):
        slow_server.get("/livez")


def test_an_idle_connection_does_not_delay_the_drain(slow_server):
    with requests.Session() as session:
        session.get(slow_server.url + "/livez")
        started = time.monotonic()
        assert slow_server.terminate() == 0
        assert time.monotonic() - started < 2


def test_a_second_sigterm_ends_at_once(slow_server):
    with ThreadClients(slow_server, 8):
        slow_server.wait_for_log("predicted 1")
        slow_server.process.send_signal(signal.SIGTERM)
        slow_server.wait_for_log("draining")
        slow_server.process.send_signal(signal.SIGTERM)
        assert slow_server.process.wait(2) == 1


def test_a_drain_that_takes_too_long_ends_with_status_1(by_hand):
    """A client that never finishes its body holds the drain until its timeout."""
    with Served(by_hand, "--drain-timeout-s=1.5") as server:
        server.ready()
        with socket.create_connection(("127.0.0.1", server.port)) as sock:
            sock.sendall(request_bytes(picture())[:-10])
            time.sleep(0.2)
            assert server.terminate() == 1
        assert "the drain timed out" in server.log()


def test_sigterm_while_loading_exits_0(colours):
    with Served(colours) as server:
        server.wait_for_log("importing TensorFlow")
        assert server.terminate() == 0


class ThreadClients:
    """Clients that each send one picture at once; joined at the end of the block."""

    def __init__(self, server: Served, count: int):
        self.replies: list[requests.Response] = []
        self._threads = [
            threading.Thread(target=self._ask, args=[server]) for _ in range(count)
        ]

    def _ask(self, server: Served) -> None:
        with suppress(requests.ConnectionError):  # where the server ends at once
            self.replies.append(server.post("/predict", files={"image": picture()}))

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        for thread in self._threads:
            thread.join()
