"""The journey of one prediction: reserve -> decode -> submit -> describe."""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import gevent

from .errors import ClientGone, Expired, FacenalityError
from .observability.metrics import Metrics
from .registry.registry import LoadedModel
from .scheduling.admission import Reservation
from .scheduling.batcher import Batcher, Row
from .scheduling.decode_pool import DecodePool
from .tasks import Payload, Prediction
from .tasks import describe as sizes

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Scored:
    """The model's scores for one instance, and how long decoding took (seconds)."""

    row: Row
    decode_seconds: float


@dataclass(frozen=True)
class Answer(Scored):
    """The scores of one instance, described as predictions."""

    predictions: list[Prediction]


Outcome = TypeVar("Outcome", bound=Scored)
Finish = Callable[[Scored], Outcome]


class Predictor:
    """Sends payloads through the decoder threads and a model's batcher."""

    def __init__(self, decoders: DecodePool, timeout: float, metrics: Metrics) -> None:
        self.decoders = decoders
        self._timeout = timeout
        self._metrics = metrics

    def admit(self, batcher: Batcher) -> None:
        """Raise Overloaded if one more job would be refused now.

        Called before a body is read. It reserves nothing, so that slow uploads do not
        keep other requests out.
        """
        batcher.check(decoding=self.decoders.wait(batcher), within=self._timeout)

    def answer(
        self,
        served: LoadedModel,
        payloads: Sequence[Payload],
        top: int,
        timeout: float | None = None,
    ) -> list[Answer | FacenalityError]:
        """Predictions or an error for each payload, in order; see `score`.

        A payload gets an error if `count` answers of its size are too much for a reply.
        """
        task, count = served.model.task, len(payloads)

        def describe(scored: Scored) -> Answer:
            scores = scored.row.scores
            sizes.check_numbers(count, count * task.length(scores, top))
            predictions = task.describe(scores, top)
            return Answer(scored.row, scored.decode_seconds, predictions)

        return self._each(served, payloads, describe, timeout)

    def score(
        self,
        served: LoadedModel,
        payloads: Sequence[Payload],
        timeout: float | None = None,
    ) -> list[Scored | FacenalityError]:
        """The model's own scores or an error for each payload, in order.

        Raises Overloaded before any work is done. Each payload has its own greenlet, so
        that payloads of one request share batches. If the caller is killed, they are
        too, and their jobs leave the queue.
        """
        return self._each(served, payloads, lambda scored: scored, timeout)

    def _each(
        self,
        served: LoadedModel,
        payloads: Sequence[Payload],
        finish: Finish[Outcome],
        timeout: float | None,
    ) -> list[Outcome | FacenalityError]:
        seconds = self._timeout if timeout is None else timeout
        deadline = time.monotonic() + seconds
        decoding = self.decoders.wait(served.batcher)
        with served.batcher.reserve(
            len(payloads), decoding=decoding, within=seconds
        ) as reservation:
            one = partial(self._one, served, finish, deadline, reservation)
            if len(payloads) == 1:  # in this greenlet: most requests have one
                with gevent.Timeout(seconds, False):
                    return [one(payloads[0])]
                return [self._expired()]
            greenlets = [gevent.spawn(one, payload) for payload in payloads]
            try:
                gevent.joinall(greenlets, timeout=seconds)
                return [g.get() if g.ready() else self._expired() for g in greenlets]
            finally:
                gevent.killall(greenlets, block=False)

    def _one(
        self,
        served: LoadedModel,
        finish: Finish[Outcome],
        deadline: float,
        reservation: Reservation,
        payload: Payload,
    ) -> Outcome | FacenalityError:
        try:
            scored = self._scored(served, payload, deadline, reservation)
            name = served.model.found.name
            self._metrics.waited(name, scored.row.queue_seconds)
            return finish(scored)
        except ClientGone:
            raise
        except Expired:
            return self._expired()
        except FacenalityError as error:
            return error
        except Exception:
            log.exception("a prediction failed")
            return FacenalityError(
                "The server failed on this input; the server's log says why."
            )

    def _scored(
        self,
        served: LoadedModel,
        payload: Payload,
        deadline: float,
        reservation: Reservation,
    ) -> Scored:
        """Decode, in a decoder thread if that takes long, and then join a batch."""
        task, batcher, started = served.model.task, served.batcher, time.monotonic()
        if task.heavy:
            instance = self.decoders.run(batcher, task.decode, payload, deadline)
        else:
            instance = task.decode(payload)
        decoding = time.monotonic() - started
        self._metrics.decoded(served.model.found.name, decoding)
        return Scored(batcher.submit(instance, deadline, reservation), decoding)

    def _expired(self) -> Expired:
        return Expired(
            f"The answer was not ready within {self._timeout:g} s; send fewer requests "
            "at once, or raise request_timeout_s."
        )
