"""Refuses predictions that would wait too long before Flask or a body is read.

Under overload nearly all requests are refused, so a refusal must cost next to nothing:
here it takes a quarter of what it takes behind Flask. Whatever is not refused goes on
to Flask, which checks again when the body is there.
"""

import logging
import secrets
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qs

import gevent

from .. import error_contract
from ..catalog import Catalog
from ..errors import FacenalityError, Overloaded
from ..json_text import dumps
from ..metrics import Metrics
from ..predictor import Predictor
from .replies import CLIENT_ID
from .request_log import Line
from .whole_numbers import whole_number

log = logging.getLogger(__name__)

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

ROUTE = "/predict"

# A small body that is already here is read, so that the connection can be kept.
SMALL = 64 * 1024
PATIENCE = 0.01


class Gate:
    """WSGI around `application`; turns away what the model has no time for."""

    def __init__(
        self,
        application: Application,
        catalog: Catalog,
        predictor: Predictor,
        metrics: Metrics,
        origins: tuple[str, ...],
    ) -> None:
        self._application = application
        self._catalog = catalog
        self._predictor = predictor
        self._metrics = metrics
        self._origins = origins

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Refuse, or hand on."""
        try:
            if environ["PATH_INFO"] == ROUTE and environ["REQUEST_METHOD"] == "POST":
                self._admit(environ["QUERY_STRING"])
        except Overloaded as error:
            return self._refuse(error, environ, start_response)
        return self._application(environ, start_response)

    def _admit(self, query: str) -> None:
        """Raise Overloaded; what else is wrong with the request is Flask's to say."""
        asked = parse_qs(query, keep_blank_values=True) if query else {}
        name, version = (asked.get(one, [None])[0] for one in ("model", "version"))
        try:
            entry = self._catalog.current(name, whole_number("?version=", version))
        except FacenalityError:
            return
        if entry.batcher:
            self._predictor.admit(entry.batcher)

    def _refuse(
        self,
        error: Overloaded,
        environ: dict[str, Any],
        start_response: Callable[..., Any],
    ) -> list[bytes]:
        own = secrets.token_hex(16)
        theirs = environ.get("HTTP_X_REQUEST_ID", "")
        request_id = theirs if CLIENT_ID.fullmatch(theirs) else own
        body = dumps(error_contract.body(error, own))
        _read_small(environ)
        headers = [
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(body))),
            ("Retry-After", error_contract.retry_after(error)),
            ("X-Request-ID", request_id),
            ("X-Content-Type-Options", "nosniff"),
            ("Cache-Control", "no-store"),
            *self._cross_origin(environ.get("HTTP_ORIGIN")),
        ]
        start_response("503 Service Unavailable", headers)
        self._metrics.answered_early(error.status, error.code, ROUTE)
        log.info(
            Line(
                method="POST",
                route=ROUTE,
                status=error.status,
                ms=0.0,
                id=request_id,
                client=environ.get("REMOTE_ADDR") or "unix",
                code=error.code,
            )
        )
        return [body]

    def _cross_origin(self, origin: str | None) -> list[tuple[str, str]]:
        """Only a browser asks, and it names its origin."""
        if origin is None:
            return []
        return error_contract.cross_origin(self._origins, origin)


def _read_small(environ: dict[str, Any]) -> None:
    length = environ.get("CONTENT_LENGTH") or ""
    if length.isdecimal() and int(length) <= SMALL and "HTTP_EXPECT" not in environ:
        with gevent.Timeout(PATIENCE, False):
            environ["wsgi.input"].read()
