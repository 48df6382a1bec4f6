"""POST /api/v1/<token>/predict: texts by key in, a label for each out.

The token in the path is what lets a client in. Any other token is answered as a path
that does not exist, and logs show the route's template, never the token.

Room for so many at once: who came first goes in first, and nobody is looked for.
"""

import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import cast

from flask import Blueprint, Response, request
from gevent.event import Event
from werkzeug.exceptions import NotFound

from ... import errors
from ...pipeline import Predictor
from ...registry.registry import LoadedModel, Registry
from ...server import disconnect
from ...settings import Settings
from .. import access_log
from ..auth import Tokens
from ..json_body import JsonBodies
from ..request import Request
from ..responses import reply


@dataclass(eq=False)
class _Waiting:
    count: int
    let_in: Event = field(default_factory=Event)


class FifoSemaphore:
    """Room for `size`; for greenlets of one hub."""

    def __init__(self, size: int) -> None:
        self._free = size
        self._line: deque[_Waiting] = deque()

    @contextmanager
    def take(self, count: int) -> Iterator[None]:
        """Hold room for `count`, which is `size` at most, as soon as it is there."""
        if self._line or count > self._free:
            self._wait(_Waiting(count))
        else:
            self._free -= count
        try:
            yield
        finally:
            self._give_back(count)

    def _wait(self, one: _Waiting) -> None:
        self._line.append(one)
        try:
            one.let_in.wait()
        except BaseException:  # its client has gone, perhaps when it was just let in
            if one.let_in.is_set():
                self._give_back(one.count)
            else:
                self._line.remove(one)
                self._let_in()
            raise

    def _give_back(self, count: int) -> None:
        self._free += count
        self._let_in()

    def _let_in(self) -> None:
        while self._line and self._line[0].count <= self._free:
            one = self._line.popleft()
            self._free -= one.count
            one.let_in.set()


MAX_TEXTS = 10_000
WINDOW = 64  # texts in the batcher at once, of all such requests together
_room = FifoSemaphore(WINDOW)  # so that others find places


def routes(
    catalog: Registry,
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
            access_log.about(served)
            predictor.admit(served.batcher)
            texts = _texts(json.read(cast(Request, request), served.batcher))
            if "text" not in served.model.task.fields:
                raise errors.UnprocessableInput(
                    f"Model {settings.text_model} takes no text; set text_model."
                )
            until = time.monotonic() + settings.request_timeout_s
            with disconnect.cancel_on_disconnect(request.environ):
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
            raise errors.UnprocessableInput(
                f"The key {key[:80]!a} has half of a surrogate pair."
            ) from None
        if not isinstance(text, str):
            raise errors.UnprocessableInput(
                f"The value of {key[:80]!r} must be a string."
            )
    return document


def _labels(
    predictor: Predictor, served: LoadedModel, texts: list[str], until: float
) -> list[str]:
    """The best label of each text. Raises the first error there is."""
    labels = []
    for start in range(0, len(texts), WINDOW):
        window = texts[start : start + WINDOW]
        with _room.take(len(window)):
            left = max(0.0, until - time.monotonic())
            outcomes = predictor.answer(served, window, top=1, timeout=left)
        access_log.answered(outcomes)
        for outcome in outcomes:
            if isinstance(outcome, errors.FacenalityError):
                raise outcome
            labels.append(str(outcome.predictions[0]["label"]))
    return labels
