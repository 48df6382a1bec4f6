"""Admission control: reserves room for jobs, and refuses them before they cost much.

A request reserves room for its jobs before decoding and holds it until they are
answered. The reservations and the duration of batches tell how long a new job would
wait. If that is too long, the request is refused and told when to try again.

Batch durations are measured while warming up and corrected by the batches that ran
since.
"""

import math
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median

from ..errors import Overloaded

# The estimate uses the median of this many batches: a single stalled batch does not
# change it, and a model that has become slower is noticed after half of them.
REMEMBERED = 9

# Durations below this mostly measure the hub's scheduling, which is the same for every
# size: a text of 30 microseconds that was delayed must not make 64 texts look slow.
HUB_SECONDS = 0.005


class LatencyEstimator:
    """Estimates the seconds that a batch takes, by its size.

    A batch of 16 takes much less than 16 times a batch of 1, so seconds per job would
    mislead after small batches. Instead it tracks how much slower than during warm-up
    batches are now, whatever their size.
    """

    def __init__(self, warm: Mapping[int, float]) -> None:
        self._first = dict(warm)
        self._slower: deque[float] = deque(maxlen=REMEMBERED)

    def learn(self, size: int, seconds: float) -> None:
        """Learn that a batch of `size` took `seconds`."""
        if not self._first or size > max(self._first):
            self._first[size] = seconds / self._now()
        at_first = self._at_first(size)
        self._slower.append(max(seconds, HUB_SECONDS) / max(at_first, HUB_SECONDS))

    def seconds(self, size: int) -> float | None:
        """The time that a batch of `size` takes now; None before the first batch."""
        if not self._first:
            return None
        slower, at_first = self._now(), self._at_first(size)
        # `learn` computed the slowdown with HUB_SECONDS as the lower bound.
        return slower * (max(at_first, HUB_SECONDS) if slower > 1 else at_first)

    def _now(self) -> float:
        return median(self._slower) if self._slower else 1.0

    def _at_first(self, size: int) -> float:
        """Batches are padded, so `size` takes as long as the next larger known size.

        A size beyond the largest known may take equally long or proportionally longer:
        assume the geometric mean until such a batch has run.
        """
        larger = [known for known in self._first if known >= size]
        if larger:
            return self._first[min(larger)]
        largest = max(self._first)
        return self._first[largest] * math.sqrt(size / largest)


# Upper bound on reserved jobs: 512 instances of 224x224x3 are 300 MiB. A model always
# gets room for the running batches and the next ones.
MAX_JOBS = 512


@dataclass(eq=False)
class Reservation:
    """Room for the jobs of one request, which is admitted as a whole."""

    count: int
    started: bool = False  # one of its jobs has reached the model


@dataclass(frozen=True, eq=False)
class Running:
    """A batch that the model is computing."""

    size: int
    reserved: int  # its jobs without the background jobs, which reserve nothing
    started: float  # on the monotonic clock


class Admission:
    """Admission to a model that runs `slots` batches of `max_batch_size` at once."""

    def __init__(
        self,
        *,
        max_batch_size: int,
        slots: int = 1,
        max_queue_wait: float = 5.0,
        warm_seconds: Mapping[int, float] | None = None,
    ) -> None:
        self.max_batch_size = max_batch_size
        self.slots = slots
        self.max_queue_wait = max_queue_wait
        self._reserved = 0
        self._max_reserved = max(MAX_JOBS, 2 * max_batch_size * slots)
        self._latency = LatencyEstimator(warm_seconds or {})
        self._running: list[Running] = []

    @property
    def reserved(self) -> int:
        """Jobs that have been admitted and not answered yet."""
        return self._reserved

    @contextmanager
    def reserve(
        self, count: int = 1, *, decoding: float = 0.0, within: float = math.inf
    ) -> Iterator[Reservation]:
        """Reserve room for `count` jobs until the block ends.

        Raises Overloaded as `check` does.
        """
        self.check(count, decoding=decoding, within=within)
        self._reserved += count
        try:
            yield Reservation(count)
        finally:
            self._reserved -= count

    def check(
        self, count: int = 1, *, decoding: float = 0.0, within: float = math.inf
    ) -> None:
        """Raise Overloaded if `count` new jobs would wait too long.

        They wait too long if they start later than `max_queue_wait` or than their
        deadline, which is in `within` seconds. Decoding, which happens while the model
        works, takes `decoding` seconds.
        """
        late = max(decoding, self.wait()) - min(self.max_queue_wait, within)
        too_many = self._reserved + count - self._max_reserved
        if late > 0 or too_many > 0:
            batches = math.ceil(max(0, too_many) / self.max_batch_size)
            raise self.overloaded(max(late, batches * self._full_batch_seconds()))

    def overloaded(self, seconds: float) -> Overloaded:
        """The error for a job that should be tried again in `seconds`."""
        seconds = max(seconds, 1.0)
        return Overloaded(
            f"Too many requests are waiting; try again in {math.ceil(seconds)} s.",
            retry_after=seconds,
        )

    def wait(self) -> float:
        """Seconds until the model would start a job that is submitted now."""
        ahead = max(0, self._reserved - sum(one.reserved for one in self._running))
        full_batches = ahead // self.max_batch_size
        return self._until_slot_free() + full_batches * self._full_batch_seconds()

    def began(self, size: int, reserved: int | None = None) -> Running:
        """Record that a batch has started; `reserved` is as in Running (None: all)."""
        running = Running(
            size, size if reserved is None else reserved, time.monotonic()
        )
        self._running.append(running)
        return running

    def ended(self, running: Running) -> float:
        """Record that the batch has ended; return the seconds that it took."""
        self._running.remove(running)
        return time.monotonic() - running.started

    def learn(self, size: int, seconds: float) -> None:
        """Learn from a successful batch of `size`; later estimates depend on it."""
        self._latency.learn(size, seconds)

    def _until_slot_free(self) -> float:
        if len(self._running) < self.slots:
            return 0.0
        return min(map(self._batch_left, self._running))

    def _batch_left(self, running: Running) -> float:
        """Seconds left; an overdue batch takes as long again as it is late."""
        expected = self._latency.seconds(running.size) or 0.0
        return abs(expected - (time.monotonic() - running.started))

    def _full_batch_seconds(self) -> float:
        """Seconds from one full batch to the next; a guess until one was measured."""
        known = self._latency.seconds(self.max_batch_size)
        return self._until_slot_free() if known is None else known / self.slots
