"""Sends one reply: pywsgi runs the WSGI application, this module writes to the wire.

Also answers requests that never reach the application, with the contract's JSON.
Neither these answers nor the log repeat anything that the client sent.
"""

import logging
import re
import secrets
import time
from http import HTTPStatus
from typing import Any

import orjson
from gevent.pywsgi import WSGIHandler, format_date_time

from .. import errors
from ..errors import FacenalityError
from .body import Body
from .parser import Head
from .protocol import HTTPServer
from .stream import DeadlineExceeded, Stream

log = logging.getLogger(__name__)

_ORIGIN = re.compile(
    rb"\r\norigin:[ \t]*([!-~]{1,256})[ \t]*(?=\r\n|\Z)", re.IGNORECASE
)
_WHAT = {408: "a slow request", 500: "a request", 503: "a connection"}


def refusal(
    error: FacenalityError, origins: tuple[str, ...], seen: bytes = b""
) -> bytes:
    """A complete error reply; `seen` is what was received of the request's head."""
    token = secrets.token_hex(16)
    what = _WHAT.get(error.status, "a malformed request")
    log.info("%s was refused: %d %s id=%s", what, error.status, error.code, token)
    text = orjson.dumps(errors.body(error, token))
    fields = {
        "Date": format_date_time(time.time()).decode(),
        "Content-Type": "application/json",
        "Content-Length": str(len(text)),
        "Connection": "close",
        "X-Request-ID": token,
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
        # The route is not always known, so every refusal has the CORS headers.
        **dict(errors.cross_origin(origins, _origin(seen))),
    }
    if error.retry_after is not None:
        fields["Retry-After"] = errors.retry_after(error)
    lines = [f"{name}: {value}\r\n" for name, value in fields.items()]
    phrase = HTTPStatus(error.status).phrase
    head = f"HTTP/1.1 {error.status} {phrase}\r\n{''.join(lines)}\r\n"
    return head.encode("ascii") + text


def _origin(seen: bytes) -> str:
    """The Origin header in `seen`, or an empty string."""
    match = _ORIGIN.search(seen)
    return match[1].decode("ascii") if match else ""


# Headers and body of a reply up to this size are sent in one packet.
SMALL = 16 * 1024

_LENGTHS = {b"content-length", b"transfer-encoding"}


class Reply(WSGIHandler):
    """pywsgi's handler for one request, without its handling of connections."""

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

    def run(self, application: Any, environ: dict[str, Any]) -> None:
        """Let `application` answer; `close_connection` then says whether to close.

        Raises DeadlineExceeded or OSError if the client does not read the reply.
        """
        self.environ, self.application = environ, application
        try:
            self.run_application()
        except (OSError, DeadlineExceeded):
            raise
        except Exception as error:
            log.error("the application failed", exc_info=error)
            self.close_connection = True
            if not self.headers_sent:
                failed = FacenalityError("The server failed on this request.")
                self._sendall(refusal(failed, ()))

    def finalize_headers(self) -> None:
        """Add Date, the length, and a Connection header if needed."""
        super().finalize_headers()
        body = self.wsgi_input
        body.expects_100 = False  # it is too late for it: this is the final reply
        named = {name.lower() for name, _ in self.response_headers}
        if self.command == "HEAD":
            self.response_use_chunked = False
        elif not named & _LENGTHS and self.code not in (204, 304):
            self.close_connection = True  # the end of the connection ends the reply
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
        """Send, within the body timeout: a client that does not read must not stay."""
        if not self._until:
            self._until = time.monotonic() + self.server.limits.body_timeout
        self.stream.send(data, self._until)
        self.response_length += len(data)
