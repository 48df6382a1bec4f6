"""Digits as a pen draws them: a skeleton, shaken by a hand, under a round or flat pen.

The scans alone teach one size and one school's handwriting; people who draw on a
page use thick pens, bare sticks, open fours and curved sevens. No font is used.
"""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from placement import CANVAS, Affine, Points, place
from skeletons import SKELETONS

STEPS_PER_POINT = 6
# Of the digit's height; thicker, and the holes of an 8 are painted over.
PEN_WIDTHS = (0.05, 0.24)
THINNEST_RADIUS = 1.0  # in canvas pixels: half a pixel wide for the model


def draw(digit: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return a drawn digit's ink, shape (CANVAS, CANVAS), 0..255."""
    ways = SKELETONS[digit]
    strokes = shake(parse(ways[rng.integers(len(ways))]), rng)
    affine = place(np.concatenate(strokes), rng)
    canvas = Image.new("L", (CANVAS, CANVAS))
    pen = Pen(canvas, affine, rng)
    for stroke in strokes:
        pen.follow(affine.apply(stroke))
    return np.asarray(canvas)


def parse(way: str) -> list[Points]:
    """Turn a skeleton's text into strokes, each a dense poly-line of shape (n, 2)."""
    return [trace(stroke.split()) for stroke in way.split("|")]


def trace(words: list[str]) -> Points:
    """Join the smooth runs between the corners (`!`) of one stroke."""
    points = np.array([word.rstrip("!").split(",") for word in words], np.float64)
    corners = [i for i, word in enumerate(words) if word.endswith("!")]
    stops = [0, *corners, len(words) - 1]
    return np.concatenate([smooth(points[a : b + 1]) for a, b in pairwise(stops)])


def smooth(points: Points) -> Points:
    """Return a Catmull-Rom curve through the points (E. Catmull, R. Rom, 1974)."""
    before, after = 2 * points[:1] - points[1:2], 2 * points[-1:] - points[-2:-1]
    knots = np.concatenate([before, points, after])[:, None]
    a, b, c, d = knots[:-3], knots[1:-2], knots[2:-1], knots[3:]
    t = np.linspace(0, 1, STEPS_PER_POINT + 1)[None, :, None]
    bend = (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * (b - c) + d - a) * t**3
    curve: Points = b + ((c - a) * t + bend) / 2
    return curve.reshape(-1, 2)


def shake(strokes: list[Points], rng: np.random.Generator) -> list[Points]:
    """Bend all strokes by one slow wave, then move each a little by itself.

    The wave keeps joined strokes joined; the move makes the gaps and the overshoots
    of a quick hand. Lengths are in the skeleton's box (6 x 10).
    """
    waves = rng.normal(0, rng.uniform(0.1, 0.45), (2, 3, 2))
    phases = rng.uniform(0, 2 * np.pi, (3, 2))
    speeds = rng.uniform(0.2, 0.75, (3, 2))
    nudges = rng.normal(0, 0.18, (len(strokes), 2))

    def bend(points: Points) -> Points:
        wave = np.sin(points[:, None] * speeds + phases)
        bent: Points = points + np.einsum("nkc,ckd->nd", wave, waves)
        return bent

    return [bend(s) + n for s, n in zip(strokes, nudges, strict=True)]


class Pen:
    """A pen with a round tip, one time in three widened to a flat nib.

    The flat nib gives thick and thin strokes, as in print and calligraphy.
    """

    def __init__(
        self, canvas: Image.Image, affine: Affine, rng: np.random.Generator
    ) -> None:
        self.brush = ImageDraw.Draw(canvas)
        width = rng.uniform(*PEN_WIDTHS) * affine.nominal_height()
        flat = rng.random() < 1 / 3
        roundness = rng.uniform(0.1, 0.4) if flat else 0.5
        self.radius = max(THINNEST_RADIUS, width * roundness)
        # Print is thick where it goes down: half of the nibs are held level.
        angle = rng.uniform(-0.6, 0.9) * (rng.random() < 0.5)
        reach = max(0.0, width / 2 - self.radius)
        self.nib = reach * np.array([np.cos(angle), -np.sin(angle)])

    def follow(self, path: Points) -> None:
        """Draw one stroke, path in canvas pixels, shape (n, 2)."""
        if self.nib.any():
            self.sweep(path - self.nib, path + self.nib)
        else:
            self.line(path)

    def sweep(self, left: Points, right: Points) -> None:
        """Draw what a flat nib covers between the paths of its two ends."""
        self.line(left)
        self.line(right)
        for now, then in pairwise(np.concatenate([left, right], axis=1).tolist()):
            self.brush.polygon([*now, *then[2:], *then[:2]], fill=255)

    def line(self, path: Points) -> None:
        """Draw a poly-line with round joints and ends."""
        width = round(2 * self.radius)
        self.brush.line(path.ravel().tolist(), fill=255, width=width)
        r = self.radius - 0.5
        for x, y in path.tolist():
            self.brush.ellipse((x - r, y - r, x + r, y + r), fill=255)
