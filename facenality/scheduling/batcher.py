"""Instances -> batches -> the model -> scores.

Theory of operation. Greenlets submit jobs into a queue that the hub owns. One collector
greenlet takes whatever waits, up to `max_batch_size`, the moment a lane into the model
is free: a model in this process has one, its thread, or a thread for each of the
batches that its engine computes at once; one elsewhere has as many as calls may be in
flight. While a batch is in the model, the next one gathers by itself. So a lone request
never waits for company, a busy server batches, and nothing polls.

A job is answered exactly once: with its own row, with the model's error, or, when its
greenlet stops waiting (deadline, client gone), never: then it leaves the queue at once
and does not reach the model. A batch that fails is tried again one by one, so that only
the culprit fails.
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

from ..arrays import Arrays
from ..errors import BadGateway, Expired, FacenalityError, ModelFailed, Unavailable
from .admission import Admission, Running
from .executor import Compute, InThreads, Undecoded

Observe = Callable[[int, float], None]  # the size of a batch, its seconds in the model

log = logging.getLogger(__name__)

# Nothing in the batch is to blame for these: alone, its jobs would fare no better.
NOBODYS_FAULT = (Unavailable, Expired, BadGateway)


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
    deadline: float
    result: AsyncResult = field(default_factory=AsyncResult)
    submitted: float = field(default_factory=time.monotonic)
    gone: bool = False
    carrier: gevent.Greenlet | None = None  # of its batch, where batches run beside
    together: "list[_Job]" = field(default_factory=list)  # the jobs of that batch


class Batcher(Admission):
    """Gives `compute` batches, as many at once as there are `lanes`.

    A batch that is computed elsewhere is let go when nobody waits for it any more; a
    thread could not be stopped. All methods are for greenlets of the hub that made it.
    """

    def __init__(
        self,
        compute: Compute,
        *,
        max_batch_size: int,
        lanes: int = 1,
        max_batch_wait: float = 0.0,
        max_queue_wait: float = 5.0,
        observe: Observe = unobserved,
        warm_seconds: Mapping[int, float] | None = None,
    ) -> None:
        super().__init__(
            max_batch_size=max_batch_size,
            lanes=lanes,
            max_queue_wait=max_queue_wait,
            warm_seconds=warm_seconds,
        )
        self._compute = compute
        self._max_batch_wait = max_batch_wait
        self._observe = observe
        self._queue: deque[_Job] = deque()
        self._waiting = Event()
        self._full = Event()
        self._finished = time.monotonic()  # the latest batch
        self._free_lanes = BoundedSemaphore(lanes)
        self._batches = Group()
        self._collector = gevent.spawn(self._collect)

    @property
    def depth(self) -> int:
        """Jobs that wait for their batch."""
        return len(self._queue)

    @property
    def alone(self) -> bool:
        """Whether who asks has the only place, and a thread of the model is free.

        Never where there is one lane: some pictures take a second to decode, and who
        comes meanwhile finds another lane.
        """
        return (
            self.taken == 1
            and self.lanes > 1
            and isinstance(self._compute, InThreads)
            and not self._max_batch_wait
            and not self._free_lanes.locked()
        )

    @property
    def fed(self) -> bool:
        """Whether a whole batch waits: a larger queue would win nothing."""
        return len(self._queue) >= self.max_batch_size

    def submit(self, instance: Arrays, deadline: float = math.inf) -> Row:
        """Wait for the scores of `instance`.

        Raises ModelFailed, and Expired where its turn comes after `deadline` (a moment
        of the monotonic clock). A greenlet that is killed or times out while it waits
        takes its job along.
        """
        job = _Job(instance, deadline)
        self._queue.append(job)
        self._waiting.set()
        if self.fed:
            self._full.set()
        try:
            row: Row = job.result.get()
        except BaseException:
            self._withdraw(job)
            raise
        return row

    def submit_alone(self, undecoded: Undecoded) -> Row:
        """As `submit`, for who is `alone`: there is nothing to collect.

        The thread that computes it decodes it first. Raises what decoding raises, too.
        """
        assert isinstance(self._compute, InThreads)  # noqa: S101  else it is not alone
        self._free_lanes.acquire()
        running = self.began(1)

        def ended() -> None:
            self._end(running)
            self._free_lanes.release()

        try:
            scores = self._compute.one(undecoded, ended)
        except FacenalityError:
            raise
        except Exception as error:
            raise _as_model_failed(error) from None
        finally:
            undecoded.gone = True
        seconds = self._finished - running.started - undecoded.seconds
        self.took(1, seconds)
        self._observe(1, seconds)
        return Row(scores, 0.0, seconds, 1)

    def aside(self, instances: list[Arrays]) -> list[Arrays]:
        """Scores of a small batch beside the queue, for work that can wait.

        To be called one at a time, and while it is `quiet`: a job that comes meanwhile
        waits for this batch and no longer. Raises ModelFailed.
        """
        with self._free_lanes:
            try:
                return self._compute(instances, math.inf)
            except FacenalityError:  # also one that is thrown at who waits here
                raise
            except Exception as error:
                raise _as_model_failed(error) from None

    def close(self) -> None:
        """Stop collecting; the queue must be empty or it is never answered."""
        self._collector.kill()
        self._batches.kill()

    def _withdraw(self, job: _Job) -> None:
        job.gone = True
        if job in self._queue:
            self._queue.remove(job)
        elif job.carrier and all(one.gone for one in job.together):
            job.carrier.kill(block=False)

    def _collect(self) -> None:
        while True:
            self._waiting.wait()
            self._wait_for_company()
            self._free_lanes.acquire()
            batch = self._take()
            if not batch:
                self._free_lanes.release()
            elif self.lanes == 1:
                # In this greenlet: the next batch begins before the hub does anything.
                try:
                    self._run(batch)
                finally:
                    self._free_lanes.release()
            else:
                self._run_beside(batch)

    def _wait_for_company(self) -> None:
        if not self._max_batch_wait or not self._queue:
            return
        self._full.clear()
        if not self.fed:
            left = self._queue[0].submitted + self._max_batch_wait - time.monotonic()
            if left > 0:
                self._full.wait(left)

    def _take(self) -> list[_Job]:
        """The next batch; what has expired meanwhile is no part of it."""
        batch: list[_Job] = []
        now = time.monotonic()
        while self._queue and len(batch) < self.max_batch_size:
            job = self._queue.popleft()
            if now < job.deadline:
                batch.append(job)
            else:
                job.result.set_exception(Expired("The deadline passed in the queue."))
        if not self._queue:
            self._waiting.clear()
        return batch

    def _run_beside(self, batch: list[_Job]) -> None:
        """Begin with `batch`; its lane is free again when it ends, however it ends."""
        carrier = self._batches.spawn(self._run, batch)
        carrier.rawlink(lambda _: self._ran_beside(batch))
        if not isinstance(self._compute, InThreads):
            for job in batch:
                job.carrier, job.together = carrier, batch

    def _ran_beside(self, batch: list[_Job]) -> None:
        """Jobs that hold each other would keep their tensors until the next gc."""
        self._free_lanes.release()
        for job in batch:
            job.carrier, job.together = None, []

    def _run(self, batch: list[_Job]) -> None:
        """Answer every job of `batch`."""
        could_begin = self._could_begin(batch)
        running = self.began(len(batch))
        try:
            scores = self._asked(batch, running)
        except NOBODYS_FAULT as error:
            for job in batch:
                job.result.set_exception(error)
            return
        except Exception as error:
            self._recover(batch, error)
            return
        self.took(len(batch), self._finished - could_begin)
        seconds = self._finished - running.started
        self._observe(len(batch), seconds)
        for job, row in zip(batch, scores, strict=True):
            waited = running.started - job.submitted
            job.result.set(Row(row, waited, seconds, len(batch)))

    def _asked(self, batch: list[_Job], running: Running) -> list[Arrays]:
        deadline = max(job.deadline for job in batch)
        try:
            return self._compute([job.instance for job in batch], deadline)
        finally:
            self._end(running)

    def _end(self, running: Running) -> None:
        self.ended(running)
        self._finished = time.monotonic()

    def _could_begin(self, batch: list[_Job]) -> float:
        """When a lane was free and a job was there: what the hub adds counts too."""
        if self._max_batch_wait or self.lanes > 1:
            return time.monotonic()
        return max(self._finished, batch[0].submitted)

    def _recover(self, batch: list[_Job], error: Exception) -> None:
        """Find the culprit: each job alone, and a job that fails alone is it."""
        if len(batch) == 1:
            batch[0].result.set_exception(_as_model_failed(error))
            return
        for job in batch:
            if not job.gone:
                self._run([job])


def _as_model_failed(error: Exception) -> ModelFailed:
    if isinstance(error, ModelFailed):
        return error
    log.error("the model failed on an instance", exc_info=error)
    return ModelFailed(
        "The model failed on this input; the server's log has the reason."
    )
