"""`wsgi.input`: a request's body, which ends where its framing says."""

import io
import time
from abc import abstractmethod
from typing import Any

from ..errors import FacenalityError, Malformed, TooSlow
from .limits import Limits
from .stream import Late, Stream

_GO_AHEAD = b"HTTP/1.1 100 Continue\r\n\r\n"


class Body(io.RawIOBase):
    """What all bodies share: one deadline, the 100 (Continue), one error for good."""

    def __init__(self, stream: Stream, limits: Limits, *, expects_100: bool) -> None:
        super().__init__()
        self._stream = stream
        self._limits = limits
        self._until: float | None = None
        self._error: FacenalityError | None = None
        self.expects_100 = expects_100
        self.complete = False

    def readable(self) -> bool:
        """As every body is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Some bytes of the body; 0 at its end. Raises TooSlow, TooLarge, Malformed."""
        if self._error:
            raise self._error
        if self.complete:
            return 0
        try:
            self._begin()
            return self._read(memoryview(buffer))
        except Late:
            self._error = TooSlow(
                "The body took longer than "
                f"{self._limits.body_timeout:g} s to arrive; send less or faster.",
                code="body_timeout",
            )
        except FacenalityError as error:
            self._error = error
        raise self._error

    def _begin(self) -> None:
        """The clock starts, and the client is told to send, when somebody reads."""
        if self._until is not None:
            return
        self._until = time.monotonic() + self._limits.body_timeout
        if self.expects_100 and not self._stream.waiting:
            self._stream.send(_GO_AHEAD, self._until)
        self.expects_100 = False

    @abstractmethod
    def _read(self, view: memoryview) -> int:
        """Some bytes into `view`; 0 at the end. May set `complete`."""

    def _receive(self, view: memoryview) -> int:
        """Bytes of the stream into `view`, at least one."""
        count = self._stream.read_into(view, self._until or 0.0)
        if not count and len(view):
            raise ended_early()
        return count


class CountedBody(Body):
    """A body of `length` bytes."""

    def __init__(
        self, stream: Stream, limits: Limits, length: int, *, expects_100: bool
    ) -> None:
        super().__init__(stream, limits, expects_100=expects_100)
        self._left = length
        self.complete = not length

    def _read(self, view: memoryview) -> int:
        count = self._receive(view[: self._left])
        self._left -= count
        self.complete = not self._left
        return count


def ended_early() -> Malformed:
    """The client has closed before its body was there."""
    return Malformed("The body ended before its framing said so.")
