"""Encoded pictures -> instances -> labels, in operations of TensorFlow alone.

For a SavedModel that takes the bytes themselves. It follows `images.decode` step by
step: over white where they are transparent, upright, grey by the same weights, resized
by the same kernel, rounded to whole levels, scaled by the very same functions. What it
lacks is the JPEG decoder's draft and the limits: nobody strange should send to it.
"""

from typing import Any

import tensorflow as tf

from ..errors import ModelNotLoaded
from ..preprocessing import SCALES
from ..recipe import ImageSpec, Recipe
from . import orientation, resizing
from .signatures import NUMBERS

TOP = 5  # labels that are answered, as /predict does where nobody asks for more
PNG = b"\x89PNG\r\n\x1a\n"
# What TensorFlow takes for opaque in a PNG of 1, 2 or 4 bits: its largest number.
OPAQUE = (1, 3, 15)
GREY = (19_595, 38_470, 7_471)  # of 65,536. Source: ITU-R 601-2, as Pillow rounds it


def batch(encoded: Any, spec: ImageSpec) -> Any:
    """float32[N, H, W, C] (or [N, C, H, W]) of encoded pictures, string[N]."""
    return tf.map_fn(
        lambda one: instance(one, spec),
        encoded,
        fn_output_signature=tf.TensorSpec(spec.shape, tf.float32),
    )


def instance(encoded: Any, spec: ImageSpec) -> Any:
    """The instance that `spec` makes of an encoded picture, a string."""
    turned = orientation.upright(_pixels(encoded), orientation.read(encoded))
    pixels = _grey(turned) if spec.mode == "L" else turned
    fitted = resizing.fitted(tf.cast(pixels, tf.float32), spec)
    levels = tf.clip_by_value(tf.round(fitted), 0.0, 255.0)
    scaled = SCALES[spec.preprocess](levels)
    if spec.channels_first:
        scaled = tf.transpose(scaled, (2, 0, 1))
    return tf.ensure_shape(scaled, spec.shape)


def answers(scores: Any, recipe: Recipe) -> dict[str, Any]:
    """Labels and their numbers for scores[N, L]: the best few, best first.

    All of them in the model's own order where they are values. Raises ModelNotLoaded.
    """
    numbers = tf.cast(scores, tf.float32)
    labels = tf.constant(recipe.labels)
    if _is_binary(numbers, recipe):
        numbers = tf.concat([1 - numbers, numbers], axis=-1)
    if numbers.shape[-1] != len(recipe.labels):
        raise ModelNotLoaded(
            f"it answers {numbers.shape[-1]} scores for {len(recipe.labels)} labels"
        )
    if recipe.task == "image-regression":
        shape = tf.shape(numbers)
        return {"labels": tf.broadcast_to(labels, shape), "values": numbers}
    best = tf.math.top_k(numbers, min(TOP, len(recipe.labels)))
    named = tf.gather(labels, best.indices)
    return {"labels": named, NUMBERS[recipe.output]: best.values}


def _is_binary(scores: Any, recipe: Recipe) -> bool:
    """One sigmoid with two labels answers both."""
    one = scores.shape[-1] == 1 and len(recipe.labels) == 2
    return one and recipe.output == "probability"


def _pixels(encoded: Any) -> Any:
    """uint8[H, W, 3] of a JPEG, PNG, GIF (its first frame) or BMP."""
    pixels = tf.case(
        [
            (tf.io.is_jpeg(encoded), lambda: _jpeg(encoded)),
            (_is_png(encoded), lambda: _over_white(tf.io.decode_png(encoded, 4))),
        ],
        lambda: tf.io.decode_image(encoded, 3, expand_animations=False),
    )
    return tf.ensure_shape(pixels, (None, None, 3))


def _jpeg(encoded: Any) -> Any:
    # As exact as Pillow; TensorFlow's default is faster, and loses more.
    return tf.io.decode_jpeg(encoded, 3, dct_method="INTEGER_ACCURATE")


def _is_png(encoded: Any) -> Any:
    return tf.equal(tf.strings.substr(encoded, 0, len(PNG)), PNG)


def _over_white(pixels: Any) -> Any:
    """uint8[H, W, 3] of uint8[H, W, 4]."""
    wide = tf.cast(pixels, tf.int32)
    colour, alpha = wide[..., :3], wide[..., 3:]
    least, most = tf.reduce_min(alpha), tf.reduce_max(alpha)
    opaque = (least == most) & tf.reduce_any(most == tf.constant(OPAQUE))
    alpha = tf.where(opaque, 255, alpha)
    blended = (colour * alpha + 255 * (255 - alpha) + 127) // 255
    return tf.cast(blended, tf.uint8)


def _grey(pixels: Any) -> Any:
    """int32[H, W, 1] of uint8[H, W, 3]."""
    weighed = tf.cast(pixels, tf.int32) * tf.constant(GREY)
    return (tf.reduce_sum(weighed, -1, keepdims=True) + 32_768) // 65_536
