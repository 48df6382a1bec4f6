"""Notice a client that closes its connection while it waits for an answer."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import gevent

from ..connection import SOCKET, peek
from ..errors import ClientGone


@contextmanager
def watch(environ: dict[str, Any]) -> Iterator[None]:
    """Raise ClientGone inside the block as soon as the client has closed.

    A client that only half-closes counts as gone, as it does for nginx.
    """
    sock = environ.get(SOCKET)
    if sock is None:  # another server than ours
        yield
        return
    waiting = gevent.getcurrent()
    watcher = gevent.get_hub().loop.io(sock.fileno(), 1)  # 1: readable

    def readable() -> None:
        watcher.stop()  # pipelined bytes would make it fire for ever
        if _closed(sock):
            waiting.throw(ClientGone("The client closed the connection."))

    watcher.start(readable)
    try:
        yield
    finally:
        watcher.stop()
        watcher.close()


def _closed(sock: Any) -> bool:
    try:
        return peek(sock) == b""
    except OSError:
        return True
