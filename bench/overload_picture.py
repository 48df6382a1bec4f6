"""Overload as an SVG: answers per second above, how long they took below."""

from collections.abc import Callable, Iterable, Iterator

from .open_load import Outcome

WIDTH, HEIGHT, GAP = 260, 130, 50
GREEN, RED, GREY = "#2b8a3e", "#c92a2a", "#868e96"

Point = tuple[float, float]


def draw(
    capacity: float,
    seconds: float,
    queue_wait: float,
    runs: list[tuple[float, list[Outcome]]],
) -> str:
    """A column for each load; grey lines are capacity and `max_queue_wait_s`."""
    width = GAP + len(runs) * (WIDTH + GAP)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" '
        f'height="{2 * (HEIGHT + GAP) + GAP}" font-family="sans-serif" font-size="11">',
        '<rect width="100%" height="100%" fill="white"/>',
    ]
    slowest = 1.3 * queue_wait
    for column, (factor, outcomes) in enumerate(runs):
        end = max(o.came + o.seconds for o in outcomes)
        left, top = GAP + column * (WIDTH + GAP), GAP
        parts += _panel(left, top, f"{factor:g}x: answers/s", end, 1.5 * capacity)
        place = _scale(left, top, end, 1.5 * capacity)
        parts.append(_line(place, [(0, capacity), (end, capacity)], GREY))
        parts.append(_line(place, [(seconds, 0), (seconds, 1.5 * capacity)], GREY))
        parts.append(_line(place, _per_second(outcomes, end), GREEN))
        top += HEIGHT + GAP
        parts += _panel(left, top, "seconds until 200 / 503", end, slowest)
        place = _scale(left, top, end, slowest)
        parts.append(_line(place, [(0, queue_wait), (end, queue_wait)], GREY))
        for status, colour in ((200, GREEN), (503, RED)):
            parts += _dots(place, (o for o in outcomes if o.status == status), colour)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _scale(
    left: float, top: float, end: float, most: float
) -> Callable[[float, float], Point]:
    """From seconds and value to a place in the picture."""

    def place(x: float, y: float) -> Point:
        return left + x / end * WIDTH, top + HEIGHT * (1 - min(y, most) / most)

    return place


def _panel(left: float, top: float, title: str, end: float, most: float) -> list[str]:
    return [
        f'<rect x="{left}" y="{top}" width="{WIDTH}" height="{HEIGHT}" fill="none" '
        'stroke="#ced4da"/>',
        f'<text x="{left}" y="{top - 6}">{title}</text>',
        f'<text x="{left - 6}" y="{top + 10}" text-anchor="end">{most:.3g}</text>',
        f'<text x="{left - 6}" y="{top + HEIGHT}" text-anchor="end">0</text>',
        f'<text x="{left + WIDTH}" y="{top + HEIGHT + 14}" text-anchor="end">'
        f"{end:.0f} s</text>",
    ]


def _per_second(outcomes: Iterable[Outcome], end: float) -> Iterator[Point]:
    done = [o.came + o.seconds for o in outcomes if o.status == 200]
    for second in range(int(end)):
        yield second + 0.5, sum(second <= moment < second + 1 for moment in done)


def _line(
    place: Callable[[float, float], Point], points: Iterable[Point], colour: str
) -> str:
    text = " ".join("{:.1f},{:.1f}".format(*place(x, y)) for x, y in points)
    return f'<polyline points="{text}" fill="none" stroke="{colour}"/>'


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
