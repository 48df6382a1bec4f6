"""Instances -> batches -> the model -> scores.

Theory of operation. Greenlets submit jobs to a queue that the hub owns. As soon as a
slot of the model is free, the dispatch greenlet takes whatever waits, up to
`max_batch_size`, and starts a greenlet that runs this batch. A model has as many slots
as it can run batches at once. While all slots are taken, the next batch collects in the
queue. So a lone request never waits for others, a busy server batches, and nothing
polls.

A job is answered at most once, with its own row or with the model's error. If its
greenlet stops waiting (deadline, client gone), the job leaves the queue at once and
does not reach the model. A batch that fails is run again one job at a time, so that
only the job that causes the failure fails.

All instances of a batch have the same shape. Where a model takes any size, a batch
consists of the waiting instances with the shape of the first one; the others keep their
places for the next batch.

Background jobs (explanations) wait in a queue of their own. They fill the free room of
a batch, and run by themselves only while no other job waits.
"""

import logging
import math
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import gevent
from gevent.event import AsyncResult, Event
from gevent.lock import BoundedSemaphore
from gevent.pool import Group

from ..arrays import Arrays, shapes
from ..errors import BadGateway, Expired, ModelFailed, Unavailable
from .admission import Admission, Reservation
from .executor import Executor

Observe = Callable[[int, float], None]  # size of a batch, seconds that it ran

log = logging.getLogger(__name__)

# No instance causes these errors, so running the jobs one at a time would not help.
NOT_CAUSED_BY_INPUT = (Unavailable, Expired, BadGateway)


def no_observer(_size: int, _seconds: float) -> None:
    """No-op batch observer."""


@dataclass(frozen=True)
class Row:
    """One job's scores, and how long it took (seconds)."""

    scores: Arrays
    queue_seconds: float
    predict_seconds: float
    batch_size: int


@dataclass(eq=False)
class _Job:
    instance: Arrays
    queue: "deque[_Job] | None"  # None once a batch has taken it
    deadline: float = math.inf
    background: bool = False
    reservation: Reservation | None = None
    result: AsyncResult = field(default_factory=AsyncResult)
    submitted: float = field(default_factory=time.monotonic)
    gone: bool = False  # its caller does not wait for it any more
    batch: "_Batch | None" = None  # the batch it is in, if that can be cancelled

    @property
    def admitted(self) -> bool:
        """True if the model has started on the request, so that it is finished."""
        return self.reservation is not None and self.reservation.started


@dataclass(eq=False)
class _Batch:
    jobs: list[_Job]
    greenlet: gevent.Greenlet

    def cancel_if_unwanted(self) -> None:
        """Cancel the call if no caller waits for any of its jobs."""
        if all(job.gone for job in self.jobs):
            self.greenlet.kill(block=False)


