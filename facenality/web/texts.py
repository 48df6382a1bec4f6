"""POST /api/v1/<token>/predict: texts by key in, a label for each out.

The token in the path is what lets a client in. Any other token is answered as a path
that does not exist, and logs show the route's template, never the token.
"""

import time
from typing import cast

from flask import Blueprint, Response, request
from werkzeug.exceptions import NotFound

from .. import errors
from ..catalog import Catalog, Served
from ..predictor import Predictor
from ..settings import Settings
from ..tokens import Tokens
from . import leaving, request_log
from .json_bodies import JsonBodies
from .replies import reply
from .requests import Request
from .room import Room

MAX_TEXTS = 10_000
WINDOW = 64  # texts in the batcher at once, of all such requests together
_room = Room(WINDOW)  # so that others find places


def routes(
    catalog: Catalog,
    predictor: Predictor,
    settings: Settings,
    tokens: Tokens,
    json: JsonBodies,
) -> Blueprint:
    """The text route; without tokens there is none."""
    blueprint = Blueprint("texts", __name__)
    if not tokens.configured:
        return blueprint

    @blueprint.post("/api/v1/<token>/predict")
    def predict_texts(token: str) -> Response:
        if not tokens.allow(token):
            raise NotFound
        with catalog.use(settings.text_model, None) as served:
            request_log.about(served)
            predictor.admit(served.batcher)
            texts = _texts(json.read(cast(Request, request), served.batcher))
            if "text" not in served.model.task.fields:
                raise errors.NotUsable(
                    f"Model {settings.text_model} takes no text; set text_model."
                )
            until = time.monotonic() + settings.request_timeout_s
            with leaving.watch(request.environ):
                labels = _labels(predictor, served, list(texts.values()), until)
        return reply(dict(zip(texts, labels, strict=True)))

    return blueprint


def _texts(document: object) -> dict[str, str]:
    if not isinstance(document, dict):
        raise errors.Malformed('The JSON must be an object, like {"1": "a text"}.')
    if len(document) > MAX_TEXTS:
        raise errors.TooLarge(
            f"{len(document)} texts in one request; at most {MAX_TEXTS} are taken.",
            code="too_many_inputs",
        )
    for key, text in document.items():
        try:
            key.encode()
        except UnicodeEncodeError:
            raise errors.NotUsable(
                f"The key {key[:80]!a} has half of a surrogate pair."
            ) from None
        if not isinstance(text, str):
            raise errors.NotUsable(f"The value of {key[:80]!r} must be a string.")
    return document


def _labels(
    predictor: Predictor, served: Served, texts: list[str], until: float
) -> list[str]:
    """The best label of each text. Raises the first error there is."""
    labels = []
    for start in range(0, len(texts), WINDOW):
        window = texts[start : start + WINDOW]
        with _room.take(len(window)):
            left = max(0.0, until - time.monotonic())
            outcomes = predictor.answer(served, window, top=1, timeout=left)
        request_log.answered(outcomes)
        for outcome in outcomes:
            if isinstance(outcome, errors.FacenalityError):
                raise outcome
            labels.append(str(outcome.predictions[0]["label"]))
    return labels
