"""Occludes a picture: covers each patch of a grid with the picture's mean colour.

Source: M. Zeiler and R. Fergus, Visualizing and Understanding Convolutional Networks,
2014, section 4.2. Patches of the instance are covered, not of the file: the map shows
what the model saw after cropping and scaling, and where that is on the picture.
"""

from collections.abc import Iterator
from itertools import pairwise, product
from math import sqrt
from typing import Any

import numpy as np

from ...arrays import Array
from ...spec import ImageSpec
from ...tasks import Payload, Task, image_decode
from ...tasks.encoded_picture import from_base64
from ...tasks.image_transform import Box, Size

WHOLE: Box = (0.0, 0.0, 1.0, 1.0)


def covered(size: Size, spec: ImageSpec) -> Box:
    """The part of the upright picture of `size` that the instance shows.

    Left, top, right, bottom as fractions; outside of 0..1 where padding was added.
    """
    if spec.width is None or spec.height is None:
        return WHOLE
    wide, high = spec.width / size[0], spec.height / size[1]
    scale = max(wide, high) if spec.fit == "crop" else min(wide, high)
    axis = _AXIS[spec.fit]
    left, right = axis(size[0], spec.width, scale)
    top, bottom = axis(size[1], spec.height, scale)
    return left, top, right, bottom


# For one axis: lengths of the picture and of the instance, and the scale between them.
def _stretched(length: int, taken: int, scale: float) -> tuple[float, float]:  # noqa: ARG001
    return 0.0, 1.0


def _cropped(length: int, taken: int, scale: float) -> tuple[float, float]:
    edge = (1 - taken / (length * scale)) / 2
    return edge, 1 - edge


def _padded(length: int, taken: int, scale: float) -> tuple[float, float]:
    """In whole pixels, as tasks/image_transform.py pads."""
    inner = max(1, round(scale * length))
    before = round((taken - inner) / 2)
    return -before / inner, (taken - before) / inner


_AXIS = {"stretch": _stretched, "crop": _cropped, "pad": _padded}

CELL = 16  # approximate size in pixels; between LEAST and MOST cells per side
LEAST, MOST = 7, 14
REACH = 0.5  # how far a patch extends beyond its cell on every side, in cells


class ImageOccluder:
    """See the protocol `Occluder`."""

    def __init__(self, task: Task, spec: ImageSpec, payload: Payload) -> None:
        if isinstance(payload, str):
            payload = from_base64(payload)
        decoded = task.decode(payload)
        assert isinstance(decoded, np.ndarray)  # noqa: S101  a picture is always one array
        self.whole: Array = decoded
        self._axis = 0 if spec.channels_first else -1
        height, width, _ = self._pixels(decoded).shape
        self._grid = (0, 0)
        self._size, self._box = (width, height), WHOLE
        if isinstance(payload, bytes):
            self._size = image_decode.upright_size(payload)
            self._box = covered(self._size, spec)

    def hidden(self, most: int) -> Iterator[Array]:
        """The instance with one patch covered, row by row of the grid."""
        pixels = self._pixels(self.whole)
        height, width, _ = pixels.shape
        self._grid = rows, columns = grid(height, width, most)
        mean = pixels.mean((0, 1))
        for high, wide in product(spans(height, rows), spans(width, columns)):
            copy = self.whole.copy()
            self._pixels(copy)[slice(*high), slice(*wide)] = mean
            yield copy

    def describe(self, weights: list[float]) -> dict[str, Any]:
        """The weights as rows of the grid, and the grid's place on the picture."""
        rows, columns = self._grid
        values = np.reshape(weights, self._grid).tolist()
        heatmap = {"rows": rows, "cols": columns, "values": values}
        width, height = self._size
        picture = {"width": width, "height": height, "box": list(self._box)}
        return {"heatmap": heatmap, "picture": picture}

    def _pixels(self, instance: Array) -> Array:
        """`instance` as a view of shape [H, W, C]."""
        if instance.ndim == 2:
            return instance[..., np.newaxis]
        return np.moveaxis(instance, self._axis, -1)


def grid(height: int, width: int, most: int) -> tuple[int, int]:
    """Rows and columns of the grid, with about `most` cells in all."""
    rows, columns = _cells(height), _cells(width)
    smaller = min(1.0, sqrt(most / (rows * columns)))
    return max(1, int(rows * smaller)), max(1, int(columns * smaller))


def _cells(length: int) -> int:
    return min(max(LEAST, min(MOST, round(length / CELL))), length)


def spans(length: int, cells: int) -> list[tuple[int, int]]:
    """First pixel and end (exclusive) of the patches along one axis."""
    reach = REACH * length / cells
    edges = pairwise(np.linspace(0, length, cells + 1))
    return [
        (max(0, round(start - reach)), min(length, round(end + reach)))
        for start, end in edges
    ]
