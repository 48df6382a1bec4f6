"""A picture as a camera makes one, for comparing decoders where no real one is near.

Broad light, an edge, texture of every grain and the sensor's noise: what resizing and
JPEG treat differently shows on such pixels, and not on drawings.
"""

import numpy as np

from ..arrays import Array

HEIGHT, WIDTH = 480, 640
GRAINS = ((4, 40.0), (16, 25.0), (60, 15.0), (160, 8.0))  # patches a side, strength

# Where a phone was held upright: EXIF says that the picture is to be turned.
ON_ITS_SIDE = (
    b"\xff\xe1\x00\x22Exif\x00\x00MM\x00*\x00\x00\x00\x08"
    b"\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00\x00\x00\x00\x00"
)


def pixels() -> Array:
    """uint8[HEIGHT, WIDTH, 3]: a sky, a horizon, a ground."""
    rng = np.random.default_rng(0)
    down = np.linspace(0, 1, HEIGHT)[:, None, None]
    sky = np.array([120, 160, 220]) + 60 * down
    ground = np.array([110, 90, 50]) - 40 * down
    scene = np.where(down < 0.55, sky, ground) + np.zeros((1, WIDTH, 1))
    for patches, strength in GRAINS:
        scene += strength * _clouds(patches, rng)
    scene += rng.normal(0, 3, scene.shape)
    return scene.clip(0, 255).astype(np.uint8)


def on_its_side(jpeg: bytes) -> bytes:
    """The same file with an EXIF orientation of 6."""
    return jpeg[:2] + ON_ITS_SIDE + jpeg[2:]


def _clouds(patches: int, rng: np.random.Generator) -> Array:
    """Noise between -1 and 1 that changes smoothly from patch to patch."""
    coarse = rng.uniform(-1, 1, (patches + 1, patches + 1, 3))
    rows = _between(coarse, 0, np.linspace(0, patches, HEIGHT))
    return _between(rows, 1, np.linspace(0, patches, WIDTH))


def _between(values: Array, axis: int, places: Array) -> Array:
    low = places.astype(int).clip(0, values.shape[axis] - 2)
    part = (places - low).reshape((-1, 1, 1) if axis == 0 else (1, -1, 1))
    mixed: Array = values.take(low, axis) * (1 - part)
    mixed += values.take(low + 1, axis) * part
    return mixed
