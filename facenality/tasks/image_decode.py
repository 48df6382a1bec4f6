"""Bytes -> picture -> tensor.

Runs in decoder threads; Pillow releases the GIL while it decodes and resizes.

How many scans a JPEG has, read off its markers without decoding it.

A scan of 31 bytes makes the decoder pass over the whole picture once more, so a small
file can keep it busy for minutes. Source: ITU-T T.81, annex B.
"""

import io
import re
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from PIL import ExifTags, Image, ImageFile, UnidentifiedImageError

from ..errors import TooLarge, UnprocessableInput
from ..spec import ImageSpec
from .image_transform import Box, Size, Tensor, letterbox, resize, tensor

# A photograph has some thirty, a profile of colours up to 255. Pillow puts EXIF
# together anew with each of its segments.
MAX_SEGMENTS = 500

# In coded pixels 0xFF is followed by 0x00, or by a restart marker.
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_ALONE = (0x01, 0xD8)  # markers without a length
_START_OF_SCAN, _END_OF_IMAGE = 0xDA, 0xD9


BEGIN = b"\xff\xd8\xff"


def count_scans(data: bytes) -> int | None:
    """Of the first picture in `data`; None where there are too many segments to tell.

    Thumbnails inside segments do not count, nor do pictures behind the first one.
    """
    count, at = 0, 2
    for _ in range(MAX_SEGMENTS):
        found = _MARKER.search(data, at)
        if found is None:
            return count
        at = found.end()
        marker = data[at - 1]
        if marker == _END_OF_IMAGE:
            return count
        count += marker == _START_OF_SCAN
        if marker not in _ALONE:
            at += int.from_bytes(data[at : at + 2])
    return None


FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP")
MAX_SIDE = 16_384
MEGAPIXEL = 1_000_000
MAX_PIXELS = 25 * MEGAPIXEL
MAX_BASELINE_JPEG_PIXELS = (
    64 * MEGAPIXEL
)  # draft() decodes it at a fraction of its size
MAX_PROGRESSIVE_PIXELS = 16 * MEGAPIXEL  # keeps every coefficient in memory meanwhile
MAX_WEBP_PIXELS = 16 * MEGAPIXEL  # its decoder keeps four copies of the picture
MAX_SCANS = 100  # each passes over all pixels again; an encoder makes some ten
MAX_EXIF_BYTES = 128 * 1024  # a segment of JPEG has 64 KiB

# Pillow reads headers, chunks and runs piece by piece, and a file of 15 MiB may have
# millions of them. A picture as one has it takes hundreds.
MAX_READS = 500_000

# EXIF orientation -> what undoes it. Source: EXIF 2.3, tag 0x0112.
_TURN = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SIDEWAYS = (_TURN[5], _TURN[6], _TURN[7], _TURN[8])

# Where Pillow looks for the orientation.
_EXIF = ("exif", "Raw profile type exif", "xmp", "XML:com.adobe.xmp")

# What Pillow's decoders raise on broken files; each one is the file's fault. It asserts
# that a picture of palette colours has a palette.
_BROKEN = (
    *(OSError, SyntaxError, ValueError, TypeError, IndexError, AssertionError),
    struct.error,
)


def decode(data: bytes, spec: ImageSpec) -> Tensor:
    """The instance that `spec` makes of an encoded image: float32[H, W, 3 or 1].

    [C, H, W] where the model has its channels first. Raises UnprocessableInput for what
    is no readable image, TooLarge for too many pixels.
    """
    with opened(data) as image:
        picture = _picture(image, spec)
    return tensor(np.asarray(picture), spec)


def as_png(data: bytes, spec: ImageSpec) -> bytes:
    """An encoded image as a PNG, for a model that decodes pictures itself.

    Whatever the format was: it is upright, of `max_side` at most, and so are the
    model's own decoder and memory spared what `decode` refuses. Raises as `decode`.
    """
    with opened(data) as image:
        picture = _picture(image, spec)
    written = io.BytesIO()
    picture.save(written, "PNG", compress_level=1)
    return written.getvalue()


def upright_size(data: bytes) -> Size:
    """Width and height of an encoded image, as it is to be looked at.

    Raises as `decode` does.
    """
    with opened(data) as image:
        return image.size[::-1] if turn(image) in _SIDEWAYS else image.size


@contextmanager
def opened(data: bytes) -> Iterator[ImageFile.ImageFile]:
    """The image in `data`, whose size is allowed; nothing is decoded yet.

    What the block trips over in a broken file is raised as UnprocessableInput.
    """
    if not data:
        raise UnprocessableInput(
            "The file is empty; send a JPEG, PNG, WebP, GIF or BMP image."
        )
    try:
        scans = _scans(data)
        with Image.open(_Pieces(data), formats=FORMATS) as image:
            _check_size(image, scans)
            yield image
    except UnidentifiedImageError:
        raise UnprocessableInput(
            "This is not an image that can be read; send JPEG, PNG, WebP, GIF or BMP.",
            code="not_an_image",
        ) from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise _too_many_pixels(MAX_PIXELS) from None
    except _BROKEN as error:
        raise UnprocessableInput(
            f"The image is broken or cut short ({error}); send the file again.",
            code="broken_image",
        ) from None


