"""Native threads beside the hub.

The one threading rule: the hub thread does all socket I/O and owns every queue; native
threads only compute. Results and exceptions come back to the hub through here.

Theory of operation. Jobs wait in a queue that the threads read themselves, so that a
thread that has finished goes on with the next one at once, however busy the hub is.
What is finished comes back in a deque, and the hub's loop is told so by the one call
that another thread may make.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any, ParamSpec, TypeVar

import gevent
from gevent.hub import Waiter

log = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(eq=False)
class _Job:
    call: Callable[[], Any]
    outcome: tuple[Any, Exception | None] = (None, None)
    done: Waiter = field(default_factory=Waiter)
    gone: bool = False  # nobody waits for it any more


class Threads:
    """At most `size` native threads, to be made and used by greenlets of one hub."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._finished: deque[_Job] = deque()
        self._started = self._pending = 0
        self._loop = gevent.get_hub().loop

    def run(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Call `function` in a thread; the calling greenlet waits for the result.

        Raises what `function` raised. Where the greenlet is killed meanwhile, a call
        that has begun is finished and its result dropped; one that has not is not made.
        """
        job = _Job(lambda: function(*args, **kwargs))
        self._expect()
        self._jobs.put(job)
        try:
            job.done.get()
        except BaseException:
            job.gone = True
            raise
        value, error = job.outcome
        if error is not None:
            raise error
        return value  # type: ignore[no-any-return]  # of the function's own type

    def grow(self, size: int) -> None:
        """From now on at most `size`."""
        self._size = size

    def kill(self) -> None:
        """End the threads once they are idle."""
        for _ in range(self._started):
            self._jobs.put(None)
        self._started = 0

    def _expect(self) -> None:
        """There is one job more: a thread for it, and a reason for the loop to wait."""
        if self._started < min(self._size, self._pending + 1):
            self._start_thread()
        self._pending += 1
        self._loop.ref()

    def _start_thread(self) -> None:
        """One thread more; without it the ones there are do the work.

        Raises RuntimeError if there is none. Nothing is counted then, so that the next
        call tries again.
        """
        try:
            threading.Thread(target=self._work, daemon=True).start()
        except RuntimeError:
            if not self._started:
                raise
            log.warning("the system refuses another thread; %d work on", self._started)
        else:
            self._started += 1

    def _work(self) -> None:
        """In a thread: one job after the other, until there is none."""
        while job := self._jobs.get():
            if not job.gone:
                job.outcome = _caught(job.call)
            self._finished.append(job)
            del job  # what it holds is not this thread's to keep
            self._loop.run_callback_threadsafe(self._hand_back)

    def _hand_back(self) -> None:
        """In the hub: wake those whose jobs are finished."""
        while self._finished:
            self._pending -= 1
            self._loop.unref()
            job = self._finished.popleft()
            job.done.switch(None)  # who waits goes on at once


def _caught(call: Callable[[], Any]) -> tuple[Any, Exception | None]:
    """Carry an exception as a value, across to the hub."""
    try:
        return call(), None
    except Exception as error:
        return None, error
    except BaseException as error:
        # A model.py that calls sys.exit() ends its own load, not the server.
        return None, RuntimeError(f"it raised {error!r}")
