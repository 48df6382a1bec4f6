"""How patient a download is, and whether it comes fast enough."""

import time
from dataclasses import dataclass

from .asking import Again

GIB = 1024**3


@dataclass(frozen=True)
class Limits:
    """Seconds are floats, sizes are bytes."""

    timeout: float = 20.0  # without a single byte
    window: float = 30.0  # over which the pace is measured
    slowest: float = 1024.0  # bytes per second; at that, ResNet50 takes a day
    most: int = 2 * GIB  # the largest weights that Keras has are 1.4 GB
    tries: int = 5  # of a server that answers
    tries_unanswered: int = 2  # without a network the operator should soon know
    first_pause: float = 0.5  # before the second try; doubled each time


class Pace:
    """Raises Again when a window of time brings too few bytes."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._since, self._bytes = time.monotonic(), 0

    def count(self, received: int) -> None:
        """Note that `received` bytes have come."""
        self._bytes += received
        if time.monotonic() - self._since < self._limits.window:
            return
        if self._bytes < self._limits.slowest * self._limits.window:
            raise Again(f"slower than {self._limits.slowest:.0f} bytes a second")
        self._since, self._bytes = time.monotonic(), 0
