"""Answers to what never becomes a request, in the contract's form.

The client's own words are in none of them, and in no line of the log.
"""

import logging
import re
import secrets
import time
from http import HTTPStatus

import orjson
from gevent.pywsgi import format_date_time

from .. import error_contract
from ..errors import FacenalityError

log = logging.getLogger(__name__)

_ORIGIN = re.compile(
    rb"\r\norigin:[ \t]*([!-~]{1,256})[ \t]*(?=\r\n|\Z)", re.IGNORECASE
)
_WHAT = {408: "a slow request", 500: "a request", 503: "a connection"}


def refusal(
    error: FacenalityError, origins: tuple[str, ...], seen: bytes = b""
) -> bytes:
    """The whole reply; `seen` is what has been received of the request's head."""
    token = secrets.token_hex(16)
    what = _WHAT.get(error.status, "a malformed request")
    log.info("%s was refused: %d %s id=%s", what, error.status, error.code, token)
    text = orjson.dumps(error_contract.body(error, token))
    fields = {
        "Date": format_date_time(time.time()).decode(),
        "Content-Type": "application/json",
        "Content-Length": str(len(text)),
        "Connection": "close",
        "X-Request-ID": token,
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
        # Which route was meant cannot always be told: every refusal has these.
        **dict(error_contract.cross_origin(origins, _origin(seen))),
    }
    if error.retry_after is not None:
        fields["Retry-After"] = error_contract.retry_after(error)
    lines = [f"{name}: {value}\r\n" for name, value in fields.items()]
    phrase = HTTPStatus(error.status).phrase
    head = f"HTTP/1.1 {error.status} {phrase}\r\n{''.join(lines)}\r\n"
    return head.encode("ascii") + text


def _origin(seen: bytes) -> str:
    """What the head says of it, as far as it has come."""
    match = _ORIGIN.search(seen)
    return match[1].decode("ascii") if match else ""
