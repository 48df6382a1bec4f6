"""Decoding at a fraction of the size moves no answer: figures.md's bound, with draft().

The network is the bundled one for digits, which is trained: a network of random weights
amplifies the last bit of a pixel, and would only measure that.
"""

import io
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import sklearn
from PIL import Image, ImageOps

from facenality.spec import ImageSpec
from facenality.tasks import image_decode
from facenality.tasks.image_transform import preprocess
from serving import ROOT

DIGITS = ROOT / "models" / "digits"
PHOTOGRAPHS = Path(sklearn.__file__).parent / "datasets" / "images"
SIDES = (2400, 1280, 640, 300, 100)
SAVED = {
    "as phones do": {"quality": 92, "subsampling": 0},
    "small": {"quality": 60, "subsampling": 2},
    "progressive": {"quality": 80, "progressive": True},
    "grey": {"quality": 85, "mode": "L"},
    "for print": {"quality": 90, "mode": "CMYK"},
    "on its side": {"quality": 85, "orientation": 6},
}


def encoded(picture: Image.Image, mode="RGB", orientation=1, **how) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    if orientation == 6:  # what undoes it
        picture = picture.transpose(Image.Transpose.ROTATE_90)
    stream = io.BytesIO()
    picture.convert(mode).save(stream, "JPEG", exif=exif, **how)
    return stream.getvalue()


def plain(data: bytes, spec: ImageSpec) -> np.ndarray:
    """Pillow's own decode and resize, nothing left out."""
    upright = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    size = (spec.width, spec.height)
    small = upright.convert(spec.mode).resize(size, Image.Resampling.BILINEAR)
    return preprocess(np.asarray(small), spec.preprocess)


def enlarged(picture: Image.Image, side: int) -> Image.Image:
    """`picture` with a longer side of `side` pixels."""
    scale = side / max(picture.size)
    size = (round(scale * picture.width), round(scale * picture.height))
    return picture.resize(size, Image.Resampling.BICUBIC)


@pytest.fixture(scope="module")
def network():
    import keras

    return keras.models.load_model(DIGITS / "model.keras", compile=False)


@pytest.mark.parametrize("saved", SAVED)
def test_answers_are_those_of_a_plain_decode(network, saved):
    """The same digit for every photograph, its probabilities within 0.02."""
    spec = ImageSpec("L", 32, 32, "bilinear", "stretch", "unit")
    digits = [
        Image.open(file).convert("RGB") for file in (DIGITS / "examples").iterdir()
    ]
    sent = [
        encoded(enlarged(digit, side), **SAVED[saved])
        for digit, side in product(digits, SIDES)
    ]
    ours = network(np.stack([image_decode.decode(data, spec) for data in sent])).numpy()
    theirs = network(np.stack([plain(data, spec) for data in sent])).numpy()
    assert len(set(theirs.argmax(1))) == len(digits)
    assert (ours.argmax(1) == theirs.argmax(1)).all()
    assert np.abs(ours - theirs).max() <= 0.02


@pytest.mark.parametrize("saved", SAVED)
@pytest.mark.parametrize("name", ["china.jpg", "flower.jpg"])
def test_pixels_are_close_to_those_of_a_plain_decode(name, saved):
    """Half a grey level in the mean: less than JPEG's own loss."""
    spec = ImageSpec("RGB", 224, 224, "bilinear", "stretch", "none")
    photograph = Image.open(PHOTOGRAPHS / name)
    for size in ((2500, 1700), (1000, 667), (640, 427)):
        data = encoded(photograph.resize(size), **SAVED[saved])
        difference = np.abs(image_decode.decode(data, spec) - plain(data, spec))
        assert difference.mean() <= 0.5
