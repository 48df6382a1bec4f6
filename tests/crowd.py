"""Many clients at once, each asking again when it has its answer.

What each sends is its own, so that an answer that was another's is noticed.
"""

import asyncio
import json
import random
import time
from dataclasses import dataclass

PATH = "/v1/models/sums:predict"


@dataclass(frozen=True)
class Answer:
    """`came` and `took` in seconds; status 0 is a connection that broke."""

    came: float
    took: float
    status: int
    right: bool


class Crowd:
    """`clients` of the model `sums`, on a connection each."""

    def __init__(self, port: int, clients: int):
        self._port, self._clients = port, clients
        self._started = 0.0
        self.answers: list[Answer] = []

    async def ask(self, seconds: float) -> list[Answer]:
        """All of them for so long; then each waits for its last answer."""
        self._started = time.monotonic()
        until = self._started + seconds
        await asyncio.gather(*(self._client(until) for _ in range(self._clients)))
        return self.answers

    async def _client(self, until: float) -> None:
        connection = None
        while time.monotonic() < until:
            connection = connection or await self._connect()
            connection = await self._one(connection)
        if connection:
            connection[1].close()

    async def _connect(self):
        return await asyncio.open_connection("127.0.0.1", self._port)

    async def _one(self, connection):
        """Ask once; the connection, where it can be used again."""
        row = [random.randrange(1000) for _ in range(4)]
        came = time.monotonic()
        try:
            status, headers, body = await _exchange(connection, row)
        except (OSError, EOFError):
            status, headers, body = 0, {"connection": "close"}, {}
        took = time.monotonic() - came
        right = body.get("predictions") == [[sum(row), sum(row) / 2]]
        self.answers.append(Answer(came - self._started, took, status, right))
        if status == 503:  # as it was told
            await asyncio.sleep(min(1.0, float(headers.get("retry-after", 1))))
        if headers.get("connection") == "close":
            connection[1].close()
            return None
        return connection


async def _exchange(connection, row: list[int]):
    reader, writer = connection
    body = json.dumps({"instances": [row]}).encode()
    writer.write(
        b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        b"Content-Length: %d\r\n\r\n%s" % (PATH.encode(), len(body), body)
    )
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    first, *lines = head.split("\r\n")
    pairs = (line.partition(": ") for line in lines)
    headers = {name.lower(): value for name, _, value in pairs}
    answer = await reader.readexactly(int(headers["content-length"]))
    return int(first.split()[1]), headers, json.loads(answer)
