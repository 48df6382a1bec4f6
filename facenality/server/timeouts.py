"""One clock for all connections, so that a request costs no timer of its own.

A stream writes down by when its bytes must have moved; while there are streams, the
clock looks four times a second and interrupts those that are late.

How long and how much, for every connection; and files enough for all of them.
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


log = logging.getLogger(__name__)

# Files that are no connections: models, libraries, the log, the listener.
OTHER_FILES = 256

# Connections above max_connections that are told so; more are closed without a word.
TOLD = 64


@dataclass(frozen=True)
class Limits:
    """Seconds and bytes; the knobs of the same names say why."""

    head_timeout: float = 10.0
    idle_timeout: float = 5.0
    body_timeout: float = 30.0
    max_body_bytes: int = 15 * 1024 * 1024
    max_connections: int = 2048

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The limits that `settings` give, lowered to what the system allows."""
        return cls(
            settings.head_timeout_s,
            settings.idle_timeout_s,
            settings.body_timeout_s,
            settings.max_body_bytes,
            settings.max_connections,
        ).fitted(open_files())

    def fitted(self, files: float) -> Self:
        """With no more connections than `files` can be open at once."""
        fitting = int(max(1, min(self.max_connections, files - OTHER_FILES - TOLD)))
        if fitting < self.max_connections:
            log.warning(
                "max_connections is lowered from %d to %d: this process may have %d "
                "open files; raise `ulimit -n`",
                self.max_connections,
                fitting,
                files,
            )
        return replace(self, max_connections=fitting)


def open_files() -> float:
    """How many files may be open, after raising the soft limit to the hard one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(OSError, ValueError):  # macOS has a lower limit that it does not tell
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        soft = hard
    return math.inf if soft == resource.RLIM_INFINITY else soft
