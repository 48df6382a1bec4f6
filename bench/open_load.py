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
from http.client import HTTPConnection, HTTPException
from typing import NamedTuple

import gevent
from gevent import monkey

BODY = b'{"instances":[[1,2,3,4]]}'
HEADERS = {"Content-Type": "application/json"}
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

    def __init__(self, port: int, path: str) -> None:
        self._port, self._path = port, path
        self._idle: list[tuple[HTTPConnection, float]] = []  # and since when
        self.outcomes: list[Outcome] = []

    def run(self, steps: list[tuple[float, float]]) -> list[Outcome]:
        """Send at the arrivals' moments; what became of each."""
        started, jobs = time.monotonic(), []
        for moment in arrivals(steps):
            gevent.sleep(max(0.0, started + moment - time.monotonic()))
            jobs.append(gevent.spawn(self._one, started, moment))
        gevent.joinall(jobs)
        return self.outcomes

    def _one(self, started: float, came: float) -> None:
        status, retry_after = 0, None
        with gevent.Timeout(TIMEOUT, False), suppress(OSError, HTTPException):
            connection = self._connection()
            connection.request("POST", self._path, BODY, HEADERS)
            reply = connection.getresponse()
            reply.read()
            status, retry_after = reply.status, reply.headers["Retry-After"]
            self._idle.append((connection, time.monotonic()))
        seconds = time.monotonic() - started - came
        self.outcomes.append(Outcome(came, seconds, status, retry_after))

    def _connection(self) -> HTTPConnection:
        """The one that was used last, where that is not long ago; else a new one."""
        while self._idle:
            connection, since = self._idle.pop()
            if time.monotonic() - since < KEPT:
                return connection
            connection.close()
        return HTTPConnection("127.0.0.1", self._port)


if __name__ == "__main__":
    monkey.patch_all()
    port, path, given = sys.argv[1:]
    pairs = (one.split(":") for one in given.split(","))
    steps = [(float(rate), float(seconds)) for rate, seconds in pairs]
    print(json.dumps(Clients(int(port), path).run(steps)))
