"""A connection's bytes, and the deadline of what it waits for."""

import math
import time
from typing import Any

import gevent

NEVER = math.inf

# Size of one read; the largest TLS record is 16 KiB.
RECEIVE = 16 * 1024


class DeadlineExceeded(Exception):
    """The deadline passed while the stream waited for its socket."""


class Stream:
    """A buffered socket with the deadlines of its head and of the current wait."""

    __slots__ = ("_at", "_data", "deadline", "greenlet", "head_until", "idle", "sock")

    def __init__(self, sock: Any, head_timeout: float) -> None:
        self.sock = sock
        self.head_until = time.monotonic() + head_timeout
        self.deadline = NEVER
        self.greenlet: Any = None  # the one that reads and writes
        self.idle = False  # waiting for the first byte of a request
        self._data = b""
        self._at = 0

    def interrupt(self) -> None:
        """Raise DeadlineExceeded in the waiting greenlet; call it in the hub."""
        self.greenlet.throw(DeadlineExceeded())

    def shorten_deadline(self, seconds: float) -> None:
        """Leave at most `seconds` for a handshake or head that has begun."""
        soon = time.monotonic() + seconds
        if self.deadline == self.head_until != NEVER:
            self.deadline = min(self.deadline, soon)
        self.head_until = min(self.head_until, soon)

    @property
    def waiting(self) -> int:
        """The number of bytes in the buffer."""
        return len(self._data) - self._at

    def look(self) -> bytes:
        """The bytes in the buffer, which stay there."""
        if self._at:
            self._data, self._at = self._data[self._at :], 0
        return self._data

    def fill(self, until: float) -> bool:
        """Receive more bytes; False at the end. Raises DeadlineExceeded, OSError."""
        self.deadline = until
        try:
            more = self.sock.recv(RECEIVE)
        finally:
            self.deadline = NEVER
        self._data = self.look() + more
        return bool(more)

    def take(self, count: int) -> bytes:
        """Take up to `count` bytes out of the buffer."""
        taken = self._data[self._at : self._at + count]
        self._at += len(taken)
        return taken

    def find(self, what: bytes, most: int) -> int:
        """The position of `what` among the next `most` bytes, or -1."""
        found = self._data.find(what, self._at, self._at + most)
        return found if found < 0 else found - self._at

    def read_into(self, view: memoryview, until: float) -> int:
        """Fill some of `view`; 0 at the end. Raises DeadlineExceeded, OSError."""
        if self.waiting:
            taken = self.take(len(view))
            view[: len(taken)] = taken
            return len(taken)
        self.deadline = until
        try:
            return int(self.sock.recv_into(view))
        finally:
            self.deadline = NEVER

    def send(self, data: bytes, until: float) -> None:
        """Send all of `data`. Raises DeadlineExceeded, OSError."""
        self.deadline = until
        try:
            self.sock.sendall(data)
        finally:
            self.deadline = NEVER


def yield_to_others() -> None:
    """Let other greenlets run: reading buffered bytes never waits or yields."""
    # After sleep(0) the hub runs up to fifty rounds before it looks at its sockets.
    gevent.sleep(1e-9)
