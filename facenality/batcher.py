"""Instances -> batches -> the model thread -> scores.

Theory of operation. Greenlets submit jobs into a queue that the hub owns. One collector
greenlet takes whatever waits, up to `max_batch_size`, the moment the model thread is
free; while a batch is in the model thread, the next one gathers by itself. So a lone
request never waits for company, a busy server batches, and nothing polls.

A job is answered exactly once: with its own row, with the model's error, or, when its
greenlet stops waiting (deadline, client gone), never: then it leaves the queue at once
and does not reach the model. A batch that fails is tried again one by one, so that only
the culprit fails.

Admission. Whoever wants an answer takes places first, from before decoding until the
answers. From the places taken and the rate of the batches that ran follows how long
until a new job has its turn; where that is too long it is refused, with the time until
there is room.
"""

import logging
import math
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import gevent
from gevent.event import AsyncResult, Event
from gevent.lock import BoundedSemaphore

from .arrays import Arrays, rows, stack
from .errors import Expired, FacenalityError, ModelFailed, Overloaded
from .rate import Rate
from .threads import Threads

Predict = Callable[[Arrays], Arrays]
Observe = Callable[[int, float], None]  # the size of a batch, its seconds in the model

log = logging.getLogger(__name__)

# Places for jobs at the very most, since 512 instances of 224x224x3 are 300 MiB; but
# always for one batch in the model and the next one behind it.
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
    deadline: float
    result: AsyncResult = field(default_factory=AsyncResult)
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
        warm_seconds: Mapping[int, float] | None = None,
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
        self._max_places = max(MAX_JOBS, 2 * max_batch_size)
        self._rate = Rate(warm_seconds or {})
        self._in_model = 0
        self._started = self._finished = time.monotonic()  # the latest batch
        self._left = -math.inf  # when the last place was given back
        self._model_free = BoundedSemaphore()
        self._collector = gevent.spawn(self._collect)

    @property
    def depth(self) -> int:
        """Jobs that wait for their batch."""
        return len(self._queue)

    @contextmanager
    def places(
        self, count: int = 1, *, decoding: float = 0.0, within: float = math.inf
    ) -> Iterator[None]:
        """Hold `count` places from before decoding until the answers.

        Raises Overloaded as `check` does.
        """
        self.check(count, decoding=decoding, within=within)
        self._places += count
        try:
            yield
        finally:
            self._places -= count
            self._left = time.monotonic()

    def check(
        self, count: int = 1, *, decoding: float = 0.0, within: float = math.inf
    ) -> None:
        """Raise Overloaded where `count` jobs that came now would find no room.

        That is: their turn comes later than `max_queue_wait` or than their deadline,
        `within` seconds. The decoders, working meanwhile, need `decoding` seconds.
        """
        late = max(decoding, self.wait()) - min(self._max_queue_wait, within)
        too_many = self._places + count - self._max_places
        if late > 0 or too_many > 0:
            batches = math.ceil(max(0, too_many) / self._max_batch_size)
            seconds = max(late, batches * self._full_batch_seconds(), 1.0)
            raise Overloaded(
                f"Too many requests are waiting; try again in {math.ceil(seconds)} s.",
                retry_after=seconds,
            )

    def wait(self) -> float:
        """Seconds until the model would begin with a job that came now."""
        ahead = max(0, self._places - self._in_model)
        full_batches = ahead // self._max_batch_size
        return self._batch_left() + full_batches * self._full_batch_seconds()

    def _batch_left(self) -> float:
        """Of the batch in the model; one that is overdue may take as long again."""
        if not self._in_model:
            return 0.0
        expected = self._rate.seconds(self._in_model) or 0.0
        return abs(expected - (time.monotonic() - self._started))

    def _full_batch_seconds(self) -> float:
        """As learned; until then a first batch takes as long as it has taken so far."""
        known = self._rate.seconds(self._max_batch_size)
        return self._batch_left() if known is None else known

    def submit(self, instance: Arrays, deadline: float = math.inf) -> Row:
        """Wait for the scores of `instance`.

        Raises ModelFailed, and Expired where its turn comes after `deadline` (a moment
        of the monotonic clock). A greenlet that is killed or times out while it waits
        takes its job along.
        """
        job = _Job(instance, deadline)
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

    @property
    def quiet(self) -> float:
        """Seconds since the last place was given back; 0 while one is held."""
        return 0.0 if self._places else time.monotonic() - self._left

    def aside(self, instances: list[Arrays]) -> list[Arrays]:
        """Scores of a small batch beside the queue, for work that can wait.

        To be called one at a time, and while it is `quiet`: a job that comes meanwhile
        waits for this batch and no longer. Raises ModelFailed.
        """
        with self._model_free:
            try:
                return self._thread.run(_predict_rows, self._predict, instances)
            except FacenalityError:  # also one that is thrown at who waits here
                raise
            except Exception as error:
                raise _as_model_failed(error) from None

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
            with self._model_free:
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
        """The next batch; what has expired meanwhile is no part of it."""
        batch: list[_Job] = []
        now = time.monotonic()
        while self._queue and len(batch) < self._max_batch_size:
            job = self._queue.popleft()
            if now < job.deadline:
                batch.append(job)
            else:
                job.result.set_exception(Expired("The deadline passed in the queue."))
        if not self._queue:
            self._waiting.clear()
        return batch

    def _run(self, batch: list[_Job]) -> None:
        """Answer every job of `batch`."""
        could_begin = self._could_begin(batch)
        started = self._started = time.monotonic()
        self._in_model = len(batch)
        try:
            scores = self._thread.run(
                _predict_rows, self._predict, [job.instance for job in batch]
            )
        except Exception as error:
            self._stopped()
            self._recover(batch, error)
            return
        self._stopped()
        self._rate.learn(len(batch), self._finished - could_begin)
        seconds = self._finished - started
        self._observe(len(batch), seconds)
        for job, row in zip(batch, scores, strict=True):
            waited = started - job.submitted
            job.result.set(Row(row, waited, seconds, len(batch)))

    def _stopped(self) -> None:
        self._in_model = 0
        self._finished = time.monotonic()

    def _could_begin(self, batch: list[_Job]) -> float:
        """When the model was free and a job was there: what the hub adds counts too."""
        if self._max_batch_wait:
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
