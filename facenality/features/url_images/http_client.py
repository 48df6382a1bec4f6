"""Sends one GET to a checked address; returns the bytes or a redirect, within limits.

http.client reads the reply through a `Wire` that counts bytes. Its leniency (bare line
feeds, odd chunk sizes) does no harm: a connection is used for one reply only.
"""

import io
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPResponse
from ipaddress import ip_address
from typing import Any

import gevent
from gevent import socket
from gevent.ssl import SSLContext

from ... import __version__
from .policy import Refused, Target

# For each address of a host, since the first may be dead; the fetch has a deadline too.
CONNECT_SECONDS = 3.0
MAX_ADDRESSES = 4

Socket = Any  # gevent's sockets carry no types
Dial = Callable[[str, int], Socket]


def trusting_the_system() -> SSLContext:
    """A TLS context that trusts the system's certificates (or SSL_CERT_FILE)."""
    context = SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_default_certs()
    return context


def dial(address: str, port: int) -> Socket:
    """A TCP connection to the numeric `address`. Raises OSError."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.settimeout(CONNECT_SECONDS)
        sock.connect((address, port))
        sock.settimeout(None)
    except BaseException:  # also if the greenlet is killed meanwhile
        sock.close()
        raise
    return sock


@contextmanager
def connected(
    target: Target, addresses: Sequence[str], tls: SSLContext, dial: Dial
) -> Iterator[Socket]:
    """A connection to `target` at one of `addresses`. Raises Refused, OSError."""
    with _first(addresses[:MAX_ADDRESSES], target.port, dial) as sock:
        _assert_peer(sock, addresses)
        if not target.secure:
            yield sock
            return
        # The host name, not the address, must match the certificate.
        with tls.wrap_socket(
            sock, server_hostname=target.host, do_handshake_on_connect=False
        ) as secured:
            secured.do_handshake()
            yield secured


def _first(addresses: Sequence[str], port: int, dial: Dial) -> Socket:
    """Connect to the first address that answers. Raises the last one's OSError."""
    for address in addresses[:-1]:
        try:
            return dial(address, port)
        except OSError:
            continue
    return dial(addresses[-1], port)


def _assert_peer(sock: Socket, addresses: Sequence[str]) -> None:
    """Raise Refused if the kernel's rules, or a bug, led to another address."""
    peer = ip_address(sock.getpeername()[0])
    if peer not in map(ip_address, addresses):
        raise Refused("the connection leads to another address")


CHUNK = 16 * 1024
# Limit for headers, chunk sizes and trailers. 15 MiB in chunks of 2 KiB need 60 KB.
OVERHEAD = 64 * 1024
REDIRECTS = (301, 302, 303, 307, 308)


@dataclass(frozen=True)
class Redirect:
    """A redirect to `location`, as the server wrote it."""

    location: str


class Wire(io.RawIOBase):
    """Reads from `sock`, at most OVERHEAD bytes more than were granted."""

    def __init__(self, sock: Socket) -> None:
        self._sock = sock
        self._left = OVERHEAD

    def readable(self) -> bool:
        """True: it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read at least one byte; 0 at the end. Raises Refused, OSError."""
        if self._left <= 0:
            raise Refused("its headers or its chunks are larger than allowed")
        # A server that sends faster than we read would otherwise block the hub.
        gevent.sleep(0)
        read: int = self._sock.recv_into(memoryview(buffer)[:CHUNK])
        self._left -= read
        return read

    def grant(self, count: int) -> None:
        """Allow `count` more bytes, which belong to the body."""
        self._left += count

    def makefile(self, mode: str) -> io.BufferedReader:  # noqa: ARG002  always "rb"
        """The reader for http.client, which calls this method of a socket."""
        return io.BufferedReader(self)


def ask(sock: Socket, target: Target, most: int) -> bytes | Redirect:
    """GET `target` over `sock`; at most `most` bytes.

    Raises Refused, OSError, HTTPException, ValueError.
    """
    sock.sendall(_request(target))
    wire = Wire(sock)
    # A Wire has what http.client uses of a socket.
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
    """Raise Refused if status or headers show that the body cannot be used."""
    if reply.status != 200:
        raise Refused(f"its server answered {reply.status}")
    if reply.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise Refused("its server used a content encoding that was not requested")
    if reply.length is not None and reply.length > most:
        raise Refused(f"more than {most} bytes, as its server says")


def _body(reply: HTTPResponse, wire: Wire, most: int) -> bytes:
    if reply.length is not None:  # checked already, so it can be read at once
        wire.grant(reply.length)
        return reply.read()
    body = bytearray()
    while chunk := reply.read(CHUNK):
        wire.grant(len(chunk))
        body += chunk
        if len(body) > most:
            raise Refused(f"more than {most} bytes")
    return bytes(body)
