"""The pictures that come with the model, made of scans that training never saw.

`sample.png` with `expected.json` is the golden sample: a model that answers it
differently is not served. `examples/` is what the page offers to people without a pen.
"""

import json
from pathlib import Path

import keras
import numpy as np
from PIL import Image, ImageFilter, ImageOps

import exams
import scans

LABELS = tuple("0123456789")
TOP = 5
SAMPLE = 103  # places in the held-out part, picked by eye: these read well
DARK_ON_LIGHT = (37, 156)
LIGHT_ON_DARK = (57, 64)
PHOTOGRAPHED = {44: (320, 240), 42: (240, 320)}  # place -> width, height


def save(model: keras.Model, held_out: scans.Scans, folder: Path) -> None:
    """Write sample.png, what the model says to it, and the examples."""
    sample = folder / "sample.png"
    ImageOps.invert(ink(held_out, SAMPLE)).save(sample, optimize=True)
    text = json.dumps(predictions(model, sample), indent=2)
    (folder / "expected.json").write_text(text + "\n", encoding="utf-8")
    save_examples(held_out, folder / "examples")


def predictions(model: keras.Model, file: Path) -> list[dict[str, str | float]]:
    """Return the reply's `predictions` for an encoded picture, best first."""
    with Image.open(file) as picture:
        scores = model.predict(exams.preprocess(picture)[None], verbose=0)[0]
    best = np.argsort(-scores)[:TOP]
    return [{"label": LABELS[i], "probability": float(scores[i])} for i in best]


def save_examples(held_out: scans.Scans, folder: Path) -> None:
    """Write the examples, each named by its digit."""
    folder.mkdir(exist_ok=True)
    for at in DARK_ON_LIGHT:
        picture = ImageOps.invert(ink(held_out, at))
        picture.save(folder / f"{held_out.digits[at]}.png", optimize=True)
    for at in LIGHT_ON_DARK:
        name = f"{held_out.digits[at]}.png"
        ink(held_out, at).save(folder / name, optimize=True)
    for at, size in PHOTOGRAPHED.items():
        picture = photograph(ink(held_out, at), size, np.random.default_rng(at))
        picture.save(folder / f"{held_out.digits[at]}.jpg", quality=80)


def ink(held_out: scans.Scans, at: int) -> Image.Image:
    """Return a scan as ink on black, 128 pixels square, edges firm, with a margin."""
    smooth = scans.enlarge(np.pad(held_out.ink[at], scans.MARGIN), 192)
    firm = smooth.point([max(0, min(255, round(2.5 * (v - 70)))) for v in range(256)])
    return firm.resize((128, 128), Image.Resampling.LANCZOS)


def photograph(
    digit: Image.Image, size: tuple[int, int], rng: np.random.Generator
) -> Image.Image:
    """Return the ink on paper under a lamp at the upper left, grainy, a bit blurred."""
    width, height = size
    mask = Image.new("L", size)
    mask.paste(digit.rotate(-6).resize((150, 150)), (width - 185, height - 180))
    shade = np.add.outer(np.linspace(0, 0.25, height), np.linspace(0, 0.25, width))
    paper = 0.92 - shade + rng.normal(0, 0.02, (height, width))
    covered = np.asarray(mask.filter(ImageFilter.GaussianBlur(1))) / 255
    light = paper + covered * (0.25 - paper)
    warm = light[..., None] * np.array([1.0, 0.96, 0.88])
    return Image.fromarray(np.uint8(255 * np.clip(warm, 0, 1)))
