"""Admission control: reserves room for jobs, and refuses while it is still cheap.

A request reserves room for its jobs from before decoding until its answers. From what
is reserved, and from how long batches take, follows how long a new job would wait for
its turn; if that is too long it is refused, with the time after which to try again.

How long batches take is known from warming up, corrected by those that ran since.
"""

import math
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median

from ..errors import Overloaded

# Of so many batches the median counts: one that stalled changes nothing, and a model
# that has become slower is known to be after half of them.
REMEMBERED = 9

# Below this the hub's own turns are what is measured, and those are as long for every
# size: a text of 30 microseconds that met one does not make 64 of them slow.
HUB_SECONDS = 0.005


class LatencyEstimator:
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


# Jobs at the very most, since 512 instances of 224x224x3 are 300 MiB; but
# always for the batches in the model and the next ones behind them.
MAX_JOBS = 512


@dataclass(eq=False)
class Reservation:
    """Room for the jobs of one request, which was admitted as a whole."""

    count: int
    started: bool = False  # a job of it has reached the model


@dataclass(frozen=True, eq=False)
class Running:
    """A batch in the model, since `started` (of the monotonic clock)."""

    size: int
    reserved: int  # those of its jobs that hold a reservation: background jobs do not
    started: float


class Admission:
    """For one model that takes batches of `max_batch_size`, `slots` of them at once."""

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
        """Jobs between their admission and their answer."""
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
        """Raise Overloaded if `count` jobs that came now would wait too long.

        That is: their turn comes later than `max_queue_wait` or than their deadline,
        `within` seconds. The decoders, working meanwhile, need `decoding` seconds.
        """
        late = max(decoding, self.wait()) - min(self.max_queue_wait, within)
        too_many = self._reserved + count - self._max_reserved
        if late > 0 or too_many > 0:
            batches = math.ceil(max(0, too_many) / self.max_batch_size)
            raise self.overloaded(max(late, batches * self._full_batch_seconds()))

    def overloaded(self, seconds: float) -> Overloaded:
        """The refusal of a job that should come again in so many seconds."""
        seconds = max(seconds, 1.0)
        return Overloaded(
            f"Too many requests are waiting; try again in {math.ceil(seconds)} s.",
            retry_after=seconds,
        )

    def wait(self) -> float:
        """Seconds until the model would begin with a job that came now."""
        ahead = max(0, self._reserved - sum(one.reserved for one in self._running))
        full_batches = ahead // self.max_batch_size
        return self._until_slot_free() + full_batches * self._full_batch_seconds()

    def began(self, size: int, reserved: int | None = None) -> Running:
        """A batch has gone into the model; `reserved` of its jobs (None: all) count."""
        running = Running(
            size, size if reserved is None else reserved, time.monotonic()
        )
        self._running.append(running)
        return running

    def ended(self, running: Running) -> float:
        """That batch has left the model; the seconds that it took."""
        self._running.remove(running)
        return time.monotonic() - running.started

    def learn(self, size: int, seconds: float) -> None:
        """What a batch of `size` took, answered; refusals are computed from it."""
        self._latency.learn(size, seconds)

    def _until_slot_free(self) -> float:
        if len(self._running) < self.slots:
            return 0.0
        return min(map(self._batch_left, self._running))

    def _batch_left(self, running: Running) -> float:
        """A batch that is overdue may take as long again."""
        expected = self._latency.seconds(running.size) or 0.0
        return abs(expected - (time.monotonic() - running.started))

    def _full_batch_seconds(self) -> float:
        """Between two of them; until one is learned, as long as the first has taken."""
        known = self._latency.seconds(self.max_batch_size)
        return self._until_slot_free() if known is None else known / self.slots
