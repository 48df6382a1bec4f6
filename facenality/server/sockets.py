"""The connection under a request, as the server hands it to the web.

Closing so that the client still reads the last answer.

A socket closed while bytes of the client's wait on it is reset, and a reset can
overtake the answer. So we say that we are done, and read on for a moment, for nobody.
"""

import select
import socket
import time
from contextlib import suppress
from socket import SHUT_WR, SO_LINGER, SOL_SOCKET
from typing import Any

from gevent.socket import wait_read

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


DRAIN_BYTES = 1024 * 1024
DRAIN_SECONDS = 2.0


def close(sock: Any, *, unread: bool) -> None:
    """Close gevent's `sock`; `unread`: its client may still be sending."""
    with suppress(OSError, ValueError):
        half_close(sock)
        if unread:
            _drain(sock)
    sock.close()


def half_close(sock: Any) -> None:
    """No more of us. TLS has a farewell of its own, or the answer may be cut off."""
    if getattr(sock, "_sslobj", None):
        with suppress(OSError):  # it would now wait for the client's
            sock._sslobj.shutdown()
    sock._sock.shutdown(SHUT_WR)


def _drain(sock: Any) -> None:
    """Read beneath TLS: nobody wants to know what it says."""
    until = time.monotonic() + DRAIN_SECONDS
    left = DRAIN_BYTES
    while left > 0 and (seconds := until - time.monotonic()) > 0:
        wait_read(sock.fileno(), seconds)
        read = len(sock._sock.recv(min(left, 65536)))
        if not read:
            return
        left -= read


def reset(sock: Any) -> None:
    """Close at once, and let the kernel forget what the client does not read."""
    with suppress(OSError):
        sock._sock.setsockopt(SOL_SOCKET, SO_LINGER, b"\1\0\0\0\0\0\0\0")
    sock.close()
