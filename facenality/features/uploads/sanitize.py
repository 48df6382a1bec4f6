"""Re-encodes an uploaded picture, so that only its pixels are stored.

Metadata, such as place and camera, is dropped, and so are files that only pretend to be
pictures.
"""

import io

from PIL import Image

from ...tasks import image_decode

# Larger than networks need, and small enough that the quota lasts.
MAX_SIDE = 1024
JPEG_QUALITY = 95


def clean(data: bytes) -> tuple[bytes, str]:
    """The upright picture without metadata, no side above MAX_SIDE, and its suffix.

    JPEG stays JPEG, since a photograph would be ten times larger as PNG; other formats
    become PNG. Raises the same errors as `image_decode.opened`.
    """
    with image_decode.opened(data) as image:
        jpeg = image.format in ("JPEG", "MPO")
        turning = image_decode.turn(image)
        image.draft(None, (2 * MAX_SIDE, 2 * MAX_SIDE))
        grey = image.mode in ("1", "L", "LA") or image.mode.startswith("I")
        picture = image_decode.flat(image, "L" if grey else "RGB")
    picture.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.LANCZOS)
    if turning is not None:
        picture = picture.transpose(turning)
    return _encoded(picture, jpeg), "jpg" if jpeg else "png"


def _encoded(picture: Image.Image, jpeg: bool) -> bytes:
    bare = Image.new(picture.mode, picture.size)  # Pillow's save() would write `info`
    bare.paste(picture)
    stream = io.BytesIO()
    if jpeg:
        bare.save(stream, "JPEG", quality=JPEG_QUALITY)
    else:
        bare.save(stream, "PNG")
    return stream.getvalue()
