"""Decoder threads, which serve one queue per model in turn.

The hub owns the queues. Because the models take turns, a flood of pictures for one
model does not delay another. A job whose greenlet stops waiting is withdrawn, and
expired jobs are not decoded.

If a full batch already waits for every model that has jobs here, the models are the
bottleneck: then only half of the threads decode and leave the cores to the models.
"""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import gevent
from gevent.event import AsyncResult, Event

from ..errors import Expired
from .thread_pool import ThreadPool

R = TypeVar("R")

# Weight of the newest decode in the moving average, which so covers about twenty.
NEWEST = 0.05


class DecodeQueueKey(Protocol):
    """Identifies a queue: usually the batcher of the model that the jobs are for."""

    @property
    def has_full_batch(self) -> bool:
        """True if so many jobs wait already that decoding sooner would gain nothing."""


@dataclass(eq=False)
class _Job:
    function: Callable[..., Any]
    argument: Any
    deadline: float
    result: AsyncResult


class DecodePool:
    """A pool of `size` threads; call it only from greenlets of the hub that made it."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._threads = ThreadPool(size)
        # In the order in which they are served.
        self._queues: dict[DecodeQueueKey, deque[_Job]] = {}
        self._waiting = Event()
        self._busy = 0
        self._done = Event()
        self._seconds = 0.0
        self._workers = [gevent.spawn(self._work) for _ in range(size)]

    def run(
        self,
        key: DecodeQueueKey,
        function: Callable[[Any], R],
        argument: Any,
        deadline: float = float("inf"),
    ) -> R:
        """Call `function(argument)` in a thread when the queue of `key` has its turn.

        Raises what `function` raised; Expired if its turn comes after `deadline`.
        """
        job = _Job(function, argument, deadline, AsyncResult())
        self._queues.setdefault(key, deque()).append(job)
        self._waiting.set()
        try:
            decoded: R = job.result.get()
        except BaseException:
            self._withdraw(key, job)
            raise
        return decoded

    def wait(self, key: DecodeQueueKey) -> float:
        """Seconds until a job that joins the queue of `key` now would be decoded."""
        own = len(self._queues.get(key, ()))
        ahead = sum(min(len(other), own + 1) for other in self._queues.values())
        return ahead * self._seconds / self._size

    def close(self) -> None:
        """Stop the threads; no job may be waiting."""
        gevent.killall(self._workers)
        self._threads.kill()

    def _withdraw(self, key: DecodeQueueKey, job: _Job) -> None:
        jobs = self._queues.get(key)
        if jobs and job in jobs:
            jobs.remove(job)
            if not jobs:
                del self._queues[key]

    def _work(self) -> None:
        while True:
            self._waiting.wait()
            if not self._queues:
                self._waiting.clear()
            elif self._busy >= self._allowed():
                self._done.clear()
                self._done.wait()
            else:
                self._busy += 1
                self._decode(self._next())
                self._busy -= 1
                self._done.set()

    def _allowed(self) -> int:
        """How many threads may decode at once now."""
        if all(key.has_full_batch for key in self._queues):
            return max(1, self._size // 2)
        return self._size

    def _next(self) -> _Job:
        """The first job of the first queue, which then goes behind the others."""
        key = next(iter(self._queues))
        jobs = self._queues.pop(key)
        job = jobs.popleft()
        if jobs:
            self._queues[key] = jobs
        return job

    def _decode(self, job: _Job) -> None:
        started = time.monotonic()
        if started >= job.deadline:
            job.result.set_exception(Expired("The deadline passed before decoding."))
            return
        try:
            job.result.set(self._threads.run(job.function, job.argument))
        except Exception as error:
            job.result.set_exception(error)
        seconds = time.monotonic() - started
        self._seconds += NEWEST * (seconds - self._seconds)
