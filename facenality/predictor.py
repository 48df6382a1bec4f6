"""The journey of one prediction: decode -> predict -> describe."""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass

import gevent

from .batcher import Row
from .catalog import Served
from .errors import Expired, FacenalityError
from .metrics import Metrics
from .tasks import Payload, Prediction
from .threads import Threads

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Answer:
    """Predictions for one instance, and where the time went (seconds)."""

    predictions: list[Prediction]
    decode_seconds: float
    row: Row


class Predictor:
    """Sends payloads through decoder threads and a model's batcher."""

    def __init__(self, decoders: Threads, timeout: float, metrics: Metrics) -> None:
        self._decoders = decoders
        self._timeout = timeout
        self._metrics = metrics

    def answer(
        self,
        served: Served,
        payloads: Sequence[Payload],
        top: int,
        timeout: float | None = None,
    ) -> list[Answer | FacenalityError]:
        """An answer or an error for each payload, in their order.

        Raises Overloaded before any work is done. One greenlet each, so that payloads
        of one request share batches; killed with the caller, they leave the queue.
        """
        with served.batcher.places(len(payloads)):
            greenlets = [gevent.spawn(self._one, served, p, top) for p in payloads]
            try:
                seconds = self._timeout if timeout is None else timeout
                gevent.joinall(greenlets, timeout=seconds)
                return [g.get() if g.ready() else self._expired() for g in greenlets]
            finally:
                gevent.killall(greenlets, block=False)

    def _one(
        self, served: Served, payload: Payload, top: int
    ) -> Answer | FacenalityError:
        task, started = served.model.task, time.monotonic()
        name = served.model.found.name
        try:
            if task.heavy:
                instance = self._decoders.run(task.decode, payload)
            else:
                instance = task.decode(payload)
            decoding = time.monotonic() - started
            self._metrics.decoded(name, decoding)
            row = served.batcher.submit(instance)
            self._metrics.waited(name, row.queue_seconds)
            return Answer(task.describe(row.scores, top), decoding, row)
        except FacenalityError as error:
            return error
        except Exception:
            log.exception("a prediction failed")
            return FacenalityError("The server failed on this input; its log says why.")

    def _expired(self) -> Expired:
        return Expired(
            f"The answer was not there within {self._timeout:g} s; send fewer requests "
            "at once, or raise request_timeout_s."
        )
