"""What was held moment by moment, and whether it grew."""

from typing import NamedTuple

from ..memory import per_10_000
from .server import Held

MEGABYTES = 1.0  # of memory per 10,000 requests: row S9
SLACK = 3  # of files, threads, greenlets: what chance connections make of a median


class Sample(NamedTuple):
    """A moment: seconds since the start, requests and errors until then, what is held."""

    seconds: float
    requests: int
    wrong: int
    held: Held


def settled(samples: list[Sample]) -> list[Sample]:
    """The last two thirds of the time: allocators and caches settle in the first."""
    return [one for one in samples if one.seconds >= samples[-1].seconds / 3]


class Course(NamedTuple):
    """One column: quiet before, under load, quiet after, and what it grew by."""

    name: str
    before: float
    least: float
    most: float
    slope: float  # per 10,000 requests
    grown: float  # over the last two thirds, by the slope
    after: float

    def flat(self) -> bool:
        """Whether nothing has leaked."""
        if self.name == "memory":
            return self.slope < MEGABYTES
        return self.grown < SLACK and self.after <= self.before + SLACK


def courses(samples: list[Sample], before: Held, after: Held) -> list[Course]:
    """Each column of Held."""
    return [course(name, samples, before, after) for name in Held._fields]


def course(name: str, samples: list[Sample], before: Held, after: Held) -> Course:
    """The column `name`."""

    def column(held: Held) -> float:
        return float(getattr(held, name))

    late = settled(samples)
    values = [column(one.held) for one in late]
    slope = per_10_000([(one.requests, column(one.held)) for one in late])
    requests = late[-1].requests - late[0].requests
    return Course(
        name,
        column(before),
        min(values),
        max(values),
        slope,
        slope * requests / 1e4,
        column(after),
    )
