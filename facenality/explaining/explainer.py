"""One explanation at a time, in the pauses of the predictions.

Theory of operation. An explanation is a hundred predictions that nobody must wait
for. They reach the model in small batches beside its queue, and before each one the
explainer waits until every model has been quiet for a moment. So a prediction that
arrives waits for one small batch at most, and where predictions follow closely upon
each other, the explanation is the one that gives way: it is refused like a request that
finds the queue full.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain, islice
from math import inf

import gevent

from ..arrays import Arrays
from ..catalog import Catalog, Served
from ..errors import Draining, Expired, NotUsable, Overloaded
from ..golden import EVERY_LABEL
from ..settings import Settings
from ..tasks import Payload, Prediction
from ..threads import Threads
from .chosen import choose, number
from .leaving_out import Words
from .occlusion import Patches
from .parts import Parts

# Ten times what a prediction may have to wait for: traffic that comes at the worst
# rhythm is slowed by a tenth.
QUIET_S = 0.25
CHUNK_S = 0.025


class Explainer:
    """Explains for all models of a catalog; for greenlets of its hub."""

    def __init__(self, catalog: Catalog, settings: Settings) -> None:
        self._catalog = catalog
        self._thread = Threads(1)  # decodes; there is one explanation at a time
        self._patience = settings.max_queue_wait_s
        self._timeout = settings.request_timeout_s
        self._until = -inf  # when the explanation that runs must have ended
        self._busy = False

    def explain(
        self, served: Served, payload: Payload, label: str | None
    ) -> Prediction:
        """The prediction for `label` (None: the best), and what each part adds to it.

        Raises what decoding raises, Overloaded, Expired, Draining.
        """
        with self._alone():
            most = int(self._timeout / 2 / seconds_each(served))
            parts = self._thread.run(_parts, served, payload, most)
            rest = self._scores(served, chain([parts.whole], parts.hidden()))
            task = served.model.task
            prediction = choose(task.describe(next(rest), EVERY_LABEL), label)
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

    def _scores(self, served: Served, instances: Iterator[Arrays]) -> Iterator[Arrays]:
        size, most = 1, chunk_size(served)
        while chunk := list(islice(instances, size)):
            self._wait_for_quiet()
            started = time.monotonic()
            rows = served.batcher.aside(chunk)
            each = (time.monotonic() - started) / len(chunk)  # long texts take longer
            size = max(1, min(most, int(CHUNK_S / max(each, 1e-6))))
            for row in rows:
                yield row
                gevent.sleep(0)  # a thousand labels take the hub a millisecond a row

    def _wait_for_quiet(self) -> None:
        busy = Overloaded(
            "The server is busy with predictions; explanations wait until it is quiet.",
            retry_after=self._patience,
        )
        with gevent.Timeout(self._patience, busy):
            while (missing := QUIET_S - self._catalog.quiet) > 0:
                gevent.sleep(missing)
        if self._catalog.draining:
            raise Draining("The server is going down.")


def _parts(served: Served, payload: Payload, most: int) -> Parts:
    """At most `most` parts of one input. Raises NotUsable, TooLarge."""
    model = served.model
    if model.recipe.image:
        return Patches(model.task, model.recipe.image, payload, most)
    if model.recipe.task == "text-classification":
        return Words(model.task, payload, most)
    raise NotUsable(
        "Only models of pictures and of texts can be explained: a plain tensor has no "
        "parts that could be shown."
    )


def chunk_size(served: Served) -> int:
    """The most instances whose batch takes no longer than CHUNK_S; at least one."""
    seconds = served.model.batch_seconds
    return max((size for size, took in seconds.items() if took <= CHUNK_S), default=1)


def seconds_each(served: Served) -> float:
    """Of one instance in a chunk, as it was when the model was warmed."""
    size = chunk_size(served)
    return max(1e-4, served.model.batch_seconds.get(size, 0.0) / size)
