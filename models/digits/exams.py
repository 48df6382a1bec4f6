"""What the model is asked when training is over: pictures that it never saw.

The scans that were held out, and digits printed in fonts; training uses no font.
"""

from typing import NamedTuple

import keras
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont, ImageOps

import scans

SIDE = 32
CANVAS = 280
PRINTED_DIGITS = 1000
PRINT_SEED = 7
# Debian's fonts-dejavu-core and fonts-liberation; Pillow finds them by their names.
FONTS = (
    *("DejaVuSans", "DejaVuSans-Bold", "DejaVuSansMono", "DejaVuSansMono-Bold"),
    *("DejaVuSerif", "DejaVuSerif-Bold"),
    *("LiberationSans-Regular", "LiberationSans-Bold", "LiberationSans-Italic"),
    *("LiberationSerif-Regular", "LiberationSerif-Bold", "LiberationSerif-Italic"),
    *("LiberationMono-Regular", "LiberationMono-Bold", "LiberationMono-Italic"),
)

Accuracies = dict[str, float | None]


class Exam(NamedTuple):
    """Pictures, shape (n, 32, 32, 1) in 0..1, and the right answers, shape (n,)."""

    pictures: NDArray[np.float32]
    digits: NDArray[np.int64]


def accuracies(model: keras.Model, held_out: scans.Scans) -> Accuracies:
    """Return the share of right answers by exam; None where no font is installed."""
    exams = {
        "held-out scans, light on dark": scanned(held_out, dark_ink=False),
        "held-out scans, dark on light": scanned(held_out, dark_ink=True),
        "printed in fonts": printed(),
    }
    return {
        name: None if exam is None else grade(model, exam)
        for name, exam in exams.items()
    }


def grade(model: keras.Model, exam: Exam) -> float:
    """Return the share of right answers, 0..1."""
    answers = model.predict(exam.pictures, verbose=0).argmax(axis=1)
    return round(float((answers == exam.digits).mean()), 4)


def preprocess(picture: Image.Image) -> NDArray[np.float32]:
    """Return the tensor that the card's preprocessing makes, shape (32, 32, 1)."""
    small = picture.convert("L").resize((SIDE, SIDE), Image.Resampling.BILINEAR)
    return np.asarray(small, np.float32)[..., None] / np.float32(255)


def scanned(part: scans.Scans, *, dark_ink: bool) -> Exam:
    """Return the scans, smoothly enlarged."""
    pictures = [scans.enlarge(ink, 4 * SIDE) for ink in part.ink]
    if dark_ink:
        pictures = [ImageOps.invert(picture) for picture in pictures]
    return Exam(np.stack([preprocess(p) for p in pictures]), part.digits)


def printed() -> Exam | None:
    """Return digits in all installed FONTS, any place, size and polarity."""
    fonts = installed()
    if not fonts:
        return None
    rng = np.random.default_rng(PRINT_SEED)
    digits = rng.integers(10, size=PRINTED_DIGITS)
    pictures = [
        preprocess(write(str(digit), fonts[i % len(fonts)], rng))
        for i, digit in enumerate(digits)
    ]
    return Exam(np.stack(pictures), digits)


def installed() -> list[ImageFont.FreeTypeFont]:
    """Return those of FONTS that this machine has, large enough for the canvas."""
    found = []
    for name in FONTS:
        try:
            found.append(ImageFont.truetype(f"{name}.ttf", 2 * CANVAS))
        except OSError:  # not installed
            continue
    return found


def write(
    text: str, font: ImageFont.FreeTypeFont, rng: np.random.Generator
) -> Image.Image:
    """Return the text, 30 % to 95 % of a canvas high, full contrast, either polarity.

    A text that would be wider than that is made smaller.
    """
    left, top, right, bottom = (round(edge) for edge in font.getbbox(text))
    ink = Image.new("L", (right - left, bottom - top))
    ImageDraw.Draw(ink).text((-left, -top), text, font=font, fill=255)
    height = round(rng.uniform(0.3, 0.95) * CANVAS)
    ink.thumbnail((round(0.95 * CANVAS), height))
    canvas = Image.new("L", (CANVAS, CANVAS))
    x, y = (int(rng.integers(CANVAS - length + 1)) for length in ink.size)
    canvas.paste(ink, (x, y))
    return ImageOps.invert(canvas) if rng.random() < 0.5 else canvas
