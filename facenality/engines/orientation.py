"""Which way up a picture is, by its EXIF, in operations of TensorFlow.

TensorFlow's decoders do not look, and phones write pictures as the sensor lies. The tag
is an entry of twelve bytes in one of two byte orders, near the start of the file; its
first ten are looked for, since nothing else looks like them.
Source: EXIF 2.3, tag 0x0112, a SHORT, one of them.
"""

from typing import Any

import tensorflow as tf

HEAD = 4096  # bytes that are searched
LITTLE = (0x12, 0x01, 3, 0, 1, 0, 0, 0)  # then the value and a zero
BIG = (0x01, 0x12, 0, 3, 0, 0, 0, 1, 0)  # then the value
ENTRY = 10


def read(encoded: Any) -> Any:
    """1..8 as EXIF has it, or 0 where nothing is said; of a string, an int32."""
    head = tf.io.decode_raw(tf.strings.substr(encoded, 0, HEAD), tf.uint8)
    head = tf.pad(tf.cast(head, tf.int32), [[0, ENTRY]])
    places = tf.size(head) - ENTRY + 1
    entries = tf.stack([head[n : n + places] for n in range(ENTRY)], axis=1)
    little = _all(entries[:, :8], LITTLE) & (entries[:, 9] == 0)
    big = _all(entries[:, :9], BIG)
    values = tf.where(little, entries[:, 8], tf.where(big, entries[:, 9], 0))
    return values[tf.argmax(tf.cast(values > 0, tf.int32))]


def upright(pixels: Any, value: Any) -> Any:
    """`pixels`[H, W, C] turned and mirrored as the orientation `value` asks for."""
    pixels = tf.cond(
        (value >= 5) & (value <= 8),
        lambda: tf.transpose(pixels, (1, 0, 2)),
        lambda: pixels,
    )
    pixels = _mirrored(pixels, 1, value, (2, 3, 6, 7))
    return _mirrored(pixels, 0, value, (3, 4, 7, 8))


def _mirrored(pixels: Any, axis: int, value: Any, values: tuple[int, ...]) -> Any:
    asked = tf.reduce_any(value == tf.constant(values))
    return tf.cond(asked, lambda: tf.reverse(pixels, [axis]), lambda: pixels)


def _all(entries: Any, pattern: tuple[int, ...]) -> Any:
    return tf.reduce_all(entries == tf.constant(pattern), axis=1)
