"""Cancels a request whose client closes the connection before it is answered."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import gevent

from ..errors import ClientGone
from .sockets import SOCKET
from .sockets import ended as _closed

# While unread bytes wait on the connection, its end does not wake us; then we poll.
POLL_SECONDS = 0.25


@contextmanager
def cancel_on_disconnect(environ: dict[str, Any]) -> Iterator[None]:
    """Raise ClientGone inside the block as soon as the client has closed.

    A client that only half-closes counts as gone, as it does for nginx.
    """
    sock = environ.get(SOCKET)
    if sock is None:  # another WSGI server runs the application
        yield
        return
    waiting = gevent.getcurrent()
    loop = gevent.get_hub().loop
    watcher = loop.io(sock.fileno(), 1)  # 1: readable
    timer = loop.timer(POLL_SECONDS, POLL_SECONDS)

    def check() -> None:
        if _closed(sock):
            watcher.stop()
            timer.stop()
            waiting.throw(ClientGone("The client closed the connection."))

    def readable() -> None:
        watcher.stop()  # it would fire for ever at a pipelined request or a TLS alert
        timer.start(check)
        check()

    watcher.start(readable)
    try:
        yield
    finally:
        for one in (watcher, timer):
            one.stop()
            one.close()
