"""Starts compute threads at a lower priority than the hub, since all wait for it."""

import contextlib
import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

# How much nicer than the hub they are. A batch alone is not: it competes with
# nobody.
NICER = 5

R = TypeVar("R")


def run_at_lower_priority(make: Callable[[], R]) -> R:
    """What `make` returns, called in a thread whose niceness those it starts inherit.

    Source: sched(7); elsewhere than on Linux it would be that of the whole process.
    """
    with ThreadPoolExecutor(1, initializer=_be_nicer) as thread:
        return thread.submit(make).result()


def _be_nicer() -> None:
    if sys.platform == "linux":
        with contextlib.suppress(OSError):  # a sandbox may forbid it
            os.nice(NICER)
