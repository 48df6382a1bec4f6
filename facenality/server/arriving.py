"""Waiting for a request's head, no longer and no further than the limits allow."""

import re
import time

from ..connection import has_bytes
from ..errors import HeadTooLarge, Malformed, TooSlow
from .head import FIRST_BYTE, MAX_HEAD_BYTES
from .limits import Limits
from .stream import Late, Stream, yield_to_others

_END = b"\r\n\r\n"
_BARE_LF = re.compile(rb"(?<!\r)\n")


def next_head(stream: Stream, limits: Limits, *, first: bool) -> bytes | None:
    """The next head without its empty line; None where no request comes.

    Raises Malformed, HeadTooLarge, TooSlow, OSError.
    """
    if not _begins(stream, limits, first=first):
        return None
    if not first:
        stream.head_until = time.monotonic() + limits.head_timeout
    seen = 0
    while (end := _end(stream.look(), seen)) is None:
        seen = stream.waiting
        _fill(stream)
    data = stream.take(end + len(_END))
    return data[_start(data) : end]


def _begins(stream: Stream, limits: Limits, *, first: bool) -> bool:
    """Wait for the first byte; others go first, however fast this client is.

    A connection that stays idle is closed without a word: its client would take any for
    the answer to its next request.
    """
    if not first:
        yield_to_others()
    if stream.waiting:
        return True
    stream.idle = True
    until = stream.head_until if first else time.monotonic() + limits.idle_timeout
    try:
        return stream.fill(until)
    except Late:
        return has_bytes(stream.sock)  # just in time
    finally:
        stream.idle = False


def _fill(stream: Stream) -> None:
    try:
        if stream.fill(stream.head_until):
            return
    except Late:
        raise TooSlow(
            "The head of the request took too long; send it at once.",
            code="head_timeout",
        ) from None
    raise Malformed("The request ended within its head.")


def _start(data: bytes) -> int:
    """One empty line before a request is overlooked (RFC 9112, section 2.2)."""
    return 2 if data[:2] == b"\r\n" else 0


def _end(data: bytes, seen: int) -> int | None:
    """Where the head ends; None where it may still become one.

    Raises Malformed as early as it can be told, HeadTooLarge.
    """
    start = _start(data)
    end = data.find(_END, max(start, seen - 3))
    head = data[start : end if end >= 0 else None]
    if len(head) > MAX_HEAD_BYTES:
        raise HeadTooLarge(f"The head is larger than {MAX_HEAD_BYTES // 1024} KiB.")
    if head not in (b"", b"\r") and not FIRST_BYTE.match(head):
        raise Malformed("The request does not begin with a method.")
    if end >= 0:
        return end
    if _BARE_LF.search(data, max(start, seen - 1)):
        raise Malformed("A line ends without a carriage return.")
    return None
