"""Decoder threads with a queue that the hub owns, in which the models take turns.

A job waits in its model's own line, and free threads serve the lines in turn: a flood
of pictures for one model does not keep another's waiting. A greenlet that stops waiting
takes its job along, and what has expired is not decoded.

Where a whole batch waits for every model that is decoded for, the models are what all
wait for, and half the threads leave them the cores.
"""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import gevent
from gevent.event import AsyncResult, Event

from ..errors import Expired
from .thread_pool import Threads

R = TypeVar("R")

# The share of the newest decode in the moving average: over some twenty of them.
NEWEST = 0.05


class DecodeQueueKey(Protocol):
    """Whom jobs are decoded for: their line is told by it."""

    @property
    def has_full_batch(self) -> bool:
        """Whether so much waits already that decoding it sooner wins nothing."""


@dataclass(eq=False)
class _Job:
    function: Callable[..., Any]
    argument: Any
    deadline: float
    result: AsyncResult


class Decoders:
    """`size` threads; for greenlets of the hub that made it."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._threads = Threads(size)
        self._lines: dict[
            DecodeQueueKey, deque[_Job]
        ] = {}  # the next one to serve first
        self._waiting = Event()
        self._busy = 0
        self._done = Event()
        self._seconds = 0.0
        self._workers = [gevent.spawn(self._work) for _ in range(size)]

    def run(
        self,
        line: DecodeQueueKey,
        function: Callable[[Any], R],
        argument: Any,
        deadline: float = float("inf"),
    ) -> R:
        """Call `function` with `argument` in a thread when it is the turn of `line`.

        Raises what `function` raised, and Expired where its turn comes too late.
        """
        job = _Job(function, argument, deadline, AsyncResult())
        self._lines.setdefault(line, deque()).append(job)
        self._waiting.set()
        try:
            decoded: R = job.result.get()
        except BaseException:
            self._withdraw(line, job)
            raise
        return decoded

    def wait(self, line: DecodeQueueKey) -> float:
        """Seconds until a job that joined `line` now would have its turn."""
        own = len(self._lines.get(line, ()))
        ahead = sum(min(len(other), own + 1) for other in self._lines.values())
        return ahead * self._seconds / self._size

    def close(self) -> None:
        """End the threads; nobody may be waiting."""
        gevent.killall(self._workers)
        self._threads.kill()

    def _withdraw(self, line: DecodeQueueKey, job: _Job) -> None:
        jobs = self._lines.get(line, ())
        if job in jobs:
            jobs.remove(job)  # type: ignore[union-attr]  # a job is in no empty tuple
            if not jobs:
                del self._lines[line]

    def _work(self) -> None:
        while True:
            self._waiting.wait()
            if not self._lines:
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
        """How many may decode at once now."""
        if all(line.has_full_batch for line in self._lines):
            return max(1, self._size // 2)
        return self._size

    def _next(self) -> _Job:
        """The first of the first line, which then goes behind the other lines."""
        line = next(iter(self._lines))
        jobs = self._lines.pop(line)
        job = jobs.popleft()
        if jobs:
            self._lines[line] = jobs
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
