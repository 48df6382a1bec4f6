"""How long and how much, for every connection; and files enough for all of them."""

import logging
import math
import resource
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Self

from ..settings import Settings

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
