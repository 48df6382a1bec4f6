"""Deadlines and limits of connections.

One clock serves all connections, so that a request needs no timer of its own: each
stream has a deadline, and the clock interrupts those that are late, four times a second
while there are streams.
"""

import logging
import math
import resource
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Self

import gevent

from ..settings import Settings
from .stream import NEVER, Stream

TICK = 0.25

# A refusal costs about 0.2 ms; a thousand of them at once would delay the others.
AT_ONCE = 10
SOON = 0.002  # seconds until the next ones


class Deadlines:
    """Interrupts the streams whose deadline has passed."""

    def __init__(self, streams: Callable[[], list[Stream]]) -> None:
        self._streams = streams
        loop = gevent.get_hub().loop
        self._timer: Any = loop.timer(TICK, TICK)
        self._again: Any = loop.timer(SOON)

    def keep(self) -> None:
        """Start the clock, if it is not running: there is a stream."""
        if not self._timer.active:
            self._timer.start(self._check)

    def _check(self) -> None:
        """Interrupt late streams; runs in the hub itself, like gevent's own timers."""
        now = time.monotonic()
        streams = self._streams()
        late = [stream for stream in streams if stream.deadline <= now]
        for stream in late[:AT_ONCE]:
            stream.deadline = NEVER
            stream.interrupt()
        if late[AT_ONCE:]:
            self._again.start(self._check)
        if not streams:
            self._timer.stop()


log = logging.getLogger(__name__)

# Open files that are not connections: models, libraries, the log, the listener.
OTHER_FILES = 256

# Connections above max_connections that get a 503; further ones are just closed.
TOLD = 64


@dataclass(frozen=True)
class Limits:
    """Seconds and bytes; the settings of the same names describe them."""

    head_timeout: float = 10.0
    idle_timeout: float = 5.0
    body_timeout: float = 30.0
    max_body_bytes: int = 15 * 1024 * 1024
    max_connections: int = 2048

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The limits from `settings`, lowered to what the system allows."""
        return cls(
            settings.head_timeout_s,
            settings.idle_timeout_s,
            settings.body_timeout_s,
            settings.max_body_bytes,
            settings.max_connections,
        ).fitted(open_files())

    def fitted(self, files: float) -> Self:
        """These limits with max_connections lowered so that `files` suffice."""
        fitting = int(max(1, min(self.max_connections, files - OTHER_FILES - TOLD)))
        if fitting < self.max_connections:
            log.warning(
                "max_connections is lowered from %d to %d because this process may "
                "only have %d open files; raise `ulimit -n`",
                self.max_connections,
                fitting,
                files,
            )
        return replace(self, max_connections=fitting)


def open_files() -> float:
    """The limit of open files, after raising the soft limit to the hard one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(OSError, ValueError):  # macOS has a lower limit than it reports
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        soft = hard
    return math.inf if soft == resource.RLIM_INFINITY else soft
