"""Pixels of any size -> pixels of the model's size, as Pillow does it, in TensorFlow.

A fit says by axis, height first, in float64[2]: the step (pixels of the picture for one
of the result), the start (where in the picture the part begins that is shown), and the
margin (pixels of the result before it).
"""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from ..recipe import ImageSpec

KERNELS = {"bilinear": "triangle", "bicubic": "keyscubic", "lanczos": "lanczos3"}
Fit = tuple[Any, Any, Any]  # step, start, margin


def fitted(pixels: Any, spec: ImageSpec) -> Any:
    """float32[height, width, C] of float32[H, W, C]; black where there is nothing."""
    size = tf.cast(tf.shape(pixels)[:2], tf.float64)
    target = tf.constant((spec.height, spec.width), tf.float64)
    step, start, margin = _FITS[spec.fit](size, target)
    if spec.resize == "nearest":
        rows = _nearest(pixels, 0, spec.height, (step[0], start[0], margin[0]))
        return _nearest(rows, 1, spec.width, (step[1], start[1], margin[1]))
    return tf.raw_ops.ScaleAndTranslate(
        images=pixels[tf.newaxis],
        size=(spec.height, spec.width),
        scale=tf.cast(1 / step, tf.float32),
        translation=tf.cast(margin - start / step, tf.float32),
        kernel_type=KERNELS[spec.resize],
        antialias=True,
    )[0]


def _nearest(pixels: Any, axis: int, count: int, fit: Fit) -> Any:
    """`count` rows or columns of `pixels`, each the one that its middle lies in."""
    step, start, margin = fit
    # Added up one by one as Pillow does: on the border of two, rounding decides.
    steps = tf.concat([[start + step / 2], tf.fill([count - 1], step)], axis=0)
    shown = tf.range(count) - tf.cast(margin, tf.int32)
    middles = tf.gather(tf.cumsum(steps), tf.maximum(shown, 0))
    places = tf.cast(tf.floor(middles), tf.int32)
    inside = (shown >= 0) & (places < tf.shape(pixels)[axis])
    last = tf.shape(pixels)[axis] - 1
    taken = tf.gather(pixels, tf.clip_by_value(places, 0, last), axis=axis)
    shape = (-1, 1, 1) if axis == 0 else (1, -1, 1)
    return taken * tf.reshape(tf.cast(inside, pixels.dtype), shape)


def _stretch(size: Any, target: Any) -> Fit:
    return size / target, tf.zeros_like(size), tf.zeros_like(size)


def _crop(size: Any, target: Any) -> Fit:
    """The largest middle part that has the shape of `target`."""
    least = tf.reduce_min(size / target)
    before = (size - least * target) / 2
    # Pillow keeps a box in single precision.
    start, end = tf.cast(before, tf.float32), tf.cast(size - before, tf.float32)
    step = tf.cast(end - start, tf.float64) / target
    return step, tf.cast(start, tf.float64), tf.zeros_like(size)


def _pad(size: Any, target: Any) -> Fit:
    """The whole picture, in its own shape to a pixel, in the middle."""
    scale = tf.reduce_min(target / size)
    inner = tf.maximum(tf.round(scale * size), 1.0)
    return size / inner, tf.zeros_like(size), tf.round((target - inner) / 2)


_FITS: dict[str, Callable[[Any, Any], Fit]] = {
    "stretch": _stretch,
    "crop": _crop,
    "pad": _pad,
}
