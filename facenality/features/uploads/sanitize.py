"""An upload -> what is kept of it: the picture as it is looked at, and nothing else.

Drawn anew from its pixels: where it was taken, by which camera and what else a file may
carry stays out, and so does whatever only pretends to be a picture.
"""

import io

from PIL import Image

from ...tasks import image_decode

# More than networks look at, and little enough that a quota lasts.
MAX_SIDE = 1024
JPEG_QUALITY = 95


def clean(data: bytes) -> tuple[bytes, str]:
    """The upright picture without metadata, no side above MAX_SIDE, and its suffix.

    JPEG stays JPEG, since a photograph would be ten times larger as PNG; all others
    become PNG. Raises as images.decode does.
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
    bare = Image.new(picture.mode, picture.size)  # Pillow's save() takes info along
    bare.paste(picture)
    stream = io.BytesIO()
    if jpeg:
        bare.save(stream, "JPEG", quality=JPEG_QUALITY)
    else:
        bare.save(stream, "PNG")
    return stream.getvalue()
