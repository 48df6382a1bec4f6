"""What all replies share: ids, headers, and errors as JSON."""

import logging
import re
import secrets
from typing import Any

from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException

from .. import errors
from ..errors import FacenalityError, TooLarge
from . import access_log
from .json_body import dumps

log = logging.getLogger(__name__)

CLIENT_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

# Sentences for errors that werkzeug raises before a route runs.
_SENTENCES = {
    404: ("not_found", "This path does not exist; see /models and POST /predict."),
    405: ("method_not_allowed", "This route does not allow {method}; use {allow}."),
    413: ("too_large", "The body is larger than {limit:.0f} MiB; send a smaller one."),
}


def set_up(app: Flask) -> None:
    """Give `app` ids, common headers and JSON errors."""
    app.before_request(_begin)
    app.after_request(_finish)
    app.register_error_handler(FacenalityError, error_reply)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _unexpected)


def reply(body: Any, status: int = 200) -> Response:
    """`body` as JSON."""
    return Response(dumps(body), status, content_type="application/json")


def error_reply(error: FacenalityError, **more: Any) -> Response:
    """The contract's error body for `error`, with its status and Retry-After."""
    access_log.failed(error)
    response = reply(errors.body(error, g.id) | more, error.status)
    if error.retry_after is not None:
        response.headers["Retry-After"] = errors.retry_after(error)
    return response


def _begin() -> None:
    g.id = secrets.token_hex(16)
    sent = request.headers.get("X-Request-ID", "")
    g.request_id = sent if CLIENT_ID.fullmatch(sent) else g.id


def _finish(response: Response) -> Response:
    response.headers["X-Request-ID"] = g.request_id
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers.setdefault("Cache-Control", "no-store")
    return response


def _http_error(error: HTTPException) -> Response:
    """The contract's error body for werkzeug's errors; the Allow header is kept."""
    status = error.code or 500
    code, sentence = _SENTENCES.get(
        status, ("malformed", error.description or "The request cannot be read.")
    )
    allow = ", ".join(sorted(getattr(error, "valid_methods", None) or ()))
    limit = (request.max_content_length or 0) / 2**20
    sentence = sentence.format(method=request.method, allow=allow, limit=limit)
    if status == 413:
        return error_reply(TooLarge(sentence))
    own_error = FacenalityError(sentence, code=code)
    own_error.status = status
    response = error_reply(own_error)
    if allow:
        response.headers["Allow"] = allow
    return response


def _unexpected(error: Exception) -> Response:
    """Unhandled exception: logged with its id; the client gets a generic 500."""
    log.error("request %s failed", g.id, exc_info=error)
    return error_reply(
        FacenalityError(
            "The server failed on this request; its log has the reason under this id."
        )
    )
