"""Charts as SVG: a framed panel, and from values to places in it."""

from collections.abc import Callable, Iterable

WIDTH, HEIGHT, GAP = 260, 130, 50
GREEN, RED, GREY = "#2b8a3e", "#c92a2a", "#868e96"

Point = tuple[float, float]


def svg(width: float, height: float, parts: Iterable[str]) -> str:
    """The file."""
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        'font-family="sans-serif" font-size="11">'
    )
    white = '<rect width="100%" height="100%" fill="white"/>'
    return "\n".join([head, white, *parts, "</svg>"]) + "\n"


def scale(
    left: float, top: float, end: float, most: float
) -> Callable[[float, float], Point]:
    """From seconds and value to a place in the picture."""

    def place(x: float, y: float) -> Point:
        return left + x / end * WIDTH, top + HEIGHT * (1 - min(y, most) / most)

    return place


def panel(left: float, top: float, title: str, end: float, most: float) -> list[str]:
    """Frame, title, and how far both axes go."""
    return [
        f'<rect x="{left}" y="{top}" width="{WIDTH}" height="{HEIGHT}" fill="none" '
        'stroke="#ced4da"/>',
        f'<text x="{left}" y="{top - 6}">{title}</text>',
        f'<text x="{left - 6}" y="{top + 10}" text-anchor="end">{most:.3g}</text>',
        f'<text x="{left - 6}" y="{top + HEIGHT}" text-anchor="end">0</text>',
        f'<text x="{left + WIDTH}" y="{top + HEIGHT + 14}" text-anchor="end">'
        f"{end:.0f} s</text>",
    ]


def line(
    place: Callable[[float, float], Point], points: Iterable[Point], colour: str
) -> str:
    """Points joined."""
    text = " ".join("{:.1f},{:.1f}".format(*place(x, y)) for x, y in points)
    return f'<polyline points="{text}" fill="none" stroke="{colour}"/>'
