"""The error family, drawn on the data flow. An error knows its HTTP status.

    HTTP head ─ server ─▶ request: Malformed, HeadTooLarge, TooSlow, NotSpoken,
                                   TooManyConnections

    HTTP body ─ web ─▶ bytes ─ decode ─▶ instance ─ batcher ─▶ batch ─ engine ─▶ scores
               │              │                    │                    │
           Unauthorized   NotUsable            Overloaded          ModelFailed
           Malformed      TooLarge             Expired             BadAnswer
           TooLarge, TooSlow                   ClientGone
           UnsupportedType, NotFetched                  ModelServerUnavailable
           NoSuchModel, Loading, Draining

The sentence of every error names the fix; `error_contract.py` says how clients see it.

An error as the contract tells it, whoever answers: server, gate or Flask.

Why a library could not do something, in one line.
"""

import math
import re
from typing import Any


class FacenalityError(Exception):
    """What went wrong, in one sentence for the client."""

    status = 500
    code = "internal_error"
    retry_after: float | None = None

    def __init__(self, sentence: str, *, code: str | None = None) -> None:
        super().__init__(sentence)
        self.code = code or self.code


class Malformed(FacenalityError):
    """The request cannot be read as the contract has it."""

    status = 400
    code = "malformed"


class Unauthorized(FacenalityError):
    """The key is missing, or is none of ours."""

    status = 401
    code = "unauthorized"


class NoSuchModel(FacenalityError):
    """No model, or no version of it, has that name."""

    status = 404
    code = "no_such_model"


class TooSlow(FacenalityError):
    """Head or body did not arrive in time."""

    status = 408
    code = "too_slow"


class TooLarge(FacenalityError):
    """More bytes or pixels than the limits allow."""

    status = 413
    code = "too_large"


class UnsupportedType(FacenalityError):
    """A content type that no route reads."""

    status = 415
    code = "unsupported_type"


class HeadTooLarge(FacenalityError):
    """More bytes or fields before the body than are read; 414 where it is the path."""

    code = "head_too_large"

    def __init__(self, sentence: str, *, status: int = 431) -> None:
        super().__init__(sentence)
        self.status = status


class UnsupportedHTTP(FacenalityError):
    """HTTP that this server does not speak: `status` is 417, 501 or 505."""

    code = "not_spoken"

    def __init__(self, sentence: str, status: int) -> None:
        super().__init__(sentence)
        self.status = status


class UnprocessableInput(FacenalityError):
    """Well-formed, but the model cannot use it."""

    status = 422
    code = "not_usable"


class URLFetchFailed(FacenalityError):
    """The image was not to be had from its URL, for whatever reason."""

    status = 422
    code = "not_fetched"


class ClientGone(FacenalityError):
    """The client closed the connection; nobody will read this answer.

    499 is nginx's number for it; it stands in the log only.
    """

    status = 499
    code = "client_gone"


class ModelFailed(FacenalityError):
    """The model raised, or answered what its card does not allow."""

    status = 500
    code = "model_failed"


class BadGateway(FacenalityError):
    """The remote engine answered nonsense: its model is not the one that was loaded."""

    status = 502
    code = "bad_answer"


class Unavailable(FacenalityError):
    """Not now; `retry_after` says in how many seconds."""

    status = 503
    code = "unavailable"

    def __init__(self, sentence: str, *, retry_after: float = 1.0) -> None:
        super().__init__(sentence)
        self.retry_after = retry_after


class Loading(Unavailable):
    """The model is not ready yet."""

    code = "loading"


class Overloaded(Unavailable):
    """The wait in the queue would be longer than `max_queue_wait_s`."""

    code = "overloaded"


class ModelServerUnavailable(Unavailable):
    """The model lives elsewhere, and nobody answers there."""

    code = "model_server_unavailable"


class TooManyConnections(Unavailable):
    """`max_connections` are open."""

    code = "too_many_connections"


class NotStored(Unavailable):
    """What was sent could not be written to the disk."""

    code = "not_stored"


class Draining(Unavailable):
    """The server is going down after its last answers."""

    code = "draining"


class Expired(FacenalityError):
    """The deadline passed before the answer was there."""

    status = 504
    code = "expired"


class ModelLoadFailed(FacenalityError):
    """A model in the folder that cannot be served; the sentence says how to mend it."""

    status = 503
    code = "model_not_loaded"
    retry_after = 60.0


class FetchFailed(FacenalityError):
    """A model that could not be fetched; the sentence says what was tried."""


class NotReached(FetchFailed):
    """No server answered: a matter of the network, not of the file."""


class InvalidSetting(Exception):
    """A knob with a value that is not allowed; stops the start."""


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


def first_line(error: Exception) -> str:
    """The first line that says more than where."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", str(error))
    lines = [line.strip() for line in plain.splitlines()]
    telling = [line for line in lines if line and not line.startswith("Exception ")]
    return telling[0] if telling else type(error).__name__
