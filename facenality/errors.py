"""The errors of the data flow. Each knows its HTTP status.

    HTTP head ─ server ─▶ request: Malformed, HeadTooLarge, TooSlow, UnsupportedHTTP,
                                   TooManyConnections

    HTTP body ─ web ─▶ bytes ─ decode ─▶ instance ─ batcher ─▶ batch ─ engine ─▶ scores
               │              │                    │                    │
           Unauthorized   Unprocessable-       Overloaded          ModelFailed
           Malformed      Input                Expired             BadGateway
           TooLarge       TooLarge             ClientGone          ModelServer-
           TooSlow                                                 Unavailable
           UnsupportedType, URLFetchFailed
           NoSuchModel, Loading, Draining

The sentence of every error names the fix. The functions at the end make the JSON body
and the headers of an error reply, for `web/` and for replies that `server/` makes.
"""

import math
import re
from typing import Any


class FacenalityError(Exception):
    """An error that is reported to the client, in one sentence."""

    status = 500
    code = "internal_error"
    retry_after: float | None = None

    def __init__(self, sentence: str, *, code: str | None = None) -> None:
        super().__init__(sentence)
        self.code = code or self.code


class Malformed(FacenalityError):
    """The request does not follow the API contract or HTTP."""

    status = 400
    code = "malformed"


class Unauthorized(FacenalityError):
    """The API key is missing or unknown."""

    status = 401
    code = "unauthorized"


class NoSuchModel(FacenalityError):
    """There is no model of that name, or it has no such version."""

    status = 404
    code = "no_such_model"


class TooSlow(FacenalityError):
    """The request's headers or body did not arrive in time."""

    status = 408
    code = "too_slow"


class TooLarge(FacenalityError):
    """The input has more bytes or pixels than the limits allow."""

    status = 413
    code = "too_large"


class UnsupportedType(FacenalityError):
    """A content type that no route reads."""

    status = 415
    code = "unsupported_type"


class HeadTooLarge(FacenalityError):
    """The headers have too many bytes or fields; 414 if the path is too long."""

    code = "head_too_large"

    def __init__(self, sentence: str, *, status: int = 431) -> None:
        super().__init__(sentence)
        self.status = status


class UnsupportedHTTP(FacenalityError):
    """HTTP that this server does not support: `status` is 417, 501 or 505."""

    code = "not_spoken"

    def __init__(self, sentence: str, status: int) -> None:
        super().__init__(sentence)
        self.status = status


class UnprocessableInput(FacenalityError):
    """The input is well-formed, but the model cannot use it."""

    status = 422
    code = "not_usable"


class URLFetchFailed(FacenalityError):
    """The image could not be fetched from its URL."""

    status = 422
    code = "not_fetched"


class ClientGone(FacenalityError):
    """The client closed the connection before it was answered.

    499 is nginx's status for this; it appears in the log only.
    """

    status = 499
    code = "client_gone"


class ModelFailed(FacenalityError):
    """The model raised an exception, or its output contradicts its card."""

    status = 500
    code = "model_failed"


class BadGateway(FacenalityError):
    """The remote engine's reply does not fit the model that was loaded."""

    status = 502
    code = "bad_answer"


class Unavailable(FacenalityError):
    """The request cannot be served now; try again in `retry_after` seconds."""

    status = 503
    code = "unavailable"

    def __init__(self, sentence: str, *, retry_after: float = 1.0) -> None:
        super().__init__(sentence)
        self.retry_after = retry_after


class Loading(Unavailable):
    """The model is not ready yet."""

    code = "loading"


class Overloaded(Unavailable):
    """The request would wait in the queue for longer than `max_queue_wait_s`."""

    code = "overloaded"


class ModelServerUnavailable(Unavailable):
    """Another server runs this model, and it does not answer."""

    code = "model_server_unavailable"


class TooManyConnections(Unavailable):
    """`max_connections` connections are open already."""

    code = "too_many_connections"


class NotStored(Unavailable):
    """The upload could not be written to the disk."""

    code = "not_stored"


class Draining(Unavailable):
    """The server is shutting down and takes no new requests."""

    code = "draining"


class Expired(FacenalityError):
    """The deadline passed before the answer was ready."""

    status = 504
    code = "expired"


class ModelLoadFailed(FacenalityError):
    """A model in the folder cannot be served; the sentence says how to fix it."""

    status = 503
    code = "model_not_loaded"
    retry_after = 60.0


class FetchFailed(FacenalityError):
    """`app.py fetch` could not download a model; the sentence says what it tried."""


class NotReached(FetchFailed):
    """No server answered: the network is to blame, not the file."""


class InvalidSetting(Exception):
    """A setting has a value that is not allowed; the process exits with status 2."""


# Reply headers that JavaScript of other origins may read; sorted, as by Flask-CORS.
EXPOSED = ("Retry-After", "Server-Timing", "X-Request-ID")


def body(error: FacenalityError, reply_id: str) -> dict[str, Any]:
    """The JSON body of an error; `reply_id` finds the request in the log."""
    return {"success": False, "error": str(error), "code": error.code, "id": reply_id}


def retry_after(error: FacenalityError) -> str:
    """The Retry-After header: whole seconds, at least 1 to prevent hammering."""
    return str(max(1, math.ceil(error.retry_after or 0)))


def cross_origin(origins: tuple[str, ...], origin: str) -> list[tuple[str, str]]:
    """The CORS headers for a page of `origin`; none if `origins` does not allow it."""
    any_origin = "*" in origins
    if not (any_origin or origin in origins):
        return []
    return [
        ("Access-Control-Allow-Origin", "*" if any_origin else origin),
        ("Access-Control-Expose-Headers", ", ".join(EXPOSED)),
        *([] if any_origin else [("Vary", "Origin")]),
    ]


def first_line(error: Exception) -> str:
    """The first line of a library's error that says what is wrong, not where."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", str(error))
    lines = [line.strip() for line in plain.splitlines()]
    useful = [line for line in lines if line and not line.startswith("Exception ")]
    return useful[0] if useful else type(error).__name__
