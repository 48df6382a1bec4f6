"""What computes a batch: threads of this process, or a server elsewhere.

An instance that is decoded by the thread that computes it.

Decoder threads are for many. A request that is alone is soonest done where one thread
does both: it saves two hops between threads, and the pixels are still in that core's
cache.
"""

import logging
import time
from collections.abc import Callable
from typing import Any

from ..arrays import Arrays, rows, stack
from ..errors import Expired, FacenalityError, ModelFailed
from .thread_pool import Threads

log = logging.getLogger(__name__)


class Undecoded:
    """`seconds` is what decoding took; whoever no longer waits sets `gone`."""

    def __init__(self, decode: Callable[[Any], Arrays], payload: Any) -> None:
        self._decode = decode
        self._payload = payload
        self.seconds = 0.0
        self.gone = False

    def decoded(self) -> Arrays:
        """The instance. Raises FacenalityError; Expired where nobody waits any more."""
        started = time.monotonic()
        try:
            instance = self._decode(self._payload)
        except FacenalityError:
            raise
        except Exception:
            log.exception("decoding failed")
            raise FacenalityError(
                "The server failed on this input; its log says why."
            ) from None
        self.seconds = time.monotonic() - started
        if self.gone:
            raise Expired("Nobody waits for it any more.")
        return instance


Predict = Callable[[Arrays], Arrays]
Ask = Callable[[Arrays, float], Arrays]
Compute = Callable[[list[Arrays], float], list[Arrays]]  # instances, deadline -> rows


class InThreads:
    """`predict` (batch[N, …] -> scores[N, …]) in threads of the model's.

    What has begun there is finished, whoever still waits: a thread cannot be stopped.
    """

    def __init__(self, predict: Predict, threads: Threads) -> None:
        self._predict = predict
        self._threads = threads

    def __call__(self, instances: list[Arrays], _deadline: float) -> list[Arrays]:
        """The scores of each."""
        return self._threads.run(self._rows, instances)

    def one(self, undecoded: Undecoded, ended: Callable[[], None]) -> Arrays:
        """The scores of one; `ended` as in `Threads.run_to_its_end`."""
        return self._threads.run_to_its_end(ended, self._one, undecoded)

    def _one(self, undecoded: Undecoded) -> Arrays:
        return self._rows([undecoded.decoded()])[0]

    def _rows(self, instances: list[Arrays]) -> list[Arrays]:
        """In a thread: stack, predict, check that rows out equal rows in."""
        answered = rows(self._predict(stack(instances)))
        if len(answered) != len(instances):
            raise ModelFailed(
                f"The model answered {len(answered)} rows for {len(instances)} "
                "instances."
            )
        return answered


def elsewhere(ask: Ask) -> Compute:
    """`ask` (batch[N, …], deadline -> scores[N, …]) in the greenlet of the batch."""

    def compute(instances: list[Arrays], deadline: float) -> list[Arrays]:
        return rows(ask(stack(instances), deadline))

    return compute
