"""An error as the contract tells it, whoever answers: server, gate or Flask."""

import math
from typing import Any

from .errors import FacenalityError

# Fields of a reply that JavaScript of other sites may read; sorted, as Flask-CORS does.
EXPOSED = ("Retry-After", "Server-Timing", "X-Request-ID")


def body(error: FacenalityError, reply_id: str) -> dict[str, Any]:
    """What the JSON says; `reply_id` finds the request in the log."""
    return {"success": False, "error": str(error), "code": error.code, "id": reply_id}


def retry_after(error: FacenalityError) -> str:
    """Whole seconds, 1 at least: less would only hammer."""
    return str(max(1, math.ceil(error.retry_after or 0)))


def cross_origin(origins: tuple[str, ...], origin: str) -> list[tuple[str, str]]:
    """The fields for a page of `origin`; none where it is not among `origins`."""
    any_origin = "*" in origins
    if not (any_origin or origin in origins):
        return []
    return [
        ("Access-Control-Allow-Origin", "*" if any_origin else origin),
        ("Access-Control-Expose-Headers", ", ".join(EXPOSED)),
        *([] if any_origin else [("Vary", "Origin")]),
    ]
