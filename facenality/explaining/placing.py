"""Where on the picture an instance was: cropping and padding undone."""

from ..fitting import Box, Size
from ..recipe import ImageSpec

WHOLE: Box = (0.0, 0.0, 1.0, 1.0)


def covered(size: Size, spec: ImageSpec) -> Box:
    """What the instance shows of the upright picture of `size`, in fractions of it.

    Left, top, right, bottom; beyond 0..1 where black was added around the picture.
    """
    wide, high = spec.width / size[0], spec.height / size[1]
    scale = max(wide, high) if spec.fit == "crop" else min(wide, high)
    axis = _AXIS[spec.fit]
    left, right = axis(size[0], spec.width, scale)
    top, bottom = axis(size[1], spec.height, scale)
    return left, top, right, bottom


# Of one axis: `length` of the picture and of the instance, and instance per picture.
def _stretched(length: int, taken: int, scale: float) -> tuple[float, float]:  # noqa: ARG001
    return 0.0, 1.0


def _cropped(length: int, taken: int, scale: float) -> tuple[float, float]:
    edge = (1 - taken / (length * scale)) / 2
    return edge, 1 - edge


def _padded(length: int, taken: int, scale: float) -> tuple[float, float]:
    """In whole pixels, as images.py pads."""
    inner = max(1, round(scale * length))
    before = round((taken - inner) / 2)
    return -before / inner, (taken - before) / inner


_AXIS = {"stretch": _stretched, "crop": _cropped, "pad": _padded}