class _Pieces(io.BytesIO):
    """A file that is not read in more than MAX_READS pieces."""

    _reads = 0

    def read(self, size: int | None = -1, /) -> bytes:
        """As the file's own; raises UnprocessableInput."""
        self._reads += 1
        if self._reads > MAX_READS:
            raise UnprocessableInput(
                "The image has too many small parts; save it again without comments "
                "and run lengths.",
                code="broken_image",
            )
        return super().read(size)


def _scans(data: bytes) -> int:
    """Of a JPEG; asked before Pillow reads its segments."""
    if not data.startswith(BEGIN):
        return 0
    scans = count_scans(data)
    if scans is None or scans > MAX_SCANS:
        raise TooLarge(
            f"The JPEG has more than {MAX_SCANS} scans or {MAX_SEGMENTS} "
            "segments; save it as a baseline JPEG without metadata."
        )
    return scans


def _check_size(image: ImageFile.ImageFile, scans: int) -> None:
    """Refuse by the header, before a pixel is decoded."""
    width, height = image.size
    limit = _max_pixels(image, scans)
    if max(width, height) > MAX_SIDE:
        raise TooLarge(
            f"The image is {width} x {height} pixels; no side may be longer than "
            f"{MAX_SIDE}. Send a smaller one."
        )
    if width * height > limit:
        raise _too_many_pixels(limit)


def _max_pixels(image: ImageFile.ImageFile, scans: int) -> int:
    if image.format == "WEBP":
        return MAX_WEBP_PIXELS
    if image.format not in ("JPEG", "MPO"):  # MPO: a phone's JPEG with a second picture
        return MAX_PIXELS
    if scans > 1 or "progression" in image.info:
        return MAX_PROGRESSIVE_PIXELS
    return MAX_BASELINE_JPEG_PIXELS


def _too_many_pixels(limit: int) -> TooLarge:
    return TooLarge(
        f"The image has more than {limit // MEGAPIXEL} megapixels; send a smaller one."
    )


def _picture(image: ImageFile.ImageFile, spec: ImageSpec) -> Image.Image:
    """The first frame, fitted and upright. Turning the small picture is cheaper."""
    turning = turn(image)
    size = wanted = _size(image, spec)
    if turning in _SIDEWAYS:
        if spec.height is None:  # the picture's own, which lies on its side
            wanted = size[::-1]
        else:
            size = size[::-1]
    box = _draft(image, size)
    picture = resize(flat(image, spec.mode), size, box, spec.fit, spec.resize)
    upright = picture if turning is None else picture.transpose(turning)
    return letterbox(upright, wanted)


def _size(image: ImageFile.ImageFile, spec: ImageSpec) -> Size:
    """The model's; or else the picture's own, scaled down to `max_side`."""
    if spec.width is not None and spec.height is not None:
        return spec.width, spec.height
    scale = min(1.0, spec.max_side / max(image.size))
    width, height = (max(1, round(scale * length)) for length in image.size)
    return width, height


def turn(image: Image.Image) -> Image.Transpose | None:
    """How EXIF wants the picture turned. Broken EXIF does not spoil a good picture."""
    if image.format == "PNG":
        image.load()  # its EXIF may stand behind the pixels, which may be broken
    if any(len(image.info.get(name, "")) > MAX_EXIF_BYTES for name in _EXIF):
        return None
    try:
        orientation: Any = image.getexif().get(ExifTags.Base.Orientation)
        return _TURN.get(orientation)
    except _BROKEN:
        return None


def _draft(image: ImageFile.ImageFile, size: Size) -> Box:
    """Let the JPEG decoder leave out detail that the resize would throw away.

    Twice the target size is kept: below that the answer begins to move. Returns the box
    that the picture fills: the last row and column of pixels may be filled in part.
    """
    drafted = image.draft(None, (2 * size[0], 2 * size[1]))
    return drafted[1] if drafted else (0, 0, *image.size)


def flat(image: Image.Image, mode: str) -> Image.Image:
    """The pixels in `mode`: 8 bits a channel, over white where they are transparent."""
    image.load()
    if image.mode.startswith("I"):  # 16-bit grey
        wide = np.array(image)
        narrow = np.empty(wide.shape, np.uint8)
        np.right_shift(wide.clip(0, 65_535, out=wide), 8, out=narrow, casting="unsafe")
        image = Image.fromarray(narrow)
    if image.has_transparency_data:
        return _over_white(image, mode)
    return image if image.mode == mode else image.convert(mode)


def _over_white(image: Image.Image, mode: str) -> Image.Image:
    """No more than two pictures in memory at a time: each may have 25 megapixels."""
    if image.mode != "RGBA":
        image = image.convert("RGBA")
    white = Image.new(mode, image.size, "white")
    white.paste(image, mask=image)
    return white
