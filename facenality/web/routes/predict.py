"""POST /predict: bytes in, predictions out.

With keep_uploads `all`, it stores every picture that was answered.
"""

from collections.abc import Sequence
from functools import partial
from http import HTTPStatus
from typing import Any, cast

from flask import Blueprint, Response, g, request

from ... import errors
from ...errors import FacenalityError
from ...features.uploads import About, Uploads
from ...features.url_images.fetcher import Fetcher
from ...pipeline import Answer, Predictor
from ...registry.registry import LoadedModel, Registry
from ...server import disconnect
from ...settings import Settings
from ...tasks import Payload
from ...tasks.encoded_picture import from_base64
from .. import access_log
from ..access_log import timed
from ..json_body import JsonBodies
from ..request import Fetch, Request, number, read
from ..responses import error_reply, reply


def store_predicted_images(
    uploads: Uploads,
    served: LoadedModel,
    payloads: Sequence[Payload],
    outcomes: Sequence[Answer | FacenalityError],
) -> None:
    """With keep_uploads `all`, store the encoded pictures, not arrays of numbers."""
    if uploads.keep != "all" or served.model.recipe.image is None:
        return
    found = served.model.found
    for payload, outcome in zip(payloads, outcomes, strict=True):
        if isinstance(outcome, Answer) and isinstance(payload, bytes | str):
            picture = from_base64(payload) if isinstance(payload, str) else payload
            shown = str(outcome.predictions[0].get("label", ""))
            about = About(g.id, found.name, str(found.version), shown)
            uploads.store_later(picture, about)


DEFAULT_TOP = 5
Outcome = Answer | errors.FacenalityError


def routes(
    registry: Registry,
    predictor: Predictor,
    settings: Settings,
    fetcher: Fetcher,
    uploads: Uploads,
    json: JsonBodies,
) -> Blueprint:
    """The prediction route."""
    blueprint, fetch = Blueprint("predict", __name__), fetch_while_connected(fetcher)

    @blueprint.post("/predict")
    def predict() -> Response:
        version, top = number("version"), number("top") or DEFAULT_TOP
        with registry.use(request.args.get("model"), version) as served:
            access_log.about(served)
            fields = served.model.task.fields
            read_json = partial(json.read, key=served.batcher)
            sent = read(cast(Request, request), fields, read_json, fetch)
            left = max(0.0, settings.request_timeout_s - (sent.fetch_seconds or 0.0))
            with disconnect.cancel_on_disconnect(request.environ):
                outcomes = predictor.answer(served, sent.payloads, top, timeout=left)
        access_log.answered(outcomes)
        store_predicted_images(uploads, served, sent.payloads, outcomes)
        if sent.many:
            return _many(served, outcomes)
        return _single(served, outcomes[0], sent.fetch_seconds)

    return blueprint


def fetch_while_connected(fetcher: Fetcher) -> Fetch:
    """A `Fetch` that stops when the client of this request has gone."""

    def fetch(url: str) -> bytes:
        with disconnect.cancel_on_disconnect(request.environ):
            return fetcher.fetch(url)

    return fetch


def _single(
    served: LoadedModel, outcome: Outcome, fetch_seconds: float | None
) -> Response:
    if isinstance(outcome, errors.FacenalityError):
        return error_reply(outcome)
    body = {"success": True, "predictions": outcome.predictions} | about(served)
    return timed(reply(body), [outcome], fetch_seconds)


def _many(served: LoadedModel, outcomes: list[Outcome]) -> Response:
    answers = [o for o in outcomes if isinstance(o, Answer)]
    failed = [o for o in outcomes if isinstance(o, errors.FacenalityError)]
    results = [_result(o) for o in outcomes]
    if answers:
        body = {"success": True, "results": results} | about(served)
        return timed(reply(body), answers)
    if all(error.status >= HTTPStatus.INTERNAL_SERVER_ERROR for error in failed):
        return error_reply(failed[0], results=results)  # the inputs are not to blame
    none = errors.UnprocessableInput(
        "None of the inputs could be used; each result says why."
    )
    return error_reply(none, results=results)


def _result(outcome: Outcome) -> dict[str, Any]:
    if isinstance(outcome, Answer):
        return {"predictions": outcome.predictions}
    return {"error": str(outcome), "code": outcome.code}


def about(served: LoadedModel) -> dict[str, Any]:
    """The fields for the model and the reply id, which every reply has."""
    found = served.model.found
    return {
        "model": {"name": found.name, "version": str(found.version)},
        "id": g.id,
    }
