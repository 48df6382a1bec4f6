"""Sockets: finding out whether the client has closed, and closing without data loss.

Closing a socket with unread bytes resets the connection, and the reset can overtake the
reply. So the server half-closes first, then reads and discards for a moment.
"""

import select
import socket
import time
from contextlib import suppress
from socket import SHUT_WR, SO_LINGER, SOL_SOCKET
from typing import Any

from gevent.socket import wait_read

SOCKET = "facenality.socket"  # key of the socket in the WSGI environ

# The client has closed; Linux reports this even if unread bytes wait before the end.
_ENDED = select.POLLHUP | select.POLLERR | getattr(select, "POLLRDHUP", 0)


def peek(sock: Any) -> bytes | None:
    """The next unread byte of gevent's `sock`, b"" at its end, None if none waits.

    Never waits; reads below TLS. Raises OSError if the connection is broken.
    """
    try:
        # gevent's own recv would wait.
        waiting: bytes = sock._sock.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return None
    return waiting


def has_bytes(sock: Any) -> bool:
    """True if unread bytes wait on gevent's `sock`."""
    try:
        return bool(peek(sock))
    except OSError:
        return False


def ended(sock: Any) -> bool:
    """True if the client has closed or reset its side of gevent's `sock`.

    Also if unread bytes wait before the end: a pipelined request, or a close_notify.
    """
    poll = select.poll()
    poll.register(sock.fileno(), _ENDED)
    if poll.poll(0):
        return True
    try:
        return peek(sock) == b""
    except OSError:
        return True


DRAIN_BYTES = 1024 * 1024
DRAIN_SECONDS = 2.0


def close(sock: Any, *, unread: bool) -> None:
    """Close gevent's `sock`; `unread`: the client may still be sending."""
    with suppress(OSError, ValueError):
        half_close(sock)
        if unread:
            _drain(sock)
    sock.close()


def half_close(sock: Any) -> None:
    """Tell the client that nothing more follows; with TLS, send close_notify first."""
    if getattr(sock, "_sslobj", None):
        with suppress(OSError):  # it would now wait for the client's close_notify
            sock._sslobj.shutdown()
    sock._sock.shutdown(SHUT_WR)


def _drain(sock: Any) -> None:
    """Read and discard what the client still sends, below TLS."""
    until = time.monotonic() + DRAIN_SECONDS
    left = DRAIN_BYTES
    while left > 0 and (seconds := until - time.monotonic()) > 0:
        wait_read(sock.fileno(), seconds)
        read = len(sock._sock.recv(min(left, 65536)))
        if not read:
            return
        left -= read


def reset(sock: Any) -> None:
    """Close at once; the kernel drops what the client has not read."""
    with suppress(OSError):
        sock._sock.setsockopt(SOL_SOCKET, SO_LINGER, b"\1\0\0\0\0\0\0\0")
    sock.close()
