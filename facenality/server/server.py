"""The listening server: accepts connections until SIGTERM, then drains.

pywsgi kills or forgets running requests when it stops. So this server handles the
connections itself: it counts them, watches them by one clock, and waits for them.
"""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import gevent
from gevent import monkey
from gevent.event import Event
from gevent.pywsgi import WSGIServer

from ..errors import InvalidSetting
from .connection import Handler
from .stream import Stream
from .timeouts import TOLD, Deadlines, Limits
from .tls import Tls

# The request of a connection accepted just before the drain may still be on its way,
# and a client that was just answered may be sending its next request.
LAST_REQUEST_SECONDS = 1.0


def refuse_monkey_patching() -> None:
    """Raise InvalidSetting if gevent patched this process: TensorFlow would crash."""
    if monkey.is_anything_patched():
        raise InvalidSetting(
            "gevent.monkey has patched this process, and TensorFlow does not work in a "
            "patched process; start app.py directly, or by a worker that does not patch"
        )


def _uncounted(_status: int | None, _reason: str) -> None:
    """Ignore refusals; the default for `Server.on_refused`."""


class Server(WSGIServer):
    """Serves `application` until SIGTERM, then drains.

    `listener` is host and port, or a listening gevent socket. `on_refused` is called
    for each refusal that the application does not see, with the status of the reply
    (None if the connection was just closed) and the error's code or "tls".
    """

    on_refused: Callable[[int | None, str], None] = staticmethod(_uncounted)

    def __init__(
        self,
        listener: Any,
        application: Callable[..., Any],
        limits: Limits | None = None,
        tls: Tls | None = None,
        origins: tuple[str, ...] = ("*",),
    ) -> None:
        self.tls = tls
        self.limits = limits or Limits()
        self.origins = origins
        self.draining = False
        self._handlers: set[Handler] = set()
        self._empty = Event()
        # Without SERVER_NAME pywsgi looks up this machine's name in the DNS.
        address = listener if isinstance(listener, tuple) else listener.getsockname()
        super().__init__(
            listener, application, log=None, environ={"SERVER_NAME": address[0]}
        )
        self._deadlines = Deadlines(self._streams)

    @property
    def ssl_enabled(self) -> bool:
        """True for https in the environ; the connection does the TLS itself."""
        return self.tls is not None

    def listen(self) -> None:
        """Accept connections. Raises InvalidSetting if the address cannot be used."""
        try:
            self.start()
        except OSError as error:
            raise InvalidSetting(
                f"cannot listen on {self.address[0]} port {self.address[1]}: "
                f"{error.strerror}; choose another --port or --host"
            ) from None

    def do_handle(self, sock: Any, address: Any) -> None:
        """Start a greenlet for a new connection, which serves it or refuses it."""
        excess = len(self._handlers) - self.limits.max_connections
        if excess >= TOLD:
            sock.close()
            self.on_refused(None, "too_many_connections")
            return
        handler = Handler(sock, address, self, excess=excess >= 0)
        self._handlers.add(handler)
        self._deadlines.keep()
        handler.stream.greenlet = gevent.spawn(handler.handle)

    def closed_one(self, handler: Handler) -> None:
        """Forget a connection that has closed."""
        self._handlers.discard(handler)
        if not self._handlers:
            self._empty.set()

    def drain(self, timeout: float) -> bool:
        """Accept no more connections and finish requests; True if all were finished."""
        started = time.monotonic()
        self.draining = True
        self._last_connections()
        last = min(timeout, LAST_REQUEST_SECONDS)
        self.limits = replace(self.limits, head_timeout=last, idle_timeout=last)
        for handler in self._handlers:
            handler.stream.shorten_deadline(last)
        self._hang_up(idle_since=started - LAST_REQUEST_SECONDS)
        if self._gone(last):
            return True
        self._hang_up(idle_since=started + timeout)
        return self._gone(timeout - (time.monotonic() - started))

    def _last_connections(self) -> None:
        """Accept the connections that the kernel has queued, then stop listening."""
        self.max_accept = self.backlog + 1
        self._do_read()
        self.close()
        gevent.sleep(0)  # lets their greenlets start

    def _hang_up(self, idle_since: float) -> None:
        """Let connections that have been idle since `idle_since` time out now."""
        for handler in self._handlers:
            if handler.stream.idle and handler.idle_since <= idle_since:
                handler.stream.deadline = 0.0

    def _gone(self, timeout: float) -> bool:
        self._empty.clear()
        return not self._handlers or self._empty.wait(max(0.0, timeout)) is True

    def _streams(self) -> list[Stream]:
        return [handler.stream for handler in self._handlers]
