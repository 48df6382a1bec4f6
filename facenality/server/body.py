"""`wsgi.input`: a request's body, with a Content-Length or chunked.

Chunked bodies follow RFC 9112, section 7.1; every part of one has a size limit.

size [;name=value]... CRLF  bytes CRLF  ...  0 CRLF  [trailer CRLF]...  CRLF
"""

import io
import re
import time
from abc import abstractmethod
from typing import Any

from ..errors import FacenalityError, Malformed, TooLarge, TooSlow
from .parser import read_field
from .stream import DeadlineExceeded, Stream, yield_to_others
from .timeouts import Limits

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Body(io.RawIOBase):
    """What all bodies share: a deadline, 100 (Continue), and an error that stays."""

    def __init__(self, stream: Stream, limits: Limits, *, expects_100: bool) -> None:
        super().__init__()
        self._stream = stream
        self._limits = limits
        self._until: float | None = None
        self._error: FacenalityError | None = None
        self.expects_100 = expects_100
        self.complete = False

    def readable(self) -> bool:
        """True: every body can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read some bytes; 0 at the end. Raises TooSlow, TooLarge, Malformed."""
        if self._error:
            raise self._error
        if self.complete:
            return 0
        try:
            self._begin()
            return self._read(memoryview(buffer))
        except DeadlineExceeded:
            self._error = TooSlow(
                "The body took longer than "
                f"{self._limits.body_timeout:g} s to arrive; send a smaller body or "
                "send it faster.",
                code="body_timeout",
            )
        except FacenalityError as error:
            self._error = error
        raise self._error

    def _begin(self) -> None:
        """Start the clock and tell the client to send, at the first read."""
        if self._until is not None:
            return
        self._until = time.monotonic() + self._limits.body_timeout
        if self.expects_100 and not self._stream.waiting:
            self._stream.send(_CONTINUE, self._until)
        self.expects_100 = False

    @abstractmethod
    def _read(self, view: memoryview) -> int:
        """Read some bytes into `view`; 0 at the end. May set `complete`."""

    def _receive(self, view: memoryview) -> int:
        """Read at least one byte of the stream into `view`."""
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
    """The client closed the connection before it had sent the whole body."""
    return Malformed("The body ended before its declared length.")


MAX_LINE_BYTES = 1024
MAX_TRAILERS = 32

# Everything besides the content: sizes, extensions, trailers.
MAX_FRAMING_BYTES = 1024 * 1024

_TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_QUOTED = rb'"(?:[\t !#-\[\]-~\x80-\xff]|\\[\t -~\x80-\xff])*"'
_EXTENSION = rb";[ \t]*" + _TOKEN + rb"(?:=(?:" + _TOKEN + rb"|" + _QUOTED + rb"))?"
_SIZE = re.compile(rb"([0-9A-Fa-f]{1,16})(?:[ \t]*" + _EXTENSION + rb")*")


class ChunkedBody(Body):
    """A chunked body of at most `max_body_bytes`."""

    _left = 0  # bytes of the current chunk
    _total = 0
    _framing = 0
    _begun = False

    def _read(self, view: memoryview) -> int:
        if not self._left and not self._next_chunk():
            return 0
        count = self._receive(view[: self._left])
        self._left -= count
        return count

    def _next_chunk(self) -> bool:
        """Enter the next chunk; False after the last one and its trailers."""
        if self._begun and self._line():
            raise Malformed("A chunk is longer than its size says.")
        self._begun = True
        match = _SIZE.fullmatch(self._line())
        if not match:
            raise Malformed("The size line of a chunk is malformed.")
        self._left = int(match[1], 16)
        self._total += self._left
        if self._total > self._limits.max_body_bytes:
            raise TooLarge(
                f"The body is larger than {self._limits.max_body_bytes / 2**20:.0f} "
                "MiB; send a smaller one."
            )
        if not self._left:
            self._skip_trailers()
            self.complete = True
        return not self.complete

    def _skip_trailers(self) -> None:
        for _ in range(MAX_TRAILERS + 1):
            line = self._line()
            if not line:
                return
            read_field(line)
        raise Malformed(f"The body has more than {MAX_TRAILERS} trailers.")

    def _line(self) -> bytes:
        """The next line between the chunks, without its CRLF."""
        while (end := self._stream.find(b"\n", MAX_LINE_BYTES)) < 0:
            if self._stream.waiting >= MAX_LINE_BYTES:
                raise Malformed(
                    f"A chunk's size line is longer than {MAX_LINE_BYTES} bytes."
                )
            yield_to_others()
            if not self._stream.fill(self._until or 0.0):
                raise ended_early()
        line = self._stream.take(end + 1)
        self._framing += len(line)
        if self._framing > MAX_FRAMING_BYTES:
            raise TooLarge("The body has too many chunks; send larger ones.")
        if line[-2:] != b"\r\n":
            raise Malformed("A chunk's size line ends without a carriage return.")
        return line[:-2]
