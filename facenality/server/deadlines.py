"""One clock for all connections, so that a request costs no timer of its own.

A stream writes down by when its bytes must have moved; while there are streams, the
clock looks four times a second and interrupts those that are late.
"""

import time
from collections.abc import Callable
from typing import Any

import gevent

from .stream import NEVER, Stream

TICK = 0.25

# A refusal costs some 0.2 ms; a thousand of them in one go would hold up the others.
AT_ONCE = 10
SOON = 0.002


class Deadlines:
    """Interrupts those of `streams()` whose deadline has passed."""

    def __init__(self, streams: Callable[[], list[Stream]]) -> None:
        self._streams = streams
        loop = gevent.get_hub().loop
        self._timer: Any = loop.timer(TICK, TICK)
        self._again: Any = loop.timer(SOON)

    def keep(self) -> None:
        """There is a stream: look from now on."""
        if not self._timer.active:
            self._timer.start(self._look)

    def _look(self) -> None:
        """In the hub itself, as gevent's own timers are."""
        now = time.monotonic()
        streams = self._streams()
        late = [stream for stream in streams if stream.deadline <= now]
        for stream in late[:AT_ONCE]:
            stream.deadline = NEVER
            stream.interrupt()
        if late[AT_ONCE:]:
            self._again.start(self._look)
        if not streams:
            self._timer.stop()
