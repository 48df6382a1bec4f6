"""POST /predict: bytes in, predictions out."""

from collections.abc import Sequence
from functools import partial
from typing import Any, cast

from flask import Blueprint, Response, g, request

from .. import errors
from ..catalog import Catalog, Served
from ..predictor import Answer, Predictor, Scored
from ..settings import Settings
from ..uploads import Uploads
from ..urls.fetcher import Fetcher
from . import leaving, request_log
from .json_bodies import JsonBodies
from .keeping import keep_all
from .replies import error_reply, reply
from .requests import Fetch, Request, read
from .timing import slowest, times
from .whole_numbers import number

DEFAULT_TOP = 5
Outcome = Answer | errors.FacenalityError


def routes(
    catalog: Catalog,
    predictor: Predictor,
    settings: Settings,
    fetcher: Fetcher,
    uploads: Uploads,
    json: JsonBodies,
) -> Blueprint:
    """The prediction route."""
    blueprint, fetch = Blueprint("predict", __name__), watched(fetcher)

    @blueprint.post("/predict")
    def predict() -> Response:
        version, top = number("version"), number("top") or DEFAULT_TOP
        with catalog.use(request.args.get("model"), version) as served:
            request_log.about(served)
            fields = served.model.task.fields
            read_json = partial(json.read, line=served.batcher)
            sent = read(cast(Request, request), fields, read_json, fetch)
            left = max(0.0, settings.request_timeout_s - (sent.fetch_seconds or 0.0))
            with leaving.watch(request.environ):
                outcomes = predictor.answer(served, sent.payloads, top, timeout=left)
        request_log.answered(outcomes)
        keep_all(uploads, served, sent.payloads, outcomes)
        if sent.many:
            return _many(served, outcomes)
        return _single(served, outcomes[0], sent.fetch_seconds)

    return blueprint


def watched(fetcher: Fetcher) -> Fetch:
    """Fetch while this request's client waits for it."""

    def fetch(url: str) -> bytes:
        with leaving.watch(request.environ):
            return fetcher.fetch(url)

    return fetch


def _single(served: Served, outcome: Outcome, fetch_seconds: float | None) -> Response:
    if isinstance(outcome, errors.FacenalityError):
        return error_reply(outcome)
    body = {"success": True, "predictions": outcome.predictions} | about(served)
    return timed(reply(body), [outcome], fetch_seconds)


def _many(served: Served, outcomes: list[Outcome]) -> Response:
    answers = [o for o in outcomes if isinstance(o, Answer)]
    body = {"success": bool(answers), "results": [_result(o) for o in outcomes]}
    if answers:
        return timed(reply(body | about(served)), answers)
    none = errors.NotUsable("None of the inputs could be used; each result says why.")
    return error_reply(none, results=body["results"])


def _result(outcome: Outcome) -> dict[str, Any]:
    if isinstance(outcome, Answer):
        return {"predictions": outcome.predictions}
    return {"error": str(outcome), "code": outcome.code}


def about(served: Served) -> dict[str, Any]:
    """What every reply says of the model and of itself."""
    found = served.model.found
    return {
        "model": {"name": found.name, "version": str(found.version)},
        "id": g.id,
    }


def timed(
    response: Response,
    answers: Sequence[Scored],
    fetch_seconds: float | None = None,
) -> Response:
    """Server-Timing in milliseconds; of several answers the slowest of each part."""
    fetch = "" if fetch_seconds is None else f"fetch;dur={1000 * fetch_seconds:.1f}, "
    decode, queue, predict, size = slowest([times(one) for one in answers])
    response.headers["Server-Timing"] = (
        f"{fetch}decode;dur={1000 * decode:.1f}, queue;dur={1000 * queue:.1f}, "
        f'predict;dur={1000 * predict:.1f};desc="batch {size}"'
    )
    return response
