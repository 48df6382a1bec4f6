"""Answers to what never becomes a request, in the contract's form.

The client's own words are in none of them, and in no line of the log.
"""

import json
import logging
import math
import re
import secrets
import time
from http import HTTPStatus

from gevent.pywsgi import format_date_time

from ..errors import FacenalityError

log = logging.getLogger(__name__)

_ORIGIN = re.compile(
    rb"\r\norigin:[ \t]*([!-~]{1,256})[ \t]*(?=\r\n|\Z)", re.IGNORECASE
)
_WHAT = {408: "a slow request", 500: "a request", 503: "a connection"}
_EXPOSED = "X-Request-ID, Retry-After, Server-Timing"


def refusal(
    error: FacenalityError, origins: tuple[str, ...], seen: bytes = b""
) -> bytes:
    """The whole reply; `seen` is what has been received of the request's head."""
    token = secrets.token_hex(16)
    what = _WHAT.get(error.status, "a malformed request")
    log.info("%s was refused: %d %s id=%s", what, error.status, error.code, token)
    body = {"success": False, "error": str(error), "code": error.code, "id": token}
    text = json.dumps(body, separators=(",", ":")).encode()
    fields = {
        "Date": format_date_time(time.time()).decode(),
        "Content-Type": "application/json",
        "Content-Length": str(len(text)),
        "Connection": "close",
        "X-Request-ID": token,
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
        **_cross_origin(origins, seen),
    }
    if error.retry_after is not None:
        fields["Retry-After"] = str(max(1, math.ceil(error.retry_after)))
    lines = [f"{name}: {value}\r\n" for name, value in fields.items()]
    phrase = HTTPStatus(error.status).phrase
    head = f"HTTP/1.1 {error.status} {phrase}\r\n{''.join(lines)}\r\n"
    return head.encode("ascii") + text


def _cross_origin(origins: tuple[str, ...], seen: bytes) -> dict[str, str]:
    """Which route was meant cannot always be told, so that every refusal has these."""
    if "*" in origins:
        return {
            "Access-Control-Allow-Origin": "*",
            "Access-Control-Expose-Headers": _EXPOSED,
        }
    match = _ORIGIN.search(seen)
    origin = match[1].decode("ascii") if match else ""
    if origin not in origins:
        return {}
    return {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Expose-Headers": _EXPOSED,
        "Vary": "Origin",
    }
