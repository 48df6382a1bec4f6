"""A connection's bytes in order, and the moment by which they must have moved."""

import math
import time
from typing import Any

import gevent

NEVER = math.inf

# One read of the socket; the largest record of TLS is 16 KiB.
RECEIVE = 16 * 1024


class DeadlineExceeded(Exception):
    """The deadline passed while the stream waited for its socket."""


class Stream:
    """`head_until` bounds handshake and head; `deadline` what is waited for now."""

    __slots__ = ("_at", "_data", "deadline", "greenlet", "head_until", "idle", "sock")

    def __init__(self, sock: Any, head_timeout: float) -> None:
        self.sock = sock
        self.head_until = time.monotonic() + head_timeout
        self.deadline = NEVER
        self.greenlet: Any = None  # that reads and writes
        self.idle = False  # waiting for the first byte of a request
        self._data = b""
        self._at = 0

    def interrupt(self) -> None:
        """Raise Late where the stream waits; to be called in the hub."""
        self.greenlet.throw(DeadlineExceeded())

    def shorten_deadline(self, seconds: float) -> None:
        """A handshake or head that is on its way has at most `seconds` left."""
        soon = time.monotonic() + seconds
        if self.deadline == self.head_until != NEVER:
            self.deadline = min(self.deadline, soon)
        self.head_until = min(self.head_until, soon)

    @property
    def waiting(self) -> int:
        """How many bytes have been received and not taken."""
        return len(self._data) - self._at

    def look(self) -> bytes:
        """The bytes that have been received and not taken."""
        if self._at:
            self._data, self._at = self._data[self._at :], 0
        return self._data

    def fill(self, until: float) -> bool:
        """Receive some more; False at the end. Raises DeadlineExceeded, OSError."""
        self.deadline = until
        try:
            more = self.sock.recv(RECEIVE)
        finally:
            self.deadline = NEVER
        self._data = self.look() + more
        return bool(more)

    def take(self, count: int) -> bytes:
        """The next `count` bytes at most, of those that wait."""
        taken = self._data[self._at : self._at + count]
        self._at += len(taken)
        return taken

    def find(self, what: bytes, most: int) -> int:
        """Where `what` is among the next `most` bytes, or -1."""
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
    """Where bytes are there gevent does not wait, and a fast client keeps the hub."""
    # sleep(0) goes round fifty times before the hub looks at its sockets.
    gevent.sleep(1e-9)
