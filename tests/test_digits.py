"""The embedded model reads digits it never saw: scanned, printed, drawn, photographed.

All preprocessing here is written out once more, with Pillow and NumPy alone, so that a
slip in training's own cannot hide itself.
"""

import importlib
import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont, ImageOps

DIGITS = Path(__file__).parent.parent / "models" / "digits"
PAD = 280  # the side of the page's drawing pad, in pixels
PEN = 18
CORNERS_AND_MIDDLE = ((0, 0), (1, 0), (0, 1), (1, 1), (0.5, 0.5))

# Debian's fonts-dejavu-core and fonts-liberation. Training uses no font at all.
FONTS = (
    "DejaVuSans.ttf",
    "DejaVuSans-Bold.ttf",
    "DejaVuSansMono.ttf",
    "DejaVuSerif.ttf",
    "DejaVuSerif-Bold.ttf",
    "LiberationSans-Regular.ttf",
    "LiberationSans-BoldItalic.ttf",
    "LiberationSerif-Regular.ttf",
    "LiberationSerif-BoldItalic.ttf",
    "LiberationMono-Regular.ttf",
)

# Put down by hand, as a finger goes over a pad of 100 x 100; not made by training's
# generator. Per digit several ways; `|` lifts the finger.
DRAWN: dict[int, list[str]] = {
    0: [
        "48,8 30,14 19,32 15,55 22,79 40,93 60,91 77,75 83,50 78,25 64,10 46,9",
        "58,6 40,12 30,30 28,56 34,82 48,95 62,84 70,58 69,30 60,12 44,10",
        "30,15 20,40 24,75 45,94 72,84 82,55 74,22 50,8 36,20",
    ],
    1: [
        "52,6 51,30 50,62 49,95",
        "30,30 44,18 57,5 56,40 57,70 56,95",
        "33,24 52,6 52,50 51,93 | 28,93 50,94 77,92",
        "61,5 55,35 47,66 41,95",
        "22,48 40,28 60,6 61,50 60,96",
    ],
    2: [
        "22,30 26,18 38,10 55,9 70,16 76,30 70,47 55,62 38,77 22,90 45,91 64,90 82,89",
        "24,22 45,8 68,14 72,36 56,62 30,88 20,90 22,80 36,80 58,90 80,86",
        "20,14 50,8 74,20 66,44 44,68 18,93 84,94",
    ],
    3: [
        "24,18 40,8 60,9 73,20 70,36 56,46 40,49 60,53 75,65 74,82 58,94 38,94 20,84",
        "20,9 76,8 44,44 66,50 78,68 68,88 44,95 20,86",
        "28,14 52,6 70,18 64,38 46,46 68,58 72,78 52,94 26,88",
    ],
    4: [
        "62,6 42,34 18,64 50,65 86,64 | 64,40 63,70 62,95",
        "26,8 22,34 22,54 48,55 76,53 | 70,6 69,50 68,95",
        "64,95 64,6 16,68 88,69",
        "40,5 26,40 20,58 80,54 | 62,30 56,95",
    ],
    5: [
        "76,9 50,9 30,10 27,30 25,46 44,41 64,46 76,62 72,82 54,94 34,93 20,84",
        "30,12 27,45 50,40 72,52 76,72 60,92 26,92 | 30,11 55,10 80,8",
        "74,10 46,10 32,22 36,42 58,52 70,68 62,88 40,95 22,88",
    ],
    6: [
        "66,6 48,18 33,38 25,60 27,80 42,94 60,93 74,80 73,63 58,53 40,57 28,70",
        "58,5 36,34 24,66 34,90 56,95 74,80 66,60 44,60 28,74",
        "40,4 32,40 30,76 44,94 64,90 70,70 56,56 36,66",
    ],
    7: [
        "18,12 48,11 80,10 64,38 50,66 40,95",
        "20,10 82,9 60,45 44,95 | 34,52 55,51 76,50",
        "22,14 50,16 76,8 66,30 56,60 52,95",
        "16,26 18,10 84,10 46,94",
    ],
    8: [
        "70,18 52,7 32,14 30,30 48,45 68,58 76,76 62,92 40,93 26,78 34,60 54,46 "
        "70,32 70,18",
        "50,48 32,36 32,16 50,6 68,16 68,36 50,48 28,62 26,84 50,96 74,84 72,62 50,48",
        "74,14 50,6 34,22 46,42 64,62 62,86 42,94 28,80 40,56 66,34 78,18",
    ],
    9: [
        "70,26 58,10 40,10 26,24 28,42 44,50 60,44 70,28 70,55 68,95",
        "72,22 50,7 30,20 34,44 56,48 72,24 74,60 64,86 44,95 24,86",
        "66,12 42,8 28,28 38,48 60,42 68,14 62,50 46,95",
    ],
}


