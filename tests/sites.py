"""Other web sites: a server in a thread, for as long as the test needs it."""

import ssl
from http.server import ThreadingHTTPServer
from threading import Thread
from typing import Any, Self


class Quiet:
    """Before a handler of requests: nobody reads its log."""

    def log_message(self, *_: Any) -> None:
        """Nothing."""


class Site:
    """Answers by `handler`, at `url`; use as a context manager."""

    def __init__(self, handler: Any, tls: ssl.SSLContext | None = None) -> None:
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        if tls:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        scheme = "https" if tls else "http"
        self.url = f"{scheme}://127.0.0.1:{self.server.server_port}"
        # The default looks twice a second whether to stop; tests need not wait for it.
        self._thread = Thread(target=self.server.serve_forever, args=(0.01,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self._thread.join()
        self.server.server_close()
