"""The journey of one prediction: decode -> predict -> describe."""

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
from .scheduling.decode_pool import Decoders
from .tasks import Payload, Prediction
from .tasks import describe as sizes

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Scored:
    """The model's scores for one instance, and where the time went (seconds)."""

    row: Row
    decode_seconds: float


@dataclass(frozen=True)
class Answer(Scored):
    """The scores of one instance, described."""

    predictions: list[Prediction]


Outcome = TypeVar("Outcome", bound=Scored)
Finish = Callable[[Scored], Outcome]


class Predictor:
    """Sends payloads through decoder threads and a model's batcher."""

    def __init__(self, decoders: Decoders, timeout: float, metrics: Metrics) -> None:
        self.decoders = decoders
        self._timeout = timeout
        self._metrics = metrics

    def admit(self, batcher: Batcher) -> None:
        """Raise Overloaded where one more would be refused: before a body is read.

        It holds no place meanwhile, so that slow uploads keep nobody out.
        """
        batcher.check(decoding=self.decoders.wait(batcher), within=self._timeout)

    def answer(
        self,
        served: LoadedModel,
        payloads: Sequence[Payload],
        top: int,
        timeout: float | None = None,
    ) -> list[Answer | FacenalityError]:
        """Predictions or an error for each payload, in their order; see `score`.

        One of several is an error where as many of its size are too much for a reply.
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
        """The model's own scores or an error for each payload, in their order.

        Raises Overloaded before any work is done. One greenlet each, so that payloads
        of one request share batches; killed with the caller, they leave the queue.
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
            return FacenalityError("The server failed on this input; its log says why.")

    def _scored(
        self,
        served: LoadedModel,
        payload: Payload,
        deadline: float,
        reservation: Reservation,
    ) -> Scored:
        """Decode in a decoder thread if that takes long, then join a batch."""
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
            f"The answer was not there within {self._timeout:g} s; send fewer requests "
            "at once, or raise request_timeout_s."
        )
