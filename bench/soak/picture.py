"""A soak as an SVG: requests per second, and what the process held, over time."""

from collections.abc import Iterator
from itertools import pairwise

from ..panels import (
    GAP,
    GREEN,
    GREY,
    HEIGHT,
    RED,
    WIDTH,
    Point,
    line,
    panel,
    scale,
    svg,
)
from .samples import Sample
from .server import Held

TITLES = {
    "memory": "memory, MiB",
    "files": "open files",
    "threads": "threads",
    "greenlets": "greenlets",
}
COLUMNS = 3


def draw(samples: list[Sample]) -> str:
    """A panel each; the grey line is where the slopes begin to be taken."""
    charts = {
        "requests/s": list(rate(samples, "requests")),
        "wrong answers/s": list(rate(samples, "wrong")),
        **{TITLES[name]: held(samples, name) for name in Held._fields},
    }
    end = samples[-1].seconds
    parts: list[str] = []
    for at, (title, points) in enumerate(charts.items()):
        left = GAP + at % COLUMNS * (WIDTH + GAP)
        top = GAP + at // COLUMNS * (HEIGHT + GAP)
        most = 1.1 * max(1.0, *(y for _, y in points))
        place = scale(left, top, end, most)
        parts += panel(left, top, title, end, most)
        parts.append(line(place, [(end / 3, 0), (end / 3, most)], GREY))
        parts.append(line(place, points, RED if "wrong" in title else GREEN))
    rows = -(-len(charts) // COLUMNS)
    return svg(GAP + COLUMNS * (WIDTH + GAP), GAP + rows * (HEIGHT + GAP), parts)


def rate(samples: list[Sample], name: str) -> Iterator[Point]:
    """Per second, from each sample to the next."""
    for one, two in pairwise(samples):
        more = getattr(two, name) - getattr(one, name)
        yield two.seconds, more / (two.seconds - one.seconds)


def held(samples: list[Sample], name: str) -> list[Point]:
    """A column of Held."""
    return [(one.seconds, getattr(one.held, name)) for one in samples]
