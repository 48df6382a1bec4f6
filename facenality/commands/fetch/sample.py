"""Draws the picture that fetched models are verified with; it is always the same.

Hills under an evening sky, as PNG, which decodes to the same pixels with every library.
Written without Pillow, which only the image decoder may import.
"""

import struct
import zlib

import numpy as np
import numpy.typing as npt

HEIGHT, WIDTH = 240, 320

Pixels = npt.NDArray[np.float64]

_HIGH, _LOW = (52, 92, 168), (250, 178, 110)  # the sky, from the top to the horizon
_SUN = (255, 236, 170)
_HILLS = ((122, 108, 142), (74, 92, 84), (34, 48, 38))  # the farthest first


def png() -> bytes:
    """The picture, encoded: RGB, 8 bits a channel. Source: the PNG specification."""
    pixels = np.round(_drawn()).astype(np.uint8)
    # Filter 1, each pixel less its left neighbour: a smooth picture becomes small.
    differences = np.diff(pixels, axis=1, prepend=np.zeros((HEIGHT, 1, 3), np.uint8))
    filters = np.ones((HEIGHT, 1), np.uint8)
    rows = np.concatenate([filters, differences.reshape(HEIGHT, -1)], axis=1)
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0)
    return b"".join(
        [
            b"\x89PNG\r\n\x1a\n",
            _chunk(b"IHDR", header),
            _chunk(b"IDAT", zlib.compress(rows.tobytes(), 9)),
            _chunk(b"IEND", b""),
        ]
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    check = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)


def _drawn() -> Pixels:
    """Pixels[H, W, 3], 0..255."""
    y, x = np.mgrid[0 : 1 : HEIGHT * 1j, 0 : WIDTH / HEIGHT : WIDTH * 1j]
    picture = _mixed(np.full((*x.shape, 3), _HIGH, float), _LOW, y)
    glow = np.exp(-((x - 0.95) ** 2 + (y - 0.45) ** 2) / 0.012)
    picture = _mixed(picture, _SUN, glow)
    for i, colour in enumerate(_HILLS):
        ridge = 0.55 + 0.15 * i + 0.07 * np.sin((5 - i) * x + 2.1 * i)
        picture = _mixed(picture, colour, _soft((y - ridge) * HEIGHT))
    return picture


def _mixed(picture: Pixels, colour: tuple[int, int, int], share: Pixels) -> Pixels:
    return picture + share[..., None] * (np.array(colour, float) - picture)


def _soft(pixels: Pixels) -> Pixels:
    """0 above an edge and 1 below it, within about two pixels."""
    return 0.5 + 0.5 * np.tanh(pixels)
