"""Closing so that the client still reads the last answer.

A socket closed while bytes of the client's wait on it is reset, and a reset can
overtake the answer. So we say that we are done, and read on for a moment, for nobody.
"""

import time
from contextlib import suppress
from socket import SHUT_WR, SO_LINGER, SOL_SOCKET
from typing import Any

from gevent.socket import wait_read

DRAIN_BYTES = 1024 * 1024
DRAIN_SECONDS = 2.0


def close(sock: Any, *, unread: bool) -> None:
    """Close gevent's `sock`; `unread`: its client may still be sending."""
    with suppress(OSError, ValueError):
        say_goodbye(sock)
        if unread:
            _drain(sock)
    sock.close()


def say_goodbye(sock: Any) -> None:
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
