"""How late the hub wakes: the measure of everything that keeps it from its sockets."""

import time
from collections.abc import Callable
from typing import NoReturn

import gevent

INTERVAL = 1.0  # seconds; one wake-up a second costs an idle server nothing one can see


def measure(tell: Callable[[float], None]) -> NoReturn:
    """Sleep again and again, and tell how many seconds too late each sleep ended."""
    while True:
        due = time.monotonic() + INTERVAL
        gevent.sleep(INTERVAL)
        tell(max(0.0, time.monotonic() - due))
