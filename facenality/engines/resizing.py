"""Pixels of any size -> pixels of the model's size, as Pillow does it, in TensorFlow.

A fit is a step (pixels of the picture for one of the result) and an offset (where the
picture's corner lies in the result), by axis: from them everything follows.
"""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from ..recipe import ImageSpec

KERNELS = {"bilinear": "triangle", "bicubic": "keyscubic", "lanczos": "lanczos3"}
Fit = tuple[Any, Any]  # step and offset, float64[2] each, height first


def fitted(pixels: Any, spec: ImageSpec) -> Any:
    """float32[height, width, C] of float32[H, W, C]; black where there is nothing."""
    size = tf.cast(tf.shape(pixels)[:2], tf.float64)
    target = tf.constant((spec.height, spec.width), tf.float64)
    step, offset = _FITS[spec.fit](size, target)
    if spec.resize == "nearest":
        rows = _nearest(pixels, 0, spec.height, step[0], offset[0])
        return _nearest(rows, 1, spec.width, step[1], offset[1])
    return tf.raw_ops.ScaleAndTranslate(
        images=pixels[tf.newaxis],
        size=(spec.height, spec.width),
        scale=tf.cast(1 / step, tf.float32),
        translation=tf.cast(offset, tf.float32),
        kernel_type=KERNELS[spec.resize],
        antialias=True,
    )[0]


def _nearest(pixels: Any, axis: int, count: int, step: Any, offset: Any) -> Any:
    """`count` rows or columns of `pixels`, each the one that its middle lies in."""
    middles = (tf.range(count, dtype=tf.float64) + 0.5 - offset) * step
    places = tf.cast(tf.floor(middles), tf.int32)
    inside = (places >= 0) & (places < tf.shape(pixels)[axis])
    last = tf.shape(pixels)[axis] - 1
    taken = tf.gather(pixels, tf.clip_by_value(places, 0, last), axis=axis)
    shape = (-1, 1, 1) if axis == 0 else (1, -1, 1)
    return taken * tf.reshape(tf.cast(inside, pixels.dtype), shape)


def _stretch(size: Any, target: Any) -> Fit:
    return size / target, tf.zeros(2, tf.float64)


def _crop(size: Any, target: Any) -> Fit:
    """The largest middle part that has the shape of `target`."""
    step = tf.reduce_min(size / target)
    return tf.stack([step, step]), (target - size / step) / 2


def _pad(size: Any, target: Any) -> Fit:
    """The whole picture, in its own shape to a pixel, in the middle."""
    scale = tf.reduce_min(target / size)
    inner = tf.maximum(tf.round(scale * size), 1.0)
    return size / inner, tf.round((target - inner) / 2)


_FITS: dict[str, Callable[[Any, Any], Fit]] = {
    "stretch": _stretch,
    "crop": _crop,
    "pad": _pad,
}