@pytest.fixture(scope="module")
def model() -> Any:
    import keras

    return keras.models.load_model(
        DIGITS / "model.keras", compile=False, safe_mode=True
    )


@pytest.fixture(scope="module")
def held_out() -> Iterator[Any]:
    """The scans that training set aside: by its own split, or we would test on others.

    `ink` has the shape (450, 8, 8), 0..1, light on dark.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(DIGITS)
        yield importlib.import_module("scans").load()[1]


def preprocess(picture: Image.Image) -> np.ndarray:
    """What the card says: grey, stretched to 32 x 32, bilinear, 0..1."""
    small = picture.convert("L").resize((32, 32), Image.Resampling.BILINEAR)
    return np.asarray(small, np.float32)[..., None] / 255


def answers(model: Any, pictures: list[Image.Image]) -> np.ndarray:
    batch = np.stack([preprocess(picture) for picture in pictures])
    return model.predict(batch, verbose=0, batch_size=128).argmax(axis=1)


def scanned(ink: np.ndarray, side: int, background: int) -> Image.Image:
    """A scan as a picture, enlarged smoothly, light on black (0) or dark on white."""
    small = Image.fromarray(np.uint8(ink * 255))
    light = small.resize((side, side), Image.Resampling.BICUBIC)
    return ImageOps.invert(light) if background else light


def printed(digit: int, font: str, rng: np.random.Generator) -> Image.Image:
    """A digit in a font: 30 to 95 % of the height, any place, either polarity."""
    face = ImageFont.truetype(font, round(rng.uniform(0.3, 0.95) * PAD * 1.3))
    left, top, right, bottom = face.getbbox(str(digit))
    x = rng.uniform(0, PAD - (right - left)) - left
    y = rng.uniform(0, PAD - (bottom - top)) - top
    page = Image.new("L", (PAD, PAD), "white")
    ImageDraw.Draw(page).text((x, y), str(digit), font=face, fill="black")
    return ImageOps.invert(page) if rng.random() < 0.5 else page


def drawn(way: str, share: float, at: tuple[float, float]) -> Image.Image:
    """Dark round strokes on white, as the pad draws them; `share` of its side long."""
    strokes = [
        np.array([point.split(",") for point in stroke.split()], float)
        for stroke in way.split("|")
    ]
    points = np.concatenate(strokes)
    low, high = points.min(0), points.max(0)
    scale = (share * PAD - PEN) / (high - low).max()
    start = (PAD - PEN - (high - low) * scale) * at + PEN / 2
    pad = Image.new("RGB", (PAD, PAD), "white")
    pen = ImageDraw.Draw(pad)
    for stroke in strokes:
        path = [tuple(point) for point in (stroke - low) * scale + start]
        pen.line(path, fill="#111", width=PEN, joint="curve")
        for point in path:
            pen.circle(point, PEN / 2, fill="#111")
    return pad


def photographed(digit: Image.Image, size: tuple[int, int], seed: int) -> Image.Image:
    """A dark digit on white as an oblong photo: grey paper, a lamp aside, grain."""
    width, height = size
    rng = np.random.default_rng(seed)
    fitted = digit.resize((int(0.7 * height),) * 2)
    page = Image.new("L", size, "white")
    page.paste(fitted, tuple(rng.integers(np.subtract(size, fitted.size) + 1)))
    lamp = np.linspace(0.9, 0.6, width) + np.linspace(0, -0.1, height)[:, None]
    reflected = 0.2 + 0.8 * np.asarray(page) / 255
    grain = rng.normal(0, 0.02, (height, width))
    return Image.fromarray(np.uint8(255 * np.clip(lamp * reflected + grain, 0, 1)))


@pytest.mark.parametrize("background", [0, 255])
def test_nearly_all_held_out_scans_are_read(
    model: Any, held_out: Any, background: int
) -> None:
    pictures = [scanned(ink, 128, background) for ink in held_out.ink]
    assert (answers(model, pictures) == held_out.digits).mean() >= 0.98


@pytest.mark.parametrize("size", [(280, 210), (320, 180)])
def test_photos_that_are_not_square_are_read(
    model: Any, held_out: Any, size: tuple[int, int]
) -> None:
    pictures = [
        photographed(scanned(ink, 200, 255), size, seed)
        for seed, ink in enumerate(held_out.ink)
    ]
    assert (answers(model, pictures) == held_out.digits).mean() >= 0.96


def test_digits_printed_in_fonts_that_training_never_saw_are_read(model: Any) -> None:
    fonts = [font for font in FONTS if is_installed(font)]
    if not fonts:
        pytest.skip("needs fonts-dejavu-core or fonts-liberation (apt-get install)")
    rng = np.random.default_rng(11)
    digits = np.arange(600) % 10
    pictures = [
        printed(digit, fonts[i // 10 % len(fonts)], rng)
        for i, digit in enumerate(digits)
    ]
    assert (answers(model, pictures) == digits).mean() >= 0.97


def is_installed(font: str) -> bool:
    try:
        ImageFont.truetype(font, 10)
    except OSError:
        return False
    return True


@pytest.mark.parametrize("share", [0.35, 0.5, 0.7, 0.95])
def test_every_digit_drawn_on_the_pad_is_read(model: Any, share: float) -> None:
    """In the middle and in each corner, from a third of the pad's side upwards."""
    cases = [
        (digit, drawn(way, share, at))
        for digit, ways in DRAWN.items()
        for way in ways
        for at in CORNERS_AND_MIDDLE
    ]
    read = answers(model, [picture for _, picture in cases])
    wrong = [(d, int(r)) for (d, _), r in zip(cases, read, strict=True) if d != r]
    assert wrong == []


