"""The journey of one prediction: decode -> predict -> describe."""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass

import gevent

from .batcher import Batcher, Row
from .catalog import Served
from .decoders import Decoders
from .errors import Expired, FacenalityError
from .tasks import Payload, Prediction

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Answer:
    """Predictions for one instance, and where the time went (seconds)."""

    predictions: list[Prediction]
    decode_seconds: float
    row: Row


class Predictor:
    """Sends payloads through decoder threads and a model's batcher."""

    def __init__(self, decoders: Decoders, timeout: float) -> None:
        self._decoders = decoders
        self._timeout = timeout

    def admit(self, batcher: Batcher) -> None:
        """Raise Overloaded where one more would be refused: before a body is read.

        It holds no place meanwhile, so that slow uploads keep nobody out.
        """
        batcher.check(decoding=self._decoders.wait(batcher), within=self._timeout)

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
        seconds = self._timeout if timeout is None else timeout
        deadline = time.monotonic() + seconds
        decoding = self._decoders.wait(served.batcher)
        with served.batcher.places(len(payloads), decoding=decoding, within=seconds):
            greenlets = [
                gevent.spawn(self._one, served, payload, top, deadline)
                for payload in payloads
            ]
            try:
                gevent.joinall(greenlets, timeout=seconds)
                return [g.get() if g.ready() else self._expired() for g in greenlets]
            finally:
                gevent.killall(greenlets, block=False)

    def _one(
        self, served: Served, payload: Payload, top: int, deadline: float
    ) -> Answer | FacenalityError:
        task, batcher, started = served.model.task, served.batcher, time.monotonic()
        try:
            if task.heavy:
                instance = self._decoders.run(batcher, task.decode, payload, deadline)
            else:
                instance = task.decode(payload)
            decoded = time.monotonic()
            row = batcher.submit(instance, deadline)
            return Answer(task.describe(row.scores, top), decoded - started, row)
        except Expired:
            return self._expired()
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
