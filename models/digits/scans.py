"""The real handwriting: scikit-learn's 8x8 scans, how they are split and redrawn.

The scans are the test part of the UCI "Optical Recognition of Handwritten Digits"
set (E. Alpaydin, C. Kaynak, 1998): 1797 digits by 13 writers, 0..16, light on dark.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from placement import CANVAS, Affine, place

SIDE = 8
FULL_INK = 16
HELD_OUT_SHARE = 0.25
# Never a flag: another split would let the tests look at what training has seen.
SPLIT_SEED = 1998
MARGIN = 2  # cells around a scan, so that its outer edge fades as its inner ones do

Scan = NDArray[np.float32]


class Scans(NamedTuple):
    """Scans of shape (n, 8, 8), ink 0..1 in float32, and their digits, shape (n,)."""

    ink: Scan
    digits: NDArray[np.int64]


def load() -> tuple[Scans, Scans]:
    """Return the training part and the held-out part (a quarter, stratified)."""
    ink, digits = load_digits(return_X_y=True)
    seen, held_out = train_test_split(
        np.arange(len(digits)),
        test_size=HELD_OUT_SHARE,
        stratify=digits,
        random_state=SPLIT_SEED,
    )
    ink = ink.reshape(-1, SIDE, SIDE).astype(np.float32) / FULL_INK
    digits = digits.astype(np.int64)
    return Scans(ink[seen], digits[seen]), Scans(ink[held_out], digits[held_out])


def enlarge(scan: Scan, side: int) -> Image.Image:
    """Return one scan as a smooth picture, `side` pixels square, light on dark."""
    small = Image.fromarray(np.uint8(scan * 255))
    return small.resize((side, side), Image.Resampling.BICUBIC)


def redraw(scan: Scan, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return a scan's ink in another place and weight, shape (CANVAS, CANVAS), 0..255.

    One in three fills the picture edge to edge, as an enlarged scan does.
    """
    full = rng.random() < 1 / 3
    padded = np.pad(scan, MARGIN, mode="edge" if full else "constant")
    affine = fill(rng) if full else place(corners(padded), rng)
    canvas = Image.fromarray(padded).transform(
        (CANVAS, CANVAS),
        Image.Transform.AFFINE,
        affine.backwards(),
        Image.Resampling.BICUBIC,
    )
    weighed = reweigh(np.asarray(canvas), rng)
    return (255 * np.clip(weighed, 0, 1)).astype(np.uint8)


def corners(padded: Scan) -> NDArray[np.float64]:
    """Return the corners of the box around the ink, shape (4, 2), in cells."""
    rows, columns = np.nonzero(padded > 0.2)
    xs, ys = (columns.min(), columns.max() + 1), (rows.min(), rows.max() + 1)
    return np.array([(x, y) for x in xs for y in ys], np.float64)


def fill(rng: np.random.Generator) -> Affine:
    """Return a map that lays the scan's 8 x 8 cells over the canvas, give or take."""
    turn = np.diag(rng.uniform(0.97, 1.15, 2))
    turn[1, 0] = rng.normal(0, 0.05)
    turn *= CANVAS / SIDE
    middle = np.full(2, MARGIN + SIDE / 2)
    return Affine(turn, CANVAS / 2 - middle @ turn + rng.normal(0, 3, 2))


def reweigh(ink: Scan, rng: np.random.Generator) -> Scan:
    """Return thinner or thicker strokes with sharper edges; half stay as they are."""
    if rng.random() < 0.5:
        return ink
    level, steepness = rng.uniform(0.25, 0.7), rng.uniform(4, 14)
    return (ink - level) * np.float32(steepness) + np.float32(0.5)
