"""POST /predict: bytes in, predictions out."""

import re
from collections.abc import Sequence
from typing import Any, cast

from flask import Blueprint, Response, g, request

from .. import errors
from ..catalog import Catalog, Served
from ..predictor import Answer, Predictor, Scored
from ..settings import Settings
from . import leaving
from .replies import error_reply, reply
from .requests import Request, read

DEFAULT_TOP = 5
_NUMBER = re.compile(r"[1-9][0-9]{0,17}")
Outcome = Answer | errors.FacenalityError


def routes(catalog: Catalog, predictor: Predictor, settings: Settings) -> Blueprint:
    """The prediction route."""
    blueprint = Blueprint("predict", __name__)

    @blueprint.post("/predict")
    def predict() -> Response:
        version, top = _number("version"), _number("top") or DEFAULT_TOP
        with catalog.use(request.args.get("model"), version) as served:
            fields = served.model.task.fields
            sent = read(cast(Request, request), fields, settings.max_json_bytes)
            with leaving.watch(request.environ):
                outcomes = predictor.answer(served, sent.payloads, top)
        if sent.many:
            return _many(served, outcomes)
        return _single(served, outcomes[0])

    return blueprint


def _number(name: str) -> int | None:
    """A whole number from 1 on in the query, or None where it is absent."""
    text = request.args.get(name)
    if text is None:
        return None
    if not _NUMBER.fullmatch(text):
        raise errors.Malformed(f"?{name}= must be a whole number from 1 on.")
    return int(text)


def _single(served: Served, outcome: Outcome) -> Response:
    if isinstance(outcome, errors.FacenalityError):
        return error_reply(outcome)
    body = {"success": True, "predictions": outcome.predictions} | _about(served)
    return timed(reply(body), [outcome])


def _many(served: Served, outcomes: list[Outcome]) -> Response:
    answers = [o for o in outcomes if isinstance(o, Answer)]
    body = {"success": bool(answers), "results": [_result(o) for o in outcomes]}
    if answers:
        return timed(reply(body | _about(served)), answers)
    none = errors.NotUsable("None of the inputs could be used; each result says why.")
    return error_reply(none, results=body["results"])


def _result(outcome: Outcome) -> dict[str, Any]:
    if isinstance(outcome, Answer):
        return {"predictions": outcome.predictions}
    return {"error": str(outcome), "code": outcome.code}


def _about(served: Served) -> dict[str, Any]:
    found = served.model.found
    return {
        "model": {"name": found.name, "version": str(found.version)},
        "id": g.id,
    }


def timed(response: Response, answers: Sequence[Scored]) -> Response:
    """Server-Timing in milliseconds; of several answers the slowest of each part."""
    decode = 1000 * max(a.decode_seconds for a in answers)
    queue = 1000 * max(a.row.queue_seconds for a in answers)
    predict = 1000 * max(a.row.predict_seconds for a in answers)
    size = max(a.row.batch_size for a in answers)
    response.headers["Server-Timing"] = (
        f"decode;dur={decode:.1f}, queue;dur={queue:.1f}, "
        f'predict;dur={predict:.1f};desc="batch {size}"'
    )
    return response
