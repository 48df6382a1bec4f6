"""Native threads that greenlets can call.

The one threading rule: the hub thread does all socket I/O and owns every queue; native
threads only compute. This module brings their results and exceptions back to the hub.

Theory of operation. The threads read the job queue themselves, so that a thread that
has finished starts the next job at once, however busy the hub is. Finished jobs go into
a deque, and the thread wakes the hub by `run_callback_threadsafe`, the only call of the
loop that another thread may make.
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
    gone: bool = False  # its caller does not wait for it any more


class ThreadPool:
    """At most `size` native threads; make and call it only in greenlets of one hub."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._finished: deque[_Job] = deque()
        self._started = self._pending = 0
        self._loop = gevent.get_hub().loop

    def run(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Call `function` in a thread; the calling greenlet waits for the result.

        Raises what `function` raised. If the greenlet is killed meanwhile, a running
        call completes and its result is dropped; a waiting call is not made.
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
        """Allow up to `size` threads from now on."""
        self._size = size

    def kill(self) -> None:
        """Stop the threads once they are idle."""
        for _ in range(self._started):
            self._jobs.put(None)
        self._started = 0

    def _expect(self) -> None:
        """Count one more job: start a thread if needed, and keep the loop alive."""
        if self._started < min(self._size, self._pending + 1):
            self._start_thread()
        self._pending += 1
        self._loop.ref()

    def _start_thread(self) -> None:
        """Start another thread; if that fails, the existing ones do the work.

        Raises RuntimeError if there is none. Nothing is counted then, so that the next
        call tries again.
        """
        try:
            threading.Thread(target=self._work, daemon=True).start()
        except RuntimeError:
            if not self._started:
                raise
            log.warning(
                "the system refuses another thread; continuing with %d", self._started
            )
        else:
            self._started += 1

    def _work(self) -> None:
        """Run job after job in a thread, until `kill`."""
        while job := self._jobs.get():
            if not job.gone:
                job.outcome = _caught(job.call)
            self._finished.append(job)
            del job  # while it waits, the thread must not keep the job's data alive
            self._loop.run_callback_threadsafe(self._hand_back)

    def _hand_back(self) -> None:
        """Wake the greenlets of finished jobs; runs in the hub."""
        while self._finished:
            self._pending -= 1
            self._loop.unref()
            job = self._finished.popleft()
            job.done.switch(None)  # the waiting greenlet continues at once


def _caught(call: Callable[[], Any]) -> tuple[Any, Exception | None]:
    """The result or exception of `call`, as values that can cross to the hub."""
    try:
        return call(), None
    except Exception as error:
        return None, error
    except BaseException as error:
        # A model.py that calls sys.exit() must fail to load, not stop the server.
        return None, RuntimeError(f"it raised {error!r}")
