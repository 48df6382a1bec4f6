"""The interface of the server for its connections, which then need not import it."""

from collections.abc import Callable
from typing import Any, Protocol

from .timeouts import Limits
from .tls import Tls


class HTTPServer(Protocol):
    """`server.Server` documents these attributes."""

    application: Callable[..., Any]
    draining: bool
    environ: dict[str, Any]
    limits: Limits
    on_refused: Callable[[int | None, str], None]
    origins: tuple[str, ...]
    tls: Tls | None

    def closed_one(self, handler: Any) -> None:
        """Report that the connection of `handler` has closed."""
