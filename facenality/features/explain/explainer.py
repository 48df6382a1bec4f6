"""One explanation at a time, in room that predictions leave.

Theory of operation. An explanation is a hundred predictions that nobody must wait
for. They reach the model as background jobs, a few at a time: they fill the batches of
predictions that are not full, and run by themselves while no prediction waits. So a
prediction waits for one small batch at most. If predictions fill every batch, the
explanation is refused like a request that finds the queue full.

The one prediction that is to be explained, out of all of a row.

What an explanation needs of a kind of input.
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

SHOWN = 20  # labels that a sentence names; a thousand would be no sentence


def choose(predictions: list[Prediction], label: str | None) -> Prediction:
    """The prediction for `label`, or the first one. Raises UnprocessableInput.

    Of two labels with the same name (ImageNet has two cranes) the better one.
    """
    if label is None:
        return predictions[0]
    for prediction in predictions:
        if prediction["label"] == label:
            return prediction
    raise unknown(label, [one["label"] for one in predictions])


def number(prediction: Prediction) -> float:
    """Its probability, score or value."""
    return next(float(v) for key, v in prediction.items() if key != "label")


def unknown(label: str, labels: list[str]) -> UnprocessableInput:
    """The error that names the labels there are."""
    named = ", ".join(labels[:SHOWN])
    more = f" and {len(labels) - SHOWN} more" if len(labels) > SHOWN else ""
    return UnprocessableInput(
        f"The model has no label {label[:100]!r}; it has: {named}{more}.",
        code="no_such_label",
    )


class Occluder(Protocol):
    """One input, decoded, and the same with each of its parts hidden."""

    @property
    def whole(self) -> Arrays:
        """The instance with nothing hidden."""

    def hidden(self, most: int) -> Iterator[Arrays]:
        """An instance for each of about `most` parts: the whole without it."""

    def describe(self, weights: list[float]) -> dict[str, Any]:
        """What the reply says of those parts, given the weight of each."""


# A prediction that arrives at the wrong moment waits for so many seconds more.
CHUNK_S = 0.025


class Explainer:
    """Explains for all models of a catalog; for greenlets of its hub."""

    def __init__(self, catalog: Registry, settings: Settings) -> None:
        self._catalog = catalog
        self._thread = ThreadPool(1)  # decodes; there is one explanation at a time
        self._patience = settings.max_queue_wait_s
        self._timeout = settings.request_timeout_s
        self._until = -inf  # when the explanation that runs must have ended
        self._busy = False

    def explain(
        self, served: LoadedModel, payload: Payload, label: str | None
    ) -> Prediction:
        """The prediction for `label` (None: the best), and what each part adds to it.

        Raises what decoding raises, Overloaded, Expired, Draining.
        """
        with self._alone():
            parts = self._thread.run(_parts, served, payload)
            (whole,), alone = self._ask(served, [parts.whole])
            task = served.model.task
            prediction = choose(task.describe(whole, EVERY_LABEL), label)
            each = seconds_each(served, alone)
            hidden = parts.hidden(int(self._timeout / 2 / each))
            rest = self._scores(served, hidden, each)
            numbers = (
                number(choose(task.describe(row, EVERY_LABEL), prediction["label"]))
                for row in rest
            )
            weights = [number(prediction) - one for one in numbers]
        return prediction | parts.describe(weights)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Be the only explanation, for at most the deadline of a request."""
        if self._busy:
            raise Overloaded(
                "Another explanation is being computed; try again in a moment.",
                retry_after=min(2.0, self._until - time.monotonic()),
            )
        self._busy, self._until = True, time.monotonic() + self._timeout
        expired = Expired(
            f"The explanation was not there within {self._timeout:g} s; ask when the "
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
        """In chunks of CHUNK_S, where an instance takes `each` seconds."""
        size = max(1, min(chunk_size(served), int(CHUNK_S / each)))
        while chunk := list(islice(instances, size)):
            rows, _ = self._ask(served, chunk)
            for row in rows:
                yield row
                gevent.sleep(0)  # a thousand labels take the hub a millisecond a row

    def _ask(
        self, served: LoadedModel, chunk: list[Arrays]
    ) -> tuple[list[Arrays], float]:
        """The scores, and how many seconds they took."""
        if self._catalog.draining:
            raise Draining("The server is going down.")
        started = time.monotonic()
        try:
            rows = served.batcher.run_in_background(chunk)
        except Overloaded:
            raise Overloaded(
                "The server is busy with predictions, which leave explanations no "
                "room; try again later.",
                retry_after=self._patience,
            ) from None
        return rows, time.monotonic() - started


def _parts(served: LoadedModel, payload: Payload) -> Occluder:
    """The parts of one input. Raises UnprocessableInput, TooLarge."""
    model = served.model
    if model.recipe.image:
        return ImageOccluder(model.task, model.recipe.image, payload)
    if model.recipe.task == "text-classification":
        return TextOccluder(model.task, payload)
    raise UnprocessableInput(
        "Only models of pictures and of texts can be explained: a plain tensor has no "
        "parts that could be shown."
    )


def chunk_size(served: LoadedModel) -> int:
    """The most instances whose batch takes no longer than CHUNK_S; at least one."""
    seconds = served.model.batch_seconds
    return max((size for size, took in seconds.items() if took <= CHUNK_S), default=1)


def seconds_each(served: LoadedModel, alone: float) -> float:
    """Of one instance in a chunk, of which the whole `alone` took so many seconds.

    As when the model was warmed, or as much slower as a long text is.
    """
    warm, size = served.model.batch_seconds, chunk_size(served)
    each = max(1e-4, warm.get(size, 0.0) / size)
    return each * max(1.0, alone / max(1e-4, warm.get(1, each)))
