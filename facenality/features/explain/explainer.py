"""Computes one explanation at a time, in room that predictions leave.

Theory of operation. An explanation needs about a hundred predictions. They reach the
model as background jobs, a few at a time: they fill batches that are not full, and run
by themselves while no prediction waits. So a prediction is delayed by at most one small
batch. If predictions fill every batch, the explanation is refused like a request that
finds the queue full.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from math import inf
from typing import Any, Protocol

import gevent

from ...arrays import Arrays
from ...errors import Draining, Expired, Overloaded, UnprocessableInput
from ...registry.registry import LoadedModel, Registry
from ...scheduling.thread_pool import ThreadPool
from ...settings import Settings
from ...tasks import EVERY_LABEL, Payload, Prediction
from .image import ImageOccluder
from .text import TextOccluder

SHOWN = 20  # the most labels that an error sentence lists


def choose(predictions: list[Prediction], label: str | None) -> Prediction:
    """The prediction for `label`, or the first one. Raises UnprocessableInput.

    If two labels have the same name (ImageNet has two cranes), the better one.
    """
    if label is None:
        return predictions[0]
    for prediction in predictions:
        if prediction["label"] == label:
            return prediction
    raise unknown(label, [one["label"] for one in predictions])


def number(prediction: Prediction) -> float:
    """The prediction's probability, score or value."""
    return next(float(v) for key, v in prediction.items() if key != "label")


def unknown(label: str, labels: list[str]) -> UnprocessableInput:
    """The error for an unknown label, which lists the model's labels."""
    named = ", ".join(labels[:SHOWN])
    more = f" and {len(labels) - SHOWN} more" if len(labels) > SHOWN else ""
    return UnprocessableInput(
        f"The model has no label {label[:100]!r}; it has: {named}{more}.",
        code="no_such_label",
    )


class Occluder(Protocol):
    """A decoded input, and copies of it with one part hidden in each."""

    @property
    def whole(self) -> Arrays:
        """The instance with nothing hidden."""

    def hidden(self, most: int) -> Iterator[Arrays]:
        """An instance for each of about `most` parts, with that part hidden."""

    def describe(self, weights: list[float]) -> dict[str, Any]:
        """The fields of the reply for the parts, which have these weights."""


# Seconds that a chunk takes, which is how long it can delay a prediction.
CHUNK_S = 0.025


class Explainer:
    """Explains predictions of all models; call it from greenlets of one hub."""

    def __init__(self, registry: Registry, settings: Settings) -> None:
        self._catalog = registry
        self._thread = ThreadPool(1)  # decodes; only one explanation runs at a time
        self._retry_after = settings.max_queue_wait_s
        self._timeout = settings.request_timeout_s
        self._until = -inf  # deadline of the running explanation
        self._busy = False

    def explain(
        self, served: LoadedModel, payload: Payload, label: str | None
    ) -> Prediction:
        """The prediction for `label` (None: the best), and what each part adds to it.

        Raises what decoding raises, Overloaded, Expired, Draining.
        """
        with self._exclusively():
            occluder = self._thread.run(_occluder, served, payload)
            (whole,), took = self._predict(served, [occluder.whole])
            task = served.model.task
            prediction = choose(task.describe(whole, EVERY_LABEL), label)
            each = seconds_each(served, took)
            hidden = occluder.hidden(int(self._timeout / 2 / each))
            rest = self._scores(served, hidden, each)
            numbers = (
                number(choose(task.describe(row, EVERY_LABEL), prediction["label"]))
                for row in rest
            )
            weights = [number(prediction) - one for one in numbers]
        return prediction | occluder.describe(weights)

    @contextmanager
    def _exclusively(self) -> Iterator[None]:
        """Let no other explanation run, and time out after `request_timeout_s`."""
        if self._busy:
            raise Overloaded(
                "Another explanation is being computed; try again in a moment.",
                retry_after=min(2.0, self._until - time.monotonic()),
            )
        self._busy, self._until = True, time.monotonic() + self._timeout
        expired = Expired(
            f"The explanation was not ready within {self._timeout:g} s; try when the "
            "server is less busy, or raise request_timeout_s."
        )
        try:
            with gevent.Timeout(self._timeout, expired):
                yield
        finally:
            self._busy = False

    def _scores(
        self, served: LoadedModel, instances: Iterator[Arrays], each: float
    ) -> Iterator[Arrays]:
        """Predict in chunks of CHUNK_S, if an instance takes `each` seconds."""
        size = max(1, min(chunk_size(served), int(CHUNK_S / each)))
        while chunk := list(islice(instances, size)):
            rows, _ = self._predict(served, chunk)
            for row in rows:
                yield row
                gevent.sleep(0)  # describing a thousand labels takes a millisecond

    def _predict(
        self, served: LoadedModel, chunk: list[Arrays]
    ) -> tuple[list[Arrays], float]:
        """The scores, and how many seconds they took."""
        if self._catalog.draining:
            raise Draining("The server is shutting down.")
        started = time.monotonic()
        try:
            rows = served.batcher.run_in_background(chunk)
        except Overloaded:
            raise Overloaded(
                "The server is busy with predictions, which leave no room for "
                "explanations; try again later.",
                retry_after=self._retry_after,
            ) from None
        return rows, time.monotonic() - started


def _occluder(served: LoadedModel, payload: Payload) -> Occluder:
    """The occluder for one input. Raises UnprocessableInput, TooLarge."""
    model = served.model
    image = model.recipe.image
    if image and model.recipe.task != "tensor" and not image.encoded:
        return ImageOccluder(model.task, image, payload)
    if model.recipe.task == "text-classification":
        return TextOccluder(model.task, payload)
    raise UnprocessableInput(
        "Only models of pictures or texts can be explained: a plain tensor has no "
        "parts to show."
    )


def chunk_size(served: LoadedModel) -> int:
    """The largest batch that takes no longer than CHUNK_S; at least one instance."""
    seconds = served.model.batch_seconds
    return max((size for size, took in seconds.items() if took <= CHUNK_S), default=1)


def seconds_each(served: LoadedModel, took: float) -> float:
    """Estimated seconds for an instance in a chunk, if the whole input took `took`.

    As measured during warm-up, but longer if `took` is, for example for a long text.
    """
    warm, size = served.model.batch_seconds, chunk_size(served)
    each = max(1e-4, warm.get(size, 0.0) / size)
    return each * max(1.0, took / max(1e-4, warm.get(1, each)))
