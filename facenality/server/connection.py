"""One connection, from the TLS handshake to the close: requests in, replies out."""

import logging
import socket
import time
from collections.abc import Callable
from typing import Any

from ..errors import FacenalityError, TooManyConnections
from . import sockets
from .body import Body, ChunkedBody, CountedBody
from .parser import Head, read_head
from .protocol import HTTPServer
from .request import environ_of, next_head
from .response import Reply, refusal
from .sockets import SOCKET, has_bytes
from .stream import NEVER, DeadlineExceeded, Stream

log = logging.getLogger(__name__)

# A refusal is small; a client that does not receive it in this time does not get it.
REFUSAL_SECONDS = 2.0


class Handler:
    """Serves one connection; `excess`: there are too many, so it only gets a 503."""

    def __init__(
        self, sock: Any, address: Any, server: HTTPServer, *, excess: bool
    ) -> None:
        self.stream = Stream(sock, server.limits.head_timeout)
        self.idle_since = time.monotonic()
        self._first = True
        self._server = server
        self._address = address
        self._excess = excess
        self._unread = False  # the client may still be sending

    def handle(self) -> None:
        """Serve requests until the connection closes."""
        try:
            # With Nagle's algorithm the end of a large reply would wait 40 ms for the
            # client's delayed acknowledgement.
            self.stream.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._secure():
                self._serve()
        except DeadlineExceeded:
            sockets.reset(self.stream.sock)  # the client does not read the reply
        except OSError:
            pass  # the client has gone
        finally:
            sock, waiting = self.stream.sock, self.stream.waiting
            unread = self._unread or waiting > 0 or has_bytes(sock)
            sockets.close(sock, unread=unread)
            self._server.closed_one(self)

    def _secure(self) -> bool:
        """Do the TLS handshake, if any; it counts towards the first head's timeout."""
        if not self._server.tls:
            return True
        stream = self.stream
        stream.deadline = stream.head_until
        try:
            stream.sock = self._server.tls.wrap(stream.sock)
            stream.sock.do_handshake()
        except (OSError, DeadlineExceeded):
            log.info("a TLS handshake failed")
            self._server.on_refused(None, "tls")
            return False
        finally:
            stream.deadline = NEVER
        return True

    def _serve(self) -> None:
        seen: bytes | None = b""
        try:
            if self._excess:
                raise TooManyConnections(
                    "The server has too many connections; try again later."
                )
            while True:
                seen = next_head(self.stream, self._server.limits, first=self._first)
                if not seen or not self._answer(read_head(seen)):
                    return
        except FacenalityError as error:
            self._refuse(error, seen or self.stream.look())

    def _answer(self, head: Head) -> bool:
        """Let the application answer; True if another request may follow."""
        server, body = self._server, self._body(head)
        reply = Reply(self.stream, head, body, server)
        application = (
            _server_options if head.target.path == b"*" else server.application
        )
        try:
            reply.run(application, environ_of(head, self._base_environ(body)))
        finally:
            self._unread = not body.complete
        self._first, self.idle_since = False, time.monotonic()
        return not (reply.close_connection or self._unread or server.draining)

    def _base_environ(self, body: Body) -> dict[str, Any]:
        server: dict[str, Any] = self._server.environ
        return server | {
            "REMOTE_ADDR": str(self._address[0]),
            "REMOTE_PORT": str(self._address[1]),
            "wsgi.input": body,
            "wsgi.input_terminated": True,
            SOCKET: self.stream.sock,
        }

    def _body(self, head: Head) -> Body:
        length, _, expects_100 = head.framing
        limits = self._server.limits
        if length is None:
            return ChunkedBody(self.stream, limits, expects_100=expects_100)
        return CountedBody(self.stream, limits, length, expects_100=expects_100)

    def _refuse(self, error: FacenalityError, seen: bytes) -> None:
        """Answer and close: it is unclear where the next request would begin."""
        self._unread = True
        self._server.on_refused(error.status, error.code)
        reply = refusal(error, self._server.origins, seen)
        self.stream.send(reply, time.monotonic() + REFUSAL_SECONDS)


def _server_options(
    _: dict[str, Any], start_response: Callable[..., Any]
) -> list[bytes]:
    """OPTIONS *: the methods of the server as a whole (RFC 9110, section 9.3.7)."""
    start_response("204 No Content", [("Allow", "GET, HEAD, POST, OPTIONS")])
    return []
