"""What the routes for /v1 and /v2 share.

Their clients know only one error per request: one bad instance fails the request, and
an unusable input is 400, where /predict answers 422.
"""

from collections.abc import Sequence
from typing import TypeVar

from flask import request

from ..errors import FacenalityError, Malformed, NoSuchModel
from ..pipeline import Answer, Predictor, Scored
from ..protocols import signature
from ..protocols.signature import Signature
from ..registry.registry import LoadedModel
from ..server import disconnect
from ..tasks import EVERY_LABEL, Payload
from . import access_log
from .request import whole_number

Outcome = TypeVar("Outcome", bound=Scored)


def version_of(name: str, text: str | None) -> int | None:
    """The version in a path. Raises NoSuchModel if it is not a number."""
    if text is None:
        return None
    try:
        return whole_number("version", text)
    except Malformed:
        raise NoSuchModel(
            f"Model {name[:80]!r} has no version {text[:80]!r}; versions are numbers.",
            code="no_such_version",
        ) from None


def signature_of(served: LoadedModel) -> Signature:
    """The model's inputs and outputs."""
    return signature.of(served.model.recipe, served.model.engine.facts)


def score(
    predictor: Predictor, served: LoadedModel, payloads: Sequence[Payload]
) -> list[Scored]:
    """The model's own scores. Raises the first error, naming its instance."""
    access_log.about(served)
    with disconnect.cancel_on_disconnect(request.environ):
        return _all(predictor.score(served, payloads))


def answer(
    predictor: Predictor, served: LoadedModel, payloads: Sequence[Payload]
) -> list[Answer]:
    """The predictions of all labels. Raises the first error, naming its instance."""
    access_log.about(served)
    with disconnect.cancel_on_disconnect(request.environ):
        return _all(predictor.answer(served, payloads, EVERY_LABEL))


def _all(outcomes: Sequence[Outcome | FacenalityError]) -> list[Outcome]:
    access_log.answered(outcomes)
    good: list[Outcome] = []
    for index, outcome in enumerate(outcomes):
        if isinstance(outcome, FacenalityError):
            raise _named(outcome, index)
        good.append(outcome)
    return good


def _named(error: FacenalityError, index: int) -> FacenalityError:
    """A client's error with the number of its instance; server errors as they are."""
    if error.status >= 500:
        return error
    named = FacenalityError(f"Instance {index}: {error}", code=error.code)
    named.status = 400 if error.status == 422 else error.status
    return named
