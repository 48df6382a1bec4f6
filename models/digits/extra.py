"""Pictures from elsewhere to learn from: corrections that people sent.

A folder as `app.py dataset` writes it: a folder of pictures for each label, and
labels.txt with the label of each, in the folders' alphabetical order.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

import exams
import samples

TIMES = 10  # that each is shown in a round
SHARE = 0.25  # of all that is shown, at most: a few people's hands are not everybody's
SHIFT = 2  # pixels of the 32


class Extra(NamedTuple):
    """Pictures, shape (n, 32, 32) in 0..1, and their digits, shape (n,)."""

    pictures: NDArray[np.float32]
    digits: NDArray[np.int64]


def load(folder: Path) -> Extra:
    """Return all pictures of the folder. Stops where there is none, or no digit."""
    names = sorted(path.name for path in folder.iterdir() if path.is_dir())
    labels = (folder / "labels.txt").read_text(encoding="utf-8").splitlines()
    pictures, digits = [], []
    for name, label in zip(names, labels, strict=True):
        if label not in samples.LABELS:
            raise SystemExit(f"{folder}: {label!r} is no digit")
        for file in sorted((folder / name).iterdir()):
            with Image.open(file) as picture:
                pictures.append(exams.preprocess(picture)[..., 0])
            digits.append(int(label))
    if not pictures:
        raise SystemExit(f"{folder} has no pictures")
    return Extra(np.stack(pictures), np.array(digits))


def mix(
    more: Extra,
    shown: NDArray[np.float32],
    digits: NDArray[np.int64],
    samples: int,
    rng: np.random.Generator,
) -> None:
    """Replace some of a batch's pictures, and their digits, by extra ones, in place.

    `samples` is how many pictures a round shows.
    """
    share = min(SHARE, TIMES * len(more.digits) / samples)
    for place in np.flatnonzero(rng.random(len(digits)) < share):
        at = rng.integers(len(more.digits))
        shown[place] = vary(more.pictures[at], rng)
        digits[place] = more.digits[at]


def vary(picture: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Return the picture a little elsewhere, in another light."""
    across, down = rng.integers(-SHIFT, SHIFT + 1, 2)
    padded = np.pad(picture, SHIFT, mode="edge")
    height, width = picture.shape
    moved = padded[
        SHIFT + down : SHIFT + down + height, SHIFT + across : SHIFT + across + width
    ]
    lit = moved * rng.uniform(0.8, 1.2) + rng.uniform(-0.1, 0.1)
    return np.clip(lit, 0, 1).astype(np.float32)
