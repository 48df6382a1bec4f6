"""One reply, by pywsgi's rules for WSGI applications and ours for the wire."""

import logging
import time
from typing import Any

from gevent.pywsgi import WSGIHandler

from ..errors import FacenalityError
from .body import Body
from .head import Head
from .protocol import HTTPServer
from .refusals import refusal
from .stream import Late, Stream

log = logging.getLogger(__name__)

# Head and body of a reply up to this size leave in one packet.
SMALL = 16 * 1024

_LENGTHS = {b"content-length", b"transfer-encoding"}


class Reply(WSGIHandler):
    """pywsgi's handler for one request, without all that it does to a connection."""

    code = 0
    response_headers: list[tuple[bytes, bytes]]

    def __init__(
        self, stream: Stream, head: Head, body: Body, server: HTTPServer
    ) -> None:
        self.stream = stream
        self.command, self.request_version = head.method, head.version
        self.close_connection = not head.framing.keep
        self.wsgi_input = body
        self.server = server
        self._until = 0.0

    def give(self, application: Any, environ: dict[str, Any]) -> None:
        """Let `application` answer; then `close_connection` is whether it was the last.

        Raises Late or OSError where the client does not take the reply.
        """
        self.environ, self.application = environ, application
        try:
            self.run_application()
        except (OSError, Late):
            raise
        except Exception as error:
            log.error("the application failed", exc_info=error)
            self.close_connection = True
            if not self.headers_sent:
                failed = FacenalityError("The server failed on this request.")
                self._sendall(refusal(failed, ()))

    def finalize_headers(self) -> None:
        """Date, the length, and one Connection field where it is needed."""
        super().finalize_headers()
        body = self.wsgi_input
        body.expects_100 = False  # too late: this is the answer
        named = {name.lower() for name, _ in self.response_headers}
        if self.command == "HEAD":
            self.response_use_chunked = False
        elif not named & _LENGTHS and self.code not in (204, 304):
            self.close_connection = True  # it ends where the connection does
        if self.server.draining or not body.complete:
            self.close_connection = True
        if b"connection" in named:
            self.response_headers = [
                field
                for field in self.response_headers
                if field[0].lower() != b"connection"
            ]
        if self.close_connection:
            self.response_headers.append((b"Connection", b"close"))
        elif self.request_version == "HTTP/1.0":
            self.response_headers.append((b"Connection", b"keep-alive"))

    def _write_with_headers(self, data: bytes) -> None:
        self.headers_sent = True
        self.finalize_headers()
        lines = [b"%b: %b\r\n" % field for field in self.response_headers]
        head = b"HTTP/1.1 %b\r\n%b\r\n" % (self.status, b"".join(lines))
        if self.response_use_chunked or self.command == "HEAD" or len(data) > SMALL:
            self._sendall(head)
            self._write(data)
        else:
            self._sendall(head + data)

    def _write(self, data: bytes) -> None:
        if self.command != "HEAD":
            super()._write(data)

    def _sendall(self, data: bytes) -> None:
        """A reply has as long as a body: a client that does not read must not stay."""
        if not self._until:
            self._until = time.monotonic() + self.server.limits.body_timeout
        self.stream.send(data, self._until)
        self.response_length += len(data)
