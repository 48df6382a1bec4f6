"""Pictures of every shape become the model's size, as Pillow would make them."""

import numpy as np
import pytest
from PIL import Image

from facenality.spec import ImageSpec
from facenality.tasks import image_transform

SHAPES = ((640, 427), (427, 640), (33, 47), (224, 224), (7, 5), (1, 1), (9000, 2))
TARGETS = ((224, 224), (32, 32), (100, 50), (1, 3))


@pytest.fixture(params=["vectors", "Pillow"])
def resizer(request, monkeypatch):
    """With and without cykooz_resizer."""
    if request.param == "Pillow":
        monkeypatch.setattr(image_transform, "vectors", None)
    else:
        assert image_transform.vectors, "it is in the lock"


def noise(mode: str, size: tuple[int, int]) -> Image.Image:
    """The hardest of pictures for whoever rounds."""
    shape = (*size[::-1], 3) if mode == "RGB" else size[::-1]
    levels = np.random.default_rng(0).integers(0, 256, shape)
    return Image.fromarray(levels.astype(np.uint8))


def levels(picture: Image.Image) -> np.ndarray:
    return np.asarray(picture).astype(int)


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("target", TARGETS)
def test_bilinear_is_pillows_within_a_grey_level(resizer, mode, target):
    for size in SHAPES:
        picture, whole = noise(mode, size), (0.0, 0.0, *map(float, size))
        inner = (0.3 * size[0] / 4, 0.1, size[0] - 0.2, size[1] - 0.1 * size[1] / 4)
        for box in (whole, inner):
            ours = image_transform.resize(picture, target, box, "stretch", "bilinear")
            theirs = picture.resize(target, Image.Resampling.BILINEAR, box)
            assert (ours.mode, ours.size) == (mode, target)
            assert np.abs(levels(ours) - levels(theirs)).max() <= 1, (size, box)


@pytest.mark.parametrize("how", ["nearest", "bicubic", "lanczos"])
def test_the_other_filters_are_pillows_own(how):
    picture, box = noise("RGB", (640, 427)), (0, 0, 640, 427)
    ours = image_transform.resize(picture, (224, 224), box, "stretch", how)
    theirs = picture.resize((224, 224), image_transform._RESIZE[how], box)
    assert np.array_equal(levels(ours), levels(theirs))


@pytest.mark.parametrize("fit", ["stretch", "crop", "pad"])
@pytest.mark.parametrize(
    ("size", "side"), [((2050, 2045), 224), ((2994, 2999), 299), ((2994, 2989), 331)]
)
def test_no_size_of_picture_is_refused(resizer, fit, size, side):
    """Of these, cropped, rounding left a margin of less than nothing."""
    box = (0, 0, *size)
    fitted = image_transform.resize(
        Image.new("L", size), (side, side), box, fit, "bilinear"
    )
    assert max(fitted.size) == side


def test_a_picture_is_padded_in_the_middle():
    white = Image.new("RGB", (40, 20), "white")
    spec = ImageSpec("RGB", 32, 32, "bilinear", "pad", "none")
    size = (spec.width, spec.height)
    inner = image_transform.resize(white, size, (0, 0, 40, 20), spec.fit, spec.resize)
    rows = levels(image_transform.letterbox(inner, size)).max(axis=(1, 2))
    assert rows.tolist() == [0] * 8 + [255] * 16 + [0] * 8
