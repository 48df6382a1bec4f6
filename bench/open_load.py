"""An open-loop load: requests come when they come, whether others are answered or not.

Run in a process of its own: `python -m bench.open_load PORT PATH STEPS`, where STEPS are
RATE:SECONDS,… one after the other; prints JSON, a list for each request as in `Outcome`.
"""

import json
import random
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, NamedTuple

import gevent
from gevent import socket

BODY = b'{"instances":[[1,2,3,4]]}'
HEAD = (
    "POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    "Content-Length: {length}\r\n\r\n"
)
TIMEOUT = 60.0

# A kept connection is used again within this; later the server may be closing it just
# now (`idle_timeout_s` is 5), and a client could not tell that from a reset.
KEPT = 3.0


class Outcome(NamedTuple):
    """One request: when it came, how long it took, and what was answered.

    Seconds count from the moment it was to be sent, also where the generator was late.
    Status 0 is a connection that was reset or timed out.
    """

    came: float
    seconds: float
    status: int
    retry_after: str | None


def arrivals(steps: list[tuple[float, float]]) -> Iterator[float]:
    """Moments of arrival: Poisson at each step's rate, the same in every run."""
    chance, start = random.Random(0), 0.0
    for rate, seconds in steps:
        moment = start + chance.expovariate(rate)
        while moment < start + seconds:
            yield moment
            moment += chance.expovariate(rate)
        start += seconds


class Clients:
    """As many kept connections as it takes."""

    def __init__(self, port: int, path: str, body: bytes = BODY) -> None:
        self._address = ("127.0.0.1", port)
        self._request = HEAD.format(path=path, length=len(body)).encode() + body
        self._idle: list[tuple[Any, float]] = []  # and since when
        self.outcomes: list[Outcome] = []

    def run(self, steps: list[tuple[float, float]]) -> list[Outcome]:
        """Send at the arrivals' moments; what became of each."""
        started = time.monotonic()
        jobs = []
        for moment in arrivals(steps):
            gevent.sleep(max(0.0, started + moment - time.monotonic()))
            jobs.append(gevent.spawn(self._one, started, moment))
        gevent.joinall(jobs)
        return self.outcomes

    def _one(self, started: float, came: float) -> None:
        status, retry_after = 0, None
        broken = suppress(OSError, EOFError, ValueError)
        with gevent.Timeout(TIMEOUT, False), broken:
            status, retry_after = self._ask()
        seconds = time.monotonic() - started - came
        self.outcomes.append(Outcome(came, seconds, status, retry_after))

    def _ask(self) -> tuple[int, str | None]:
        sock = self._kept() or socket.create_connection(self._address)
        sock.sendall(self._request)
        status, headers = _read(sock)
        if headers.get("connection") == "close":
            sock.close()
        else:
            self._idle.append((sock, time.monotonic()))
        return status, headers.get("retry-after")

    def _kept(self) -> Any | None:
        """The connection that was used last; where that is long ago, none is left."""
        sock, since = self._idle.pop() if self._idle else (None, 0.0)
        if sock is None or time.monotonic() - since < KEPT:
            return sock
        for old, _ in [(sock, since), *self._idle]:
            old.close()
        self._idle.clear()
        return None


def _read(sock: Any) -> tuple[int, dict[str, str]]:
    """Status and headers of a reply that is read to its end."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += _some(sock)
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {
        k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines)
    }
    left = int(headers["content-length"]) - len(body)
    while left > 0:
        left -= len(_some(sock))
    return int(first.split()[1]), headers


def _some(sock: Any) -> bytes:
    part: bytes = sock.recv(65536)
    if not part:
        raise EOFError
    return part


if __name__ == "__main__":
    port, path, given = sys.argv[1:]
    steps = [
        (float(r), float(s))
        for r, _, s in (one.partition(":") for one in given.split(","))
    ]
    print(json.dumps(Clients(int(port), path).run(steps)))
