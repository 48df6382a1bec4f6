"""HTTP/1.1 over gevent, strict and bounded: pywsgi's replies, our own reading.

    accept ─▶ handler ─▶ arriving ─▶ head ─▶ environ ─▶ application ─▶ reply ─▶ closing
                 │          │         │                     │
                tls      TooSlow   Malformed              body: TooSlow, TooLarge,
                                   HeadTooLarge                 Malformed
                                   UnsupportedHTTP

What goes wrong before the application is answered here (`refusals.py`) and closes the
connection; what goes wrong in a body reaches the application as its own errors.
"""

from .server import Server, refuse_monkey_patching
from .sockets import SOCKET
from .timeouts import Limits
from .tls import Tls

__all__ = ["SOCKET", "Limits", "Server", "Tls", "refuse_monkey_patching"]
