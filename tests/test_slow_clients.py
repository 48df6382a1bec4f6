"""Many clients that hold their connections: the others are served all the same.

SLOW=1000 has that many slow ones, for half a minute each way.
"""

import os
import re
import resource
import shutil
import socket
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests

from serving import Served
from texting import PREDICT, texting

pytestmark = pytest.mark.long

SLOW = int(os.environ.get("SLOW", "200"))
SECONDS = 30 if SLOW >= 1000 else 2
GET = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with texting(tmp_path_factory.mktemp("models"), "--idle-timeout-s=75") as server:
        yield server


def ask(session: requests.Session, server: Served) -> int:
    """What a good client does."""
    reply = session.post(server.url + PREDICT, json={"1": "I love it"}, timeout=10)
    assert reply.json() == {"1": "Positive"}
    return reply.status_code


def open_files(server: Served) -> int:
    """How many files the server has open; a connection is one."""
    return len(list(Path(f"/proc/{server.process.pid}/fd").iterdir()))


def until_others_have_gone(server: Served) -> None:
    """Connections of the test before may still be there."""
    before, deadline = -1, time.monotonic() + 30
    while before != (now := open_files(server)) and time.monotonic() < deadline:
        before = now
        time.sleep(2)


def attack(server: Served, *how: str) -> subprocess.Popen[bytes]:
    if not shutil.which("slowhttptest"):
        if os.environ.get("CI") == "true":
            pytest.fail("slowhttptest is not installed")
        pytest.skip("slowhttptest is not installed")
    many = ("-c", str(SLOW), "-r", str(SLOW // 2), "-l", str(SECONDS))
    return subprocess.Popen(
        # Elsewhere it would have cores of its own; here it gets what the others leave.
        ["nice", "-n", "19", "slowhttptest", *many, *how, "-u", server.url + PREDICT],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def alone(server: Served) -> list[float]:
    """How long good requests take, one after the other, without slow clients."""
    seconds = []
    with requests.Session() as session:
        for _ in range(100):
            started = time.monotonic()
            ask(session, server)
            seconds.append(time.monotonic() - started)
            time.sleep(0.01)
    return seconds


def ninety_ninth(seconds: list[float]) -> float:
    """p99 in milliseconds; shown, never asserted."""
    return 1000 * sorted(seconds)[-1 - len(seconds) // 100]


ATTACKS = {
    "heads": ("-H", "-i", "1"),
    "bodies": ("-B", "-i", "1", "-s", "8192"),
    "readers": ("-X", "-w", "1", "-y", "2", "-n", "1", "-z", "1", "-k", "3"),
}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("kind", ATTACKS)
def test_good_clients_are_served_while_others_are_slow(server, kind):
    until_others_have_gone(server)
    idle, most, statuses, seconds = open_files(server), 0, [], []
    print(f"\nwithout slow clients p99 {ninety_ninth(alone(server)):.1f} ms")
    for _ in range(5):  # a busy machine gives the attacker no time to begin
        with attack(server, *ATTACKS[kind]) as slow, requests.Session() as session:
            while slow.poll() is None:
                started = time.monotonic()
                statuses.append(ask(session, server))
                seconds.append(time.monotonic() - started)
                most = max(most, open_files(server) - idle)
                time.sleep(0.01)
        if most > SLOW * 0.9:
            break
    print(f"{kind}: {most} connections, {len(seconds)} good requests,", end=" ")
    print(f"p99 {ninety_ninth(seconds):.1f} ms")
    assert len(statuses) > 50
    assert set(statuses) == {200}
    assert most > SLOW * 0.9


def memory(server: Served) -> int:
    """Bytes in memory."""
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return 1024 * int(re.search(r"VmRSS:\s+(\d+) kB", status)[1])


@pytest.fixture
def _files_enough():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.usefixtures("_files_enough")
def test_a_thousand_idle_connections_cost_little_and_stay(server):
    with ExitStack() as stack:
        ask(stack.enter_context(requests.Session()), server)
        before = memory(server)
        clients = [
            stack.enter_context(
                socket.create_connection(("127.0.0.1", server.port), 10)
            )
            for _ in range(1000)
        ]
        for _ in range(2):
            for client in clients:
                client.sendall(GET)
            assert all(b"200 OK" in client.recv(4096) for client in clients)
        assert open_files(server) >= 1000
        assert memory(server) - before <= 50 * 2**20
        session = stack.enter_context(requests.Session())
        assert {ask(session, server) for _ in range(100)} == {200}
