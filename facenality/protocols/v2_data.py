"""The data of one input -> its instances."""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from ..arrays import LISTS, Array
from ..errors import Malformed
from . import tensors
from .signature import Signature
from .tensors import Shape


def listed(data: Any, datatype: str, shape: Shape, signature: Signature) -> list[Any]:
    """From JSON; numbers stay as they are. Raises Malformed, TooLarge."""
    if not isinstance(data, LISTS):
        raise Malformed(
            "An input needs 'data' in a list, or the parameter 'binary_data_size'."
        )
    if datatype == "BYTES":
        return instances(tensors.strings(data, shape), signature)
    rows = _rows(data, shape)
    return [tensors.Listed(row, datatype, shape[1:]) for row in rows]


def _rows(data: list[Any] | Array, shape: Shape) -> Iterable[Any]:
    """`data` by instance; it is nested like the shape, or flat."""
    count, each = shape[0], math.prod(shape[1:])
    if len(data) == count and (len(shape) == 1 or isinstance(data[0], LISTS)):
        return data
    if len(data) != count * each:
        raise Malformed(
            f"'data' has {len(data)} elements, shape {list(shape)} has {count * each}."
        )
    return [data[i * each : (i + 1) * each] for i in range(count)]


def instances(array: Array, signature: Signature) -> list[Any]:
    """Strings by instance: an encoded image, a text, or an array of texts."""
    if signature.images:
        return list(array.flat)
    for index, element in np.ndenumerate(array):
        array[index] = _text(element)
    return list(array.flat) if signature.texts else list(array)


def _text(element: Any) -> str:
    try:
        return element if isinstance(element, str) else element.decode()
    except UnicodeDecodeError:
        raise Malformed("A string of BYTES is not UTF-8.", code="not_text") from None
