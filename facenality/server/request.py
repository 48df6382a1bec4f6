"""Receives a request's head within its limits, and makes the WSGI environ from it."""

import re
import time
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

from ..errors import HeadTooLarge, Malformed, TooSlow
from .parser import FIRST_BYTE, MAX_HEAD_BYTES, Head
from .sockets import has_bytes
from .stream import DeadlineExceeded, Stream, yield_to_others
from .timeouts import Limits

_END = b"\r\n\r\n"
_BARE_LF = re.compile(rb"(?<!\r)\n")


def next_head(stream: Stream, limits: Limits, *, first: bool) -> bytes | None:
    """The next head without its empty line; None if the client sends none.

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
    """Wait for the first byte; True if it came.

    Other connections go first, however fast this client is. A connection that stays
    idle is closed without a reply, which the client would take for the answer to its
    next request.
    """
    if not first:
        yield_to_others()
    if stream.waiting:
        return True
    stream.idle = True
    until = stream.head_until if first else time.monotonic() + limits.idle_timeout
    try:
        return stream.fill(until)
    except DeadlineExceeded:
        return has_bytes(stream.sock)  # they may have come at the last moment
    finally:
        stream.idle = False


def _fill(stream: Stream) -> None:
    try:
        if stream.fill(stream.head_until):
            return
    except DeadlineExceeded:
        raise TooSlow(
            "The request's headers took too long to arrive; send them at once.",
            code="head_timeout",
        ) from None
    raise Malformed("The connection ended within the request's headers.")


def _start(data: bytes) -> int:
    """Skip one empty line before a request (RFC 9112, section 2.2)."""
    return 2 if data[:2] == b"\r\n" else 0


def _end(data: bytes, seen: int) -> int | None:
    """Where the head ends; None if it is incomplete.

    Raises Malformed as early as possible, and HeadTooLarge.
    """
    start = _start(data)
    end = data.find(_END, max(start, seen - 3))
    head = data[start : end if end >= 0 else None]
    if len(head) > MAX_HEAD_BYTES:
        raise HeadTooLarge(
            f"The request's headers are larger than {MAX_HEAD_BYTES // 1024} KiB."
        )
    if head not in (b"", b"\r") and not FIRST_BYTE.match(head):
        raise Malformed("The request does not start with a method.")
    if end >= 0:
        return end
    if _BARE_LF.search(data, max(start, seen - 1)):
        raise Malformed("A line ends without a carriage return.")
    return None


_PLAIN = {b"content-type": "CONTENT_TYPE", b"content-length": "CONTENT_LENGTH"}


def environ_of(head: Head, base: dict[str, Any]) -> dict[str, Any]:
    """The WSGI environ (PEP 3333) of `head`, added to `base`.

    Repeated fields are joined by commas. Names with an underscore are left out: in the
    environ they would look the same as those with a hyphen.
    """
    target = head.target
    environ = base | {
        "REQUEST_METHOD": head.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote(target.path.decode("ascii"), "latin-1"),
        "QUERY_STRING": target.query.decode("ascii"),
        "SERVER_PROTOCOL": head.version,
    }
    for name, value in head.fields:
        if b"_" in name:
            continue
        key, text = _key(name), value.decode("latin-1")
        if key in environ and key != "CONTENT_LENGTH":
            text = environ[key] + ("; " if key == "HTTP_COOKIE" else ",") + text
        environ[key] = text
    if target.host is not None:
        environ["HTTP_HOST"] = target.host.decode("ascii")
    return environ


@lru_cache(maxsize=512)
def _key(name: bytes) -> str:
    plain = _PLAIN.get(name)
    return plain or "HTTP_" + name.decode("ascii").upper().replace("-", "_")
