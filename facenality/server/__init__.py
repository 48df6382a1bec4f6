"""HTTP/1.1 over gevent, strict and bounded: requests are parsed here, pywsgi replies.

    server ─▶ connection ─▶ request ─▶ parser ─▶ application ─▶ response ─▶ sockets
                  │            │         │            │
                 tls        TooSlow   Malformed     body: TooSlow, TooLarge, Malformed
                                      HeadTooLarge
                                      UnsupportedHTTP

An error before the application runs is answered here (`response.refusal`) and closes
the connection; an error in a body is raised in the application that reads it.
"""

from .server import Server, refuse_monkey_patching
from .sockets import SOCKET
from .timeouts import Limits
from .tls import Tls

__all__ = ["SOCKET", "Limits", "Server", "Tls", "refuse_monkey_patching"]
