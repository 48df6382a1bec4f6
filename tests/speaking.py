"""Our server in this process with a small application, and raw bytes to speak to it."""

import re
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import gevent
from gevent import socket

from facenality.errors import FacenalityError
from facenality.server import Limits, Server

QUICK = Limits(head_timeout=0.3, idle_timeout=0.3, body_timeout=0.3)


@dataclass
class Spoken:
    """A server, and the requests that its application saw: method, path, body."""

    seen: list[tuple[str, str, bytes]] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    environ: dict = field(default_factory=dict)
    server: Server = None

    def application(self, environ, start_response):
        """Reads the body, unless the path says otherwise, and sends it back."""
        self.environ = environ
        path = environ["PATH_INFO"]
        text = [("Content-Type", "text/plain")]
        if query := environ["QUERY_STRING"]:
            path += "?" + query
        if path == "/unread":
            start_response("404 Not Found", text)
            return [b"no"]
        try:
            body = environ["wsgi.input"].read()
        except FacenalityError as error:
            start_response(f"{error.status} Refused", text)
            return [error.code.encode()]
        self.seen.append((environ["REQUEST_METHOD"], path, body))
        start_response("200 OK", text)
        if path == "/large":
            return [bytes(50_000_000)]
        if path == "/streamed":
            return iter([b"one", b"", b"two"])
        if path == "/fails":
            raise ZeroDivisionError
        return [b"got " + body]

    def connect(self, data: bytes = b"") -> socket.socket:
        """A new connection, with `data` sent on it."""
        sock = socket.create_connection(("127.0.0.1", self.server.server_port), 20)
        sock.sendall(data)
        return sock

    def ask(self, data: bytes) -> bytes:
        """All that comes back for `data`, whose sender then sends no more."""
        with self.connect() as sock:
            with suppress(OSError):  # refused before all of it was sent
                sock.sendall(data)
                sock.shutdown(socket.SHUT_WR)
            return read_all(sock)


@contextmanager
def speaking(limits: Limits | None = None, **more):
    """A listening server."""
    spoken = Spoken()
    spoken.server = Server(("127.0.0.1", 0), spoken.application, limits, **more)
    spoken.server.on_refused = lambda _, reason: spoken.refused.append(reason)
    spoken.server.listen()
    try:
        yield spoken
    finally:
        spoken.server.drain(0)


def read_all(sock, seconds: float = 20) -> bytes:
    """Until the end, or the reset."""
    parts = []
    with suppress(ConnectionResetError), gevent.Timeout(seconds):
        while part := sock.recv(65536):
            parts.append(part)
    return b"".join(parts)


def statuses(replies: bytes) -> list[int]:
    """The status of each reply in `replies`."""
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", replies)]
