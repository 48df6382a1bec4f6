"""Figure S9: whether resident memory grows with the requests."""

from statistics import linear_regression

Point = tuple[float, float]  # requests so far, MB resident


def slope(points: list[Point]) -> float:
    """MB per 10,000 requests, after the first fifth: allocators settle in it."""
    return per_10_000([p for p in points if p[0] > points[-1][0] / 5])


def per_10_000(points: list[Point]) -> float:
    """By how much the second number grows in 10,000 of the first: least squares."""
    if len({x for x, _ in points}) < 2:
        return 0.0
    requests, values = zip(*points, strict=True)
    return 1e4 * linear_regression(requests, values).slope