class Batcher(Admission):
    """Runs batches by `execute`, at most `slots` at once.

    A batch on another server is cancelled when no caller waits for it any more; a
    thread cannot be stopped. Call the methods only from greenlets of the hub that made
    it.
    """

    def __init__(
        self,
        execute: Executor,
        *,
        max_batch_size: int,
        slots: int = 1,
        max_batch_wait: float = 0.0,
        max_queue_wait: float = 5.0,
        observe: Observe = no_observer,
        warm_seconds: Mapping[int, float] | None = None,
    ) -> None:
        super().__init__(
            max_batch_size=max_batch_size,
            slots=slots,
            max_queue_wait=max_queue_wait,
            warm_seconds=warm_seconds,
        )
        self._execute = execute
        self._max_batch_wait = max_batch_wait
        self._observe = observe
        self._queue: deque[_Job] = deque()
        self._background: deque[_Job] = deque()
        self._waiting = Event()
        self._full = Event()
        self._free_slots = BoundedSemaphore(slots)
        self._batches = Group()
        self._dispatcher = gevent.spawn(self._dispatch)

    @property
    def depth(self) -> int:
        """The number of jobs in the queue."""
        return len(self._queue)

    @property
    def has_full_batch(self) -> bool:
        """True if a full batch waits, so that decoding more would gain nothing."""
        return len(self._queue) >= self.max_batch_size

    def submit(
        self,
        instance: Arrays,
        deadline: float = math.inf,
        reservation: Reservation | None = None,
    ) -> Row:
        """Wait for the scores of `instance`.

        Raises ModelFailed; Expired if its turn comes after `deadline` (on the monotonic
        clock); Overloaded if it waits longer than `max_queue_wait` and no other job of
        its reservation has reached the model. If the calling greenlet is killed or
        times out, the job is withdrawn.
        """
        job = _Job(instance, self._queue, deadline, reservation=reservation)
        self._queue.append(job)
        self._waiting.set()
        if self.has_full_batch:
            self._full.set()
        return self._result(job)

    def run_in_background(self, instances: list[Arrays]) -> list[Arrays]:
        """Wait for the scores of `instances`, computed in room that predictions leave.

        Raises ModelFailed; Overloaded if there was no room within `max_queue_wait`.
        """
        jobs = [_Job(one, self._background, background=True) for one in instances]
        self._background.extend(jobs)
        self._waiting.set()
        try:
            return [self._result(job).scores for job in jobs]
        finally:
            for job in jobs:
                self._withdraw(job)

    def close(self) -> None:
        """Stop dispatching. Jobs that are still in the queue are never answered."""
        self._dispatcher.kill()
        self._batches.kill()

    def _result(self, job: _Job) -> Row:
        try:
            job.result.wait(self.max_queue_wait)
            if job.queue is not None and not job.admitted:
                raise self.overloaded(self.wait())  # admission estimated a shorter wait
            row: Row = job.result.get()
        except BaseException:
            self._withdraw(job)
            raise
        return row

    def _withdraw(self, job: _Job) -> None:
        job.gone = True
        if job.queue is not None:
            job.queue.remove(job)
            job.queue = None
        elif job.batch:
            job.batch.cancel_if_unwanted()

    def _dispatch(self) -> None:
        while True:
            self._waiting.wait()
            self._wait_for_more_jobs()
            self._free_slots.acquire()
            if batch := self._take():
                self._start(batch)
            else:
                self._free_slots.release()

    def _wait_for_more_jobs(self) -> None:
        if not self._max_batch_wait or not self._queue:
            return
        self._full.clear()
        if not self.has_full_batch:
            left = self._queue[0].submitted + self._max_batch_wait - time.monotonic()
            if left > 0:
                self._full.wait(left)

    def _take(self) -> list[_Job]:
        """Take the next batch; jobs that have expired in the queue get an error."""
        batch: list[_Job] = []
        others: list[_Job] = []
        now = time.monotonic()
        while self._queue and len(batch) < self.max_batch_size:
            job = self._queue.popleft()
            if now >= job.deadline:
                job.queue = None
                job.result.set_exception(Expired("The deadline passed in the queue."))
            elif batch and shapes(job.instance) != shapes(batch[0].instance):
                others.append(job)
            else:
                job.queue = None
                batch.append(job)
                if job.reservation:
                    job.reservation.started = True
        self._queue.extendleft(reversed(others))
        room = self._room(len(batch))
        while self._background and len(batch) < room:
            job = self._background[0]
            if batch and shapes(job.instance) != shapes(batch[0].instance):
                break
            self._background.popleft()
            job.queue = None
            batch.append(job)
        if not self._queue and not self._background:
            self._waiting.clear()
        return batch

    def _room(self, count: int) -> int:
        """How large a batch of `count` may grow at no cost: engines pad to powers of 2.

        A batch of background jobs only may be full.
        """
        if not count:
            return self.max_batch_size
        return min(self.max_batch_size, 1 << (count - 1).bit_length())

    def _start(self, jobs: list[_Job]) -> None:
        """Run the batch in a greenlet; its slot is freed however it ends."""
        greenlet = self._batches.spawn(self._run, jobs)
        if self._execute.cancellable:
            batch = _Batch(jobs, greenlet)
            for job in jobs:
                job.batch = batch
        greenlet.rawlink(lambda _: self._ended(jobs))

    def _ended(self, jobs: list[_Job]) -> None:
        self._free_slots.release()
        for job in jobs:
            job.batch = None  # a cycle would keep the tensors until the next collection

    def _run(self, batch: list[_Job]) -> None:
        """Answer every job of `batch`."""
        running = self.began(len(batch), sum(not job.background for job in batch))
        try:
            scores = self._execute([job.instance for job in batch], _deadline(batch))
        except NOT_CAUSED_BY_INPUT as error:
            for job in batch:
                job.result.set_exception(error)
            return
        except Exception as error:
            self._recover(batch, error)
            return
        finally:
            seconds = self.ended(running)
        self.learn(len(batch), seconds)
        for job, row in zip(batch, scores, strict=True):
            waited = running.started - job.submitted
            job.result.set(Row(row, waited, seconds, len(batch)))
        self._report(len(batch), seconds)

    def _report(self, size: int, seconds: float) -> None:
        """Call the observer; an exception in it must not stop the batcher."""
        try:
            self._observe(size, seconds)
        except Exception:
            log.exception("the batch observer failed")

    def _recover(self, batch: list[_Job], error: Exception) -> None:
        """Run a failed batch's jobs one at a time, so that only the bad one fails."""
        if len(batch) == 1:
            batch[0].result.set_exception(_as_model_failed(error))
            return
        for job in batch:
            if not job.gone:
                self._run([job])


def _deadline(batch: list[_Job]) -> float:
    """The latest deadline among the jobs that are not background jobs."""
    return max((job.deadline for job in batch if not job.background), default=math.inf)


def _as_model_failed(error: Exception) -> ModelFailed:
    if isinstance(error, ModelFailed):
        return error
    log.error("the model failed on an instance", exc_info=error)
    return ModelFailed(
        "The model failed on this input; the server's log has the reason."
    )
