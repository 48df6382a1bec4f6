"""How long batches take: what warming them up showed, corrected by those that ran."""

import math
from collections import deque
from collections.abc import Mapping
from statistics import median

# Of so many batches the median counts: one that stalled changes nothing, and a model
# that has become slower is known to be after half of them.
REMEMBERED = 9

# Below this the hub's own turns are what is measured, and those are as long for every
# size: a text of 30 microseconds that met one does not make 64 of them slow.
HUB_SECONDS = 0.005


class Rate:
    """Seconds by batch size.

    A batch of 16 takes much less than 16 times one alone, so seconds per job would
    mislead where small batches ran last. Kept is how much slower than at first batches
    run now, whatever their size.
    """

    def __init__(self, warm: Mapping[int, float]) -> None:
        self._first = dict(warm)
        self._slower: deque[float] = deque(maxlen=REMEMBERED)

    def learn(self, size: int, seconds: float) -> None:
        """A batch of `size` took `seconds`."""
        if not self._first or size > max(self._first):
            self._first[size] = seconds / self._now()
        at_first = self._at_first(size)
        self._slower.append(max(seconds, HUB_SECONDS) / max(at_first, HUB_SECONDS))

    def seconds(self, size: int) -> float | None:
        """What a batch of `size` takes at present; None before there was any."""
        if not self._first:
            return None
        slower, at_first = self._now(), self._at_first(size)
        # What has become slower is told in multiples of what `learn` put in its place.
        return slower * (max(at_first, HUB_SECONDS) if slower > 1 else at_first)

    def _now(self) -> float:
        return median(self._slower) if self._slower else 1.0

    def _at_first(self, size: int) -> float:
        """Batches are padded, so the next larger known size tells.

        Beyond the largest it may take as long, or longer in proportion: halfway, until
        such a batch has run.
        """
        larger = [known for known in self._first if known >= size]
        if larger:
            return self._first[min(larger)]
        largest = max(self._first)
        return self._first[largest] * math.sqrt(size / largest)
