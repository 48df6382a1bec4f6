"""Bytes -> float32[H, W, C]: every form of picture, and every broken one a 4xx."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageOps

from facenality.errors import TooLarge, UnprocessableInput
from facenality.spec import ImageSpec
from facenality.tasks import image_decode
from made import picture


def spec(**more) -> ImageSpec:
    known = {
        "mode": "RGB",
        "height": 8,
        "width": 8,
        "resize": "bilinear",
        "fit": "stretch",
        "preprocess": "none",
    }
    return ImageSpec(**(known | more))


def colour(data: bytes, **more) -> list[int]:
    """The one colour of a decoded picture, rounded."""
    tensor = image_decode.decode(data, spec(**more))
    assert tensor.dtype == np.float32
    flat = tensor.reshape(-1, tensor.shape[-1])
    assert np.ptp(flat, axis=0).max() <= 3
    return flat.mean(0).round().astype(int).tolist()


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "GIF", "BMP"])
def test_every_format_of_the_contract_is_read(form):
    got = colour(picture((200, 30, 60), form=form))
    assert np.abs(np.array(got) - (200, 30, 60)).max() <= 4


@pytest.mark.parametrize(
    ("mode", "fill", "expected"),
    [
        ("RGBA", (255, 0, 0, 0), [255, 255, 255]),
        ("RGBA", (255, 0, 0, 128), [255, 127, 127]),
        ("LA", (0, 0), [255, 255, 255]),
        ("L", 77, [77, 77, 77]),
        ("1", 1, [255, 255, 255]),
        ("P", 0, [0, 0, 0]),
        ("I;16", 0x8000, [128, 128, 128]),
    ],
)
def test_every_mode_becomes_rgb_over_white(mode, fill, expected):
    assert colour(picture(fill, mode=mode)) == expected


def test_a_transparent_palette_colour_lies_over_white():
    assert colour(picture(0, mode="P", transparency=0)) == [255, 255, 255]


def test_cmyk_is_converted():
    got = colour(picture((0, 255, 255, 0), mode="CMYK", form="JPEG"))
    assert np.abs(np.array(got) - (255, 0, 0)).max() <= 6


def test_channels_come_first_for_a_model_that_wants_them_so():
    tensor = image_decode.decode(picture((9, 8, 7)), spec(channels_first=True, width=4))
    assert tensor.shape == (3, 8, 4)
    assert tensor[:, 0, 0].tolist() == [9, 8, 7]


def test_a_gif_gives_its_first_frame():
    frames = [Image.new("RGB", (10, 10), c) for c in ("red", "blue")]
    stream = io.BytesIO()
    frames[0].save(stream, "GIF", save_all=True, append_images=frames[1:])
    assert colour(stream.getvalue()) == [255, 0, 0]


def test_grey_is_one_channel():
    tensor = image_decode.decode(picture("white"), spec(mode="L"))
    assert tensor.shape == (8, 8, 1)
    assert tensor.max() == tensor.min() == 255


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("fit", ["stretch", "crop", "pad"])
def test_exif_orientation_is_applied_as_pillow_does(orientation, fit):
    noise = np.random.default_rng(2).integers(0, 255, (3, 4, 3), "uint8")
    image = Image.fromarray(noise).resize((80, 60), Image.Resampling.BICUBIC)
    exif = Image.Exif()
    exif[0x0112] = orientation
    stream = io.BytesIO()
    image.save(stream, "PNG", exif=exif)
    upright = io.BytesIO()
    ImageOps.exif_transpose(Image.open(stream)).save(upright, "PNG")
    some = spec(height=12, width=20, fit=fit)
    turned, plain = (image_decode.decode(s.getvalue(), some) for s in (stream, upright))
    assert turned.shape == (12, 20, 3)
    assert np.abs(turned - plain).max() <= 1  # one rounding


def test_broken_exif_does_not_spoil_a_good_picture():
    data = picture(
        "red", form="JPEG", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff" + b"\xff" * 9
    )
    assert colour(data)[0] >= 250


@pytest.mark.parametrize("size", [(64, 20), (20, 64), (33, 32)])
@pytest.mark.parametrize("fit", ["crop", "pad"])
def test_crop_and_pad_are_pillows(size, fit):
    noise = np.random.default_rng(2).integers(0, 255, (*size, 3), "uint8")
    stream = io.BytesIO()
    Image.fromarray(noise).save(stream, "PNG")
    theirs = {"crop": ImageOps.fit, "pad": ImageOps.pad}[fit](
        Image.fromarray(noise), (16, 8), Image.Resampling.BILINEAR
    )
    ours = image_decode.decode(stream.getvalue(), spec(height=8, width=16, fit=fit))
    assert np.abs(ours - np.asarray(theirs, np.float32)).max() <= 1


@pytest.mark.parametrize(
    ("fit", "corner", "centre"),
    [("stretch", 0, 255), ("crop", 255, 255), ("pad", 0, 255)],
)
def test_fit_says_what_becomes_of_a_wide_picture(fit, corner, centre):
    """A white square in the middle of a black picture three times as wide."""
    wide = Image.new("RGB", (96, 32))
    wide.paste("white", (32, 0, 64, 32))
    stream = io.BytesIO()
    wide.save(stream, "PNG")
    tensor = image_decode.decode(stream.getvalue(), spec(fit=fit, resize="nearest"))
    assert tensor[0, 0, 0] == corner
    assert tensor[4, 4, 0] == centre


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("none", [255.0, 0.0, 51.0]),
        ("unit", [1.0, 0.0, 0.2]),
        ("tf", [1.0, -1.0, -0.6]),
        ("torch", [(1 - 0.485) / 0.229, -0.456 / 0.224, (0.2 - 0.406) / 0.225]),
        ("caffe", [51 - 103.939, -116.779, 255 - 123.68]),
    ],
)
def test_preprocess_is_that_of_keras_applications(how, expected):
    tensor = image_decode.decode(picture((255, 0, 51)), spec(preprocess=how))
    assert np.allclose(tensor[0, 0], expected, atol=1e-5)


@pytest.mark.parametrize("size", [(640, 427), (427, 640), (3000, 500)])
def test_a_drafted_jpeg_is_close_to_the_plain_one(size):
    """draft() may not move a pixel by more than a few grey levels."""
    noise = np.random.default_rng(1).integers(0, 255, (12, 16, 3), "uint8")
    smooth = Image.fromarray(noise).resize(size, Image.Resampling.BICUBIC)
    stream = io.BytesIO()
    smooth.save(stream, "JPEG", quality=90)
    plain = Image.open(stream).resize((24, 24), Image.Resampling.BILINEAR)
    tensor = image_decode.decode(stream.getvalue(), spec(height=24, width=24))
    assert np.abs(tensor - np.asarray(plain, np.float32)).mean() < 2


def test_an_empty_file_is_named_as_such():
    with pytest.raises(UnprocessableInput, match="empty"):
        image_decode.decode(b"", spec())


@pytest.mark.parametrize("data", [b"hello", b"<svg/>", b"\x89PNG\r\n\x1a\n", b"II*\0"])
def test_what_is_no_image_is_refused(data):
    with pytest.raises(UnprocessableInput) as caught:
        image_decode.decode(data, spec())
    assert caught.value.status == 422


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "GIF", "BMP"])
@pytest.mark.parametrize("part", [0.2, 0.5, 0.9])
def test_a_cut_file_is_refused_or_read_never_a_crash(form, part):
    noise = np.random.default_rng(1).integers(0, 255, (60, 60, 3), "uint8")
    stream = io.BytesIO()
    Image.fromarray(noise).save(stream, form)
    cut = stream.getvalue()[: int(len(stream.getvalue()) * part)]
    with pytest.raises(UnprocessableInput):
        image_decode.decode(cut, spec())


def test_mutated_files_are_answered_or_refused():
    """Row R6 in short: any bytes give a tensor or a 4xx."""
    rng = np.random.default_rng(0)
    seeds = [
        picture((9, 99, 200), form=f) for f in ("PNG", "JPEG", "WEBP", "GIF", "BMP")
    ]
    for _ in range(2000):
        data = bytearray(seeds[rng.integers(len(seeds))])
        for _ in range(rng.integers(1, 6)):
            data[rng.integers(len(data))] = rng.integers(256)
        try:
            assert image_decode.decode(bytes(data), spec()).shape == (8, 8, 3)
        except (UnprocessableInput, TooLarge) as error:
            assert 400 <= error.status < 500


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds no pixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        crc = struct.pack(">I", zlib.crc32(kind + body))
        return struct.pack(">I", len(body)) + kind + body + crc

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    idat = chunk(b"IDAT", zlib.compress(b""))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + idat + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("size", "sentence"),
    [
        ((6000, 5000), "more than 25 megapixels"),
        ((20000, 10), "16384"),
        ((60000, 60000), "pixels"),
        ((10000, 10000), "megapixels"),
    ],
)
def test_too_many_pixels_are_refused_by_the_header(size, sentence):
    with pytest.raises(TooLarge, match=sentence):
        image_decode.decode(png_header(*size), spec())


def test_a_phones_mpo_has_the_limits_of_a_jpeg():
    big = picture("red", (5000, 5200), "MPO")
    assert colour(big)[0] >= 250
    with pytest.raises(TooLarge, match="16 megapixels"):
        image_decode.decode(
            picture("red", (5000, 5200), "MPO", progressive=True), spec()
        )


def test_a_baseline_jpeg_may_be_larger_than_a_progressive_one():
    big = picture("red", (5000, 5200), "JPEG")  # 26 megapixels
    assert colour(big)[0] >= 250
    with pytest.raises(TooLarge, match="16 megapixels"):
        image_decode.decode(
            picture("red", (5000, 5200), "JPEG", progressive=True), spec()
        )
