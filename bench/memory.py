"""Row S9: whether resident memory grows with the requests.

The first fifth of the requests is left out: allocators and thread pools settle in it.
"""

import time
from collections.abc import Callable

from .plan import Plan
from .visit import Server
from .workload import Photograph

SLICE_SECONDS = 4.0
Point = tuple[float, float]  # requests so far, MB resident


def course(
    server: Server,
    photograph: Photograph,
    plan: Plan,
    tell: Callable[[int], None],
) -> list[Point]:
    """Resident memory after each slice, until the plan's requests are answered."""
    points: list[Point] = []
    done, until = 0, time.monotonic() + plan.memory_seconds
    while done < plan.requests and time.monotonic() < until:
        answered = server.load(photograph, SLICE_SECONDS).good
        if not answered:
            break
        done += answered
        points.append((done, server.tree.resident_mb()))
        tell(done)
    return points


def slope(points: list[Point]) -> float:
    """MB per 10,000 requests: the line of least squares after the first fifth."""
    settled = [p for p in points if p[0] > points[-1][0] / 5]
    return per_10_000(settled)


def per_10_000(points: list[Point]) -> float:
    """By how much the second number grows in 10,000 of the first: least squares."""
    if len(points) < 2:
        return 0.0
    mean_x = sum(x for x, _ in points) / len(points)
    mean_y = sum(y for _, y in points) / len(points)
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    return 1e4 * sum((x - mean_x) * (y - mean_y) for x, y in points) / spread
