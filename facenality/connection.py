"""The connection under a request, as the server hands it to the web."""

import socket
from typing import Any

SOCKET = "facenality.socket"  # its key in the WSGI environ


def peek(sock: Any) -> bytes | None:
    """What waits on gevent's `sock`, unread: a byte, b"" at its end, None for nothing.

    Never waits. Raises OSError where the connection is broken.
    """
    try:
        # Beneath gevent, whose own recv would wait.
        waiting: bytes = sock._sock.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return None
    return waiting
