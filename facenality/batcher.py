"""Instances -> batches -> the model thread -> scores.

Theory of operation. Greenlets submit jobs into a queue that the hub owns. One collector
greenlet takes whatever waits, up to `max_batch_size`, the moment the model thread is
free; while a batch is in the model thread, the next one gathers by itself. So a lone
request never waits for company, a busy server batches, and nothing polls.

A job is answered exactly once: with its own row, with the model's error, or, when its
greenlet stops waiting (deadline, client gone), never: then it leaves the queue at once
and does not reach the model. A batch that fails is tried again one by one, so that only
the culprit fails.
"""

import logging
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import gevent
from gevent.event import AsyncResult, Event

from .arrays import Arrays, rows, stack
from .errors import ModelFailed, Overloaded
from .threads import Threads

Predict = Callable[[Arrays], Arrays]
Observe = Callable[[int, float], None]  # the size of a batch, its seconds in the model

log = logging.getLogger(__name__)

# Places for jobs when the model's speed is not known yet, and at the very most: 512
# instances of 224x224x3 are 300 MiB.
MAX_JOBS = 512


def unobserved(_size: int, _seconds: float) -> None:
    """Of these batches nobody keeps account."""


@dataclass(frozen=True)
class Row:
    """One job's scores, and where its time went (seconds)."""

    scores: Arrays
    queue_seconds: float
    predict_seconds: float
    batch_size: int


@dataclass(eq=False)
class _Job:
    instance: Arrays
    result: AsyncResult
    submitted: float = field(default_factory=time.monotonic)
    gone: bool = False


class Batcher:
    """Gives `predict` (batch[N, …] -> scores[N, …]) batches in the model thread.

    All methods are for greenlets of the hub that made it.
    """

    def __init__(
        self,
        predict: Predict,
        thread: Threads,
        *,
        max_batch_size: int,
        max_batch_wait: float = 0.0,
        max_queue_wait: float = 5.0,
        observe: Observe = unobserved,
    ) -> None:
        self._predict = predict
        self._thread = thread
        self._max_batch_size = max_batch_size
        self._max_batch_wait = max_batch_wait
        self._max_queue_wait = max_queue_wait
        self._observe = observe
        self._queue: deque[_Job] = deque()
        self._waiting = Event()
        self._full = Event()
        self._places = 0
        self._seconds_per_job: float | None = None
        self._collector = gevent.spawn(self._collect)

    @property
    def depth(self) -> int:
        """Jobs that wait for their batch."""
        return len(self._queue)

    @contextmanager
    def places(self, count: int = 1) -> Iterator[None]:
        """Hold `count` places from before decoding until the answers.

        Raises Overloaded, before any work is done, when the jobs inside would keep
        these waiting for longer than `max_queue_wait`.
        """
        wait = self._places * (self._seconds_per_job or 0.0)
        if wait > self._max_queue_wait or self._places + count > MAX_JOBS:
            raise Overloaded(
                f"Too many requests are waiting; try again in {max(wait, 1.0):.0f} s.",
                retry_after=max(wait, 1.0),
            )
        self._places += count
        try:
            yield
        finally:
            self._places -= count

    def submit(self, instance: Arrays) -> Row:
        """Wait for the scores of `instance`.

        Raises ModelFailed. A greenlet that is killed or times out while it waits takes
        its job along.
        """
        job = _Job(instance, AsyncResult())
        self._queue.append(job)
        self._waiting.set()
        if len(self._queue) >= self._max_batch_size:
            self._full.set()
        try:
            row: Row = job.result.get()
        except BaseException:
            self._withdraw(job)
            raise
        return row

    def close(self) -> None:
        """Stop collecting; the queue must be empty or it is never answered."""
        self._collector.kill()

    def _withdraw(self, job: _Job) -> None:
        job.gone = True
        if job in self._queue:
            self._queue.remove(job)

    def _collect(self) -> None:
        while True:
            self._waiting.wait()
            self._wait_for_company()
            batch = self._take()
            if batch:
                self._run(batch)

    def _wait_for_company(self) -> None:
        if not self._max_batch_wait or not self._queue:
            return
        self._full.clear()
        if len(self._queue) < self._max_batch_size:
            left = self._queue[0].submitted + self._max_batch_wait - time.monotonic()
            if left > 0:
                self._full.wait(left)

    def _take(self) -> list[_Job]:
        count = min(len(self._queue), self._max_batch_size)
        batch = [self._queue.popleft() for _ in range(count)]
        if not self._queue:
            self._waiting.clear()
        return batch

    def _run(self, batch: list[_Job]) -> None:
        """Answer every job of `batch`."""
        started = time.monotonic()
        try:
            scores = self._thread.run(
                _predict_rows, self._predict, [job.instance for job in batch]
            )
        except Exception as error:
            self._recover(batch, error)
            return
        seconds = time.monotonic() - started
        self._learn_rate(seconds / len(batch))
        self._observe(len(batch), seconds)
        for job, row in zip(batch, scores, strict=True):
            waited = started - job.submitted
            job.result.set(Row(row, waited, seconds, len(batch)))

    def _recover(self, batch: list[_Job], error: Exception) -> None:
        """Find the culprit: each job alone, and a job that fails alone is it."""
        if len(batch) == 1:
            batch[0].result.set_exception(_as_model_failed(error))
            return
        for job in batch:
            if not job.gone:
                self._run([job])

    def _learn_rate(self, seconds: float) -> None:
        """A moving average over some ten batches; the first one starts it."""
        known = self._seconds_per_job
        self._seconds_per_job = (
            seconds if known is None else 0.9 * known + 0.1 * seconds
        )


def _predict_rows(predict: Predict, instances: list[Arrays]) -> list[Arrays]:
    """In the model thread: stack, predict, check that rows out equal rows in."""
    answered = rows(predict(stack(instances)))
    if len(answered) != len(instances):
        raise ModelFailed(
            f"The model answered {len(answered)} rows for {len(instances)} instances."
        )
    return answered


def _as_model_failed(error: Exception) -> ModelFailed:
    if isinstance(error, ModelFailed):
        return error
    log.error("the model failed on an instance", exc_info=error)
    return ModelFailed(
        "The model failed on this input; the server's log has the reason."
    )
