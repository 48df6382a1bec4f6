"""Overload as an SVG: answers per second above, how long they took below."""

from collections.abc import Callable, Iterable, Iterator

from .open_load import Outcome
from .panels import GAP, GREEN, GREY, HEIGHT, RED, WIDTH, Point, line, panel, scale, svg


def draw(
    capacity: float,
    seconds: float,
    queue_wait: float,
    runs: list[tuple[float, list[Outcome]]],
) -> str:
    """A column for each load; grey lines are capacity and `max_queue_wait_s`."""
    parts: list[str] = []
    slowest = 1.3 * queue_wait
    for column, (factor, outcomes) in enumerate(runs):
        end = max(o.came + o.seconds for o in outcomes)
        left, top = GAP + column * (WIDTH + GAP), GAP
        parts += panel(left, top, f"{factor:g}x: answers/s", end, 1.5 * capacity)
        place = scale(left, top, end, 1.5 * capacity)
        parts.append(line(place, [(0, capacity), (end, capacity)], GREY))
        parts.append(line(place, [(seconds, 0), (seconds, 1.5 * capacity)], GREY))
        parts.append(line(place, _per_second(outcomes, end), GREEN))
        top += HEIGHT + GAP
        parts += panel(left, top, "seconds until 200 / 503", end, slowest)
        place = scale(left, top, end, slowest)
        parts.append(line(place, [(0, queue_wait), (end, queue_wait)], GREY))
        for status, colour in ((200, GREEN), (503, RED)):
            parts += _dots(place, (o for o in outcomes if o.status == status), colour)
    width = GAP + len(runs) * (WIDTH + GAP)
    return svg(width, 2 * (HEIGHT + GAP) + GAP, parts)


def _per_second(outcomes: Iterable[Outcome], end: float) -> Iterator[Point]:
    done = [o.came + o.seconds for o in outcomes if o.status == 200]
    for second in range(int(end)):
        yield second + 0.5, sum(second <= moment < second + 1 for moment in done)


def _dots(
    place: Callable[[float, float], Point], outcomes: Iterable[Outcome], colour: str
) -> list[str]:
    """A dot for each fiftieth of a second at most, to keep the file small."""
    seen = {
        (round(x), round(y))
        for x, y in (place(one.came, one.seconds) for one in outcomes)
    }
    return [
        f'<circle cx="{x}" cy="{y}" r="1" fill="{colour}"/>' for x, y in sorted(seen)
    ]
