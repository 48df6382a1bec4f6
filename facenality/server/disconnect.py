"""Notice a client that closes its connection while it waits for an answer."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import gevent

from ..errors import ClientGone
from .sockets import SOCKET
from .sockets import ended as _closed

# Where bytes wait on the connection nothing wakes us at its end: we look instead.
LOOK_SECONDS = 0.25


@contextmanager
def cancel_on_disconnect(environ: dict[str, Any]) -> Iterator[None]:
    """Raise ClientGone inside the block as soon as the client has closed.

    A client that only half-closes counts as gone, as it does for nginx.
    """
    sock = environ.get(SOCKET)
    if sock is None:  # another server than ours
        yield
        return
    waiting = gevent.getcurrent()
    loop = gevent.get_hub().loop
    watcher = loop.io(sock.fileno(), 1)  # 1: readable
    timer = loop.timer(LOOK_SECONDS, LOOK_SECONDS)

    def look() -> None:
        if _closed(sock):
            watcher.stop()
            timer.stop()
            waiting.throw(ClientGone("The client closed the connection."))

    def readable() -> None:
        watcher.stop()  # a pipelined request, or TLS's farewell, would fire for ever
        timer.start(look)
        look()

    watcher.start(readable)
    try:
        yield
    finally:
        for one in (watcher, timer):
            one.stop()
            one.close()
