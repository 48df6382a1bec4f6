"""POST /api/v1/<token>/predict: an object of texts in, a label for each key out.

The token in the path authorizes the client. A wrong token is answered like a path that
does not exist; logs show the route's template, never the token.
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
class _Waiter:
    count: int
    granted: Event = field(default_factory=Event)


class FifoSemaphore:
    """A semaphore of `size` units that serves waiters in the order of their arrival."""

    def __init__(self, size: int) -> None:
        self._free = size
        self._waiters: deque[_Waiter] = deque()

    @contextmanager
    def take(self, count: int) -> Iterator[None]:
        """Wait for `count` units (`size` at most), and hold them in the block."""
        if self._waiters or count > self._free:
            self._wait(_Waiter(count))
        else:
            self._free -= count
        try:
            yield
        finally:
            self._release(count)

    def _wait(self, waiter: _Waiter) -> None:
        self._waiters.append(waiter)
        try:
            waiter.granted.wait()
        except BaseException:  # the client has gone, perhaps just after it was granted
            if waiter.granted.is_set():
                self._release(waiter.count)
            else:
                self._waiters.remove(waiter)
                self._grant()
            raise

    def _release(self, count: int) -> None:
        self._free += count
        self._grant()

    def _grant(self) -> None:
        while self._waiters and self._waiters[0].count <= self._free:
            waiter = self._waiters.popleft()
            self._free -= waiter.count
            waiter.granted.set()


MAX_TEXTS = 10_000
WINDOW = 64  # texts in the batcher at once, over all requests to this route
_window = FifoSemaphore(WINDOW)  # leaves room in the batcher for other requests


def routes(
    registry: Registry,
    predictor: Predictor,
    settings: Settings,
    tokens: Tokens,
    json: JsonBodies,
) -> Blueprint:
    """The text route; without tokens there is no such route."""
    blueprint = Blueprint("texts", __name__)
    if not tokens.configured:
        return blueprint

    @blueprint.post("/api/v1/<token>/predict")
    def predict_texts(token: str) -> Response:
        if not tokens.allow(token):
            raise NotFound
        with registry.use(settings.text_model, None) as served:
            access_log.about(served)
            predictor.admit(served.batcher)
            texts = _texts(json.read(cast(Request, request), served.batcher))
            if "text" not in served.model.task.fields:
                raise errors.UnprocessableInput(
                    f"Model {settings.text_model} does not take text; set text_model "
                    "to one that does."
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
            f"The request has {len(document)} texts; at most {MAX_TEXTS} are allowed.",
            code="too_many_inputs",
        )
    for key, text in document.items():
        try:
            key.encode()
        except UnicodeEncodeError:
            raise errors.UnprocessableInput(
                f"The key {key[:80]!a} contains half of a surrogate pair."
            ) from None
        if not isinstance(text, str):
            raise errors.UnprocessableInput(
                f"The value of {key[:80]!r} must be a string."
            )
    return document


def _labels(
    predictor: Predictor, served: LoadedModel, texts: list[str], until: float
) -> list[str]:
    """The best label of each text. Raises the first error among the outcomes."""
    labels = []
    for start in range(0, len(texts), WINDOW):
        window = texts[start : start + WINDOW]
        with _window.take(len(window)):
            left = max(0.0, until - time.monotonic())
            outcomes = predictor.answer(served, window, top=1, timeout=left)
        access_log.answered(outcomes)
        for outcome in outcomes:
            if isinstance(outcome, errors.FacenalityError):
                raise outcome
            labels.append(str(outcome.predictions[0]["label"]))
    return labels
