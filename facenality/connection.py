"""The connection under a request, as the server hands it to the web."""

import select
import socket
from typing import Any

SOCKET = "facenality.socket"  # its key in the WSGI environ

# The client will send no more; Linux tells it even where bytes wait before the end.
_ENDED = select.POLLHUP | select.POLLERR | getattr(select, "POLLRDHUP", 0)


def peek(sock: Any) -> bytes | None:
    """What waits on gevent's `sock`, unread: a byte, b"" at its end, None for nothing.

    Never waits, and looks beneath TLS. Raises OSError where the connection is broken.
    """
    try:
        # Beneath gevent, whose own recv would wait.
        waiting: bytes = sock._sock.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return None
    return waiting


def has_bytes(sock: Any) -> bool:
    """Whether something waits on gevent's `sock` that nobody has read."""
    try:
        return bool(peek(sock))
    except OSError:
        return False


def ended(sock: Any) -> bool:
    """Whether the client has closed, or broken, its side of gevent's `sock`.

    Bytes before the end do not hide it: a pipelined request, or the farewell of TLS.
    """
    poll = select.poll()
    poll.register(sock.fileno(), _ENDED)
    if poll.poll(0):
        return True
    try:
        return peek(sock) == b""
    except OSError:
        return True
