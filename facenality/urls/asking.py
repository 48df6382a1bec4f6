"""One GET: the image's bytes, or where a redirect leads; all of it bounded.

http.client reads the reply, through a `Wire` that counts. Its leniencies (bare line
feeds, odd chunk sizes) are harmless here: a connection is used for one reply only.
"""

import io
from dataclasses import dataclass
from http.client import HTTPResponse
from typing import Any

import gevent

from .. import __version__
from .connecting import Socket
from .refusal import Refused
from .target import Target

CHUNK = 16 * 1024
# Heads, chunk sizes and trailers, all together. 15 MiB in chunks of 2 KiB need 60 KB.
OVERHEAD = 64 * 1024
REDIRECTS = (301, 302, 303, 307, 308)


@dataclass(frozen=True)
class Redirect:
    """Not here; the Location as the server wrote it."""

    location: str


class Wire(io.RawIOBase):
    """Bytes as they come from `sock`, at most OVERHEAD more than are granted."""

    def __init__(self, sock: Socket) -> None:
        self._sock = sock
        self._left = OVERHEAD

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """What is there, at least a byte; 0 at the end. Raises Refused, OSError."""
        if self._left <= 0:
            raise Refused("its head or its chunks are larger than allowed")
        # A server that is always faster than we are would keep the hub to itself.
        gevent.sleep(0)
        read: int = self._sock.recv_into(memoryview(buffer)[:CHUNK])
        self._left -= read
        return read

    def grant(self, count: int) -> None:
        """So many bytes are the body's own."""
        self._left += count

    def makefile(self, mode: str) -> io.BufferedReader:  # noqa: ARG002  always "rb"
        """The name by which http.client asks a socket for a file."""
        return io.BufferedReader(self)


def ask(sock: Socket, target: Target, most: int) -> bytes | Redirect:
    """GET `target` over `sock`; at most `most` bytes.

    Raises Refused, OSError, HTTPException, ValueError.
    """
    sock.sendall(_request(target))
    wire = Wire(sock)
    # A socket by what http.client uses of it.
    with HTTPResponse(wire, method="GET") as reply:  # type: ignore[arg-type]
        reply.begin()
        if reply.status in REDIRECTS:
            return Redirect(reply.headers.get("Location", ""))
        _check(reply, most)
        return _body(reply, wire, most)


def _request(target: Target) -> bytes:
    lines = (
        f"GET {target.path} HTTP/1.1",
        f"Host: {target.authority}",
        f"User-Agent: facenality/{__version__}",
        "Accept: image/*",
        "Accept-Encoding: identity",
        "Connection: close",
    )
    return "".join(f"{line}\r\n" for line in (*lines, "")).encode("ascii")


def _check(reply: HTTPResponse, most: int) -> None:
    """Refuse by the head what would not be taken anyway."""
    if reply.status != 200:
        raise Refused(f"its server answered {reply.status}")
    if reply.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise Refused("a content-encoding, which was not asked for")
    if reply.length is not None and reply.length > most:
        raise Refused(f"more than {most} bytes, as its server says")


def _body(reply: HTTPResponse, wire: Wire, most: int) -> bytes:
    if reply.length is not None:  # known, checked, and read into its place at once
        wire.grant(reply.length)
        return reply.read()
    body = bytearray()
    while chunk := reply.read(CHUNK):
        wire.grant(len(chunk))
        body += chunk
        if len(body) > most:
            raise Refused(f"more than {most} bytes")
    return bytes(body)
