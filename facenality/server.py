"""gevent's pywsgi, made to drain: SIGTERM finishes what is in flight and loses nothing.

pywsgi by itself kills or forgets running requests when it stops, and reads a refused
body to its end however long it is. The handlers are therefore tracked, idle connections
are closed when the server drains, and of a body that nobody read at most a little is
drained.
"""

import logging
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import gevent
from gevent import monkey
from gevent.event import Event
from gevent.pywsgi import Input, WSGIHandler, WSGIServer

from .connection import SOCKET, peek
from .errors import WrongSetting

log = logging.getLogger(__name__)


# Enough that a client still sending reads the refusal before the reset that follows.
DRAIN_BYTES = 1024 * 1024
DRAIN_SECONDS = 2.0

# A connection accepted just before the drain may have its request still on the way.
FIRST_REQUEST_SECONDS = 1.0


def refuse_monkey_patching() -> None:
    """TensorFlow's threads die in a process whose threading gevent has patched."""
    if monkey.is_anything_patched():
        raise WrongSetting(
            "gevent.monkey has patched this process, and TensorFlow does not work in "
            "it; start app.py by itself, or under a worker that does not patch"
        )


class BoundedInput(Input):
    """A body of which at most DRAIN_BYTES are read for nobody."""

    __slots__ = ()

    def unread(self) -> bool:
        """Whether bytes of this body may still be on the way."""
        if self.chunked_input:
            return bool(self.chunk_length != 0)
        return bool(self.position < (self.content_length or 0))

    def _discard(self) -> None:
        if self._chunked_input_error:
            return  # the connection closes; nobody can say where the body ends
        self.send_100_continue_enabled = False  # type: ignore[misc]  # a slot of Input's
        with gevent.Timeout(DRAIN_SECONDS, False):
            left = DRAIN_BYTES
            while left > 0 and self.unread():
                read = self.read(min(left, 16384))
                if not read:
                    break
                left -= len(read)


class Handler(WSGIHandler):
    """One connection; knows whether it is in the middle of a request."""

    wsgi_input: Any
    busy = False
    served = 0

    def handle(self) -> None:
        """Serve requests until the connection closes."""
        # pywsgi writes head and body apart: with Nagle's algorithm a small reply would
        # wait 40 ms for the client's delayed acknowledgement of its head.
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.server.opened(self)
        try:
            super().handle()
        finally:
            self.server.closed_one(self)

    def log_error(self, *_: object) -> None:
        """Through our own log, without the client's words: a path may hold a token."""
        log.info("a malformed request was refused")

    def read_requestline(self) -> bytes:
        """A request begins when its first line is there."""
        line: bytes = super().read_requestline()
        self.busy = bool(line)
        return line

    def get_environ(self) -> dict[str, Any]:
        """The WSGI environ, with a bounded body and the connection itself."""
        environ: dict[str, Any] = super().get_environ()
        body = self.wsgi_input
        self.wsgi_input = environ["wsgi.input"] = BoundedInput(
            body.rfile, body.content_length, body.socket, body.chunked_input
        )
        environ[SOCKET] = self.socket
        return environ

    def handle_one_response(self) -> None:
        """Answer; then the connection is idle again."""
        try:
            super().handle_one_response()
        finally:
            self.busy = False
            self.served += 1
            if self.server.draining:  # also where the reply promised to keep it
                self.close_connection = True

    def has_bytes(self) -> bool:
        """Whether a request has begun to arrive that nobody has read yet."""
        try:
            return bool(peek(self.socket))
        except OSError:
            return False

    def finalize_headers(self) -> None:
        """Close after this answer when draining, or when its body was not read."""
        super().finalize_headers()
        if self.server.draining or self.wsgi_input.unread():
            self.close_connection = True
            self.response_headers.append((b"Connection", b"close"))


class Server(WSGIServer):
    """Serves `application` until SIGTERM, then drains."""

    handler_class = Handler

    def __init__(self, host: str, port: int, application: Callable[..., Any]) -> None:
        # SERVER_NAME: without it pywsgi asks the DNS for this machine's name.
        super().__init__(
            (host, port), application, log=None, environ={"SERVER_NAME": host}
        )
        self.draining = False
        self._handlers: set[Handler] = set()
        self._empty = Event()

    def listen(self) -> None:
        """Accept connections. Raises WrongSetting where host and port cannot be had."""
        try:
            self.start()
        except OSError as error:
            raise WrongSetting(
                f"cannot listen on {self.address[0]} port {self.address[1]}: "
                f"{error.strerror}; choose another --port or --host"
            ) from None

    def opened(self, handler: Handler) -> None:
        """A connection has come."""
        self._handlers.add(handler)

    def closed_one(self, handler: Handler) -> None:
        """A connection has gone."""
        self._handlers.discard(handler)
        if not self._handlers:
            self._empty.set()

    def drain(self, timeout: float) -> bool:
        """Take no more connections, finish what is in flight; whether all was."""
        self.draining = True
        self._do_read()  # what the kernel has accepted for us is ours to answer
        self.close()
        gevent.sleep(0)  # their handlers begin
        started = time.monotonic()
        self._hang_up(lambda handler: handler.served > 0)
        if self._gone(min(timeout, FIRST_REQUEST_SECONDS)):
            return True
        self._hang_up(lambda _: True)
        return self._gone(timeout - (time.monotonic() - started))

    def _hang_up(self, chosen: Callable[[Handler], bool]) -> None:
        """End idle connections: bytes that are there are still read, then comes EOF."""
        idle = [h for h in self._handlers if not h.busy and not h.has_bytes()]
        for handler in filter(chosen, idle):
            with suppress(OSError):  # the client was faster
                handler.socket.shutdown(socket.SHUT_RD)

    def _gone(self, timeout: float) -> bool:
        self._empty.clear()
        return not self._handlers or self._empty.wait(max(0.0, timeout)) is True