def test_the_file_is_small() -> None:
    assert (DIGITS / "model.keras").stat().st_size < 400_000


def test_the_answer_is_one_probability_per_label(model: Any) -> None:
    labels = (DIGITS / "labels.txt").read_text().splitlines()
    scores = model.predict(np.random.default_rng(0).random((3, 32, 32, 1)), verbose=0)
    assert labels == list("0123456789")
    assert scores.shape == (3, len(labels))
    np.testing.assert_allclose(scores.sum(axis=1), 1, rtol=1e-5)


def test_the_card_says_everything() -> None:
    card = tomllib.loads((DIGITS / "model.toml").read_text())
    assert card == {
        "task": "image-classification",
        "labels": "labels.txt",
        "output": "probability",
        "preprocess": "unit",
        "engine": "auto",
        "precision": "float32",
        "max_batch_size": 16,
        "tolerance": 0.001,
        "image": {
            "mode": "L",
            "size": [32, 32],
            "resize": "bilinear",
            "fit": "stretch",
        },
    }


def test_the_golden_sample_is_answered_as_expected(model: Any) -> None:
    expected = json.loads((DIGITS / "expected.json").read_text())
    with Image.open(DIGITS / "sample.png") as sample:
        scores = model.predict(preprocess(sample)[None], verbose=0)[0]
    best = np.argsort(-scores)[:5]
    assert [int(p["label"]) for p in expected] == best.tolist()
    probabilities = [p["probability"] for p in expected]
    np.testing.assert_allclose(probabilities, scores[best], atol=1e-3)


def test_every_example_is_read(model: Any) -> None:
    """Each is named by its digit."""
    files = sorted((DIGITS / "examples").iterdir())
    pictures = [Image.open(file) for file in files]
    assert len(files) >= 4
    assert answers(model, pictures).tolist() == [int(file.stem) for file in files]


def test_training_runs_anywhere_and_writes_the_whole_folder(tmp_path: Path) -> None:
    out = tmp_path / "fresh"
    command = [sys.executable, str(DIGITS / "train.py"), "--epochs", "1"]
    command += ["--samples", "256", "--seed", "3", "--out", str(out)]
    run = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    assert "held-out scans" in run.stdout
    written = {path.name for path in out.iterdir()}
    assert written >= {"model.keras", "labels.txt", "sample.png", "expected.json"}
