"""Where a digit lies in the picture: size, slant, turn, stretch and place."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

# Four canvas pixels per pixel of the model's 32: edges keep their grey when reduced.
CANVAS = 128
# Of the canvas. Above 1 the digit is cut off a little, as in a hasty photo.
SIZES = (0.22, 1.06)
LEAST_HEIGHT = 0.18  # a squashed digit would be a dash below that
# The box that skeletons are written in is 6 wide and this high.
NOMINAL_HEIGHT = 10.0

Points = NDArray[np.float64]


class Affine(NamedTuple):
    """A map from glyph units to canvas pixels: `points @ turn + shift`."""

    turn: Points
    shift: Points

    def apply(self, points: Points) -> Points:
        """Return the points, shape (n, 2), on the canvas."""
        return points @ self.turn + self.shift

    def nominal_height(self) -> float:
        """Return what 10 glyph units measure on the canvas, directions averaged."""
        return NOMINAL_HEIGHT * float(np.sqrt(abs(np.linalg.det(self.turn))))

    def backwards(self) -> tuple[float, ...]:
        """Return the six numbers Pillow wants: canvas pixel -> glyph unit."""
        back = np.linalg.inv(self.turn)
        shift = -self.shift @ back
        rows = (*back[:, 0], shift[0], *back[:, 1], shift[1])
        return tuple(float(number) for number in rows)


def place(points: Points, rng: np.random.Generator) -> Affine:
    """Pick a place for a glyph whose ink spans `points`, shape (n, 2)."""
    turn = lean(rng)
    spread = points @ turn
    low, high = spread.min(0), spread.max(0)
    width, height = high - low
    size = rng.uniform(*SIZES) / max(width, height)
    scale = CANVAS * max(size, LEAST_HEIGHT / height)
    room = CANVAS - (high - low) * scale
    return Affine(turn * scale, room * rng.uniform(0, 1, 2) - low * scale)


def lean(rng: np.random.Generator) -> Points:
    """Return a random slant, stretch and rotation, shape (2, 2), area kept."""
    angle = np.deg2rad(np.clip(rng.normal(0, 7), -18, 18))
    slant = np.clip(rng.normal(0.05, 0.15), -0.35, 0.45)
    wide = np.exp((np.clip(rng.normal(0, 0.25), -0.6, 0.6) + squash(rng)) / 2)
    cos, sin = np.cos(angle), np.sin(angle)
    hand = np.array([[1.0, 0.0], [-slant, 1.0]]) @ np.array([[cos, sin], [-sin, cos]])
    leaning: Points = hand @ np.diag([wide, 1 / wide])
    return leaning


def squash(rng: np.random.Generator) -> float:
    """Return log(width / height) of what stretching a photo to a square does to it.

    Nearly half the photos are not square, up to 1:2, upright as often as lying.
    """
    oblong = rng.uniform(0, 0.7) if rng.random() < 0.45 else 0.0
    return float(oblong if rng.random() < 0.5 else -oblong)
