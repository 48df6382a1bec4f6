"""Tensors of the Open Inference Protocol: as bytes after the JSON, or as lists in it.

Binary data is little-endian and row-major; a BYTES element is a uint32 length followed
by that many bytes. Source: Triton's extension_binary_data.md.
"""

import math
import struct
from typing import Any

import numpy as np

from ..arrays import Array
from ..errors import Malformed, TooLarge
from ..tasks.describe import encoded, finite, text
from ..tasks.tensor import cast
from .signature import DTYPES

Shape = tuple[int, ...]

# Each is a Python object; 256 instances of 64 strings exceed any use we know of.
MAX_STRINGS = 16_384


def from_bytes(raw: memoryview, datatype: str, shape: Shape) -> Array:
    """The tensor in `raw`, without a copy if NumPy has its type.

    BF16 becomes uint16 bits, BYTES an array of bytes. Raises Malformed, TooLarge.
    """
    if datatype == "BYTES":
        return _objects(_elements(raw, math.prod(shape)), shape)
    wire = np.dtype("uint16" if datatype == "BF16" else DTYPES[datatype])
    if math.prod(shape) * wire.itemsize != len(raw):
        raise Malformed(
            f"{datatype} of shape {list(shape)} needs "
            f"{math.prod(shape) * wire.itemsize} bytes of binary data, not {len(raw)}."
        )
    if datatype == "BOOL":
        return _truths(np.frombuffer(raw, np.uint8)).reshape(shape)
    return np.frombuffer(raw, wire.newbyteorder("<")).reshape(shape)


def _truths(flat: Array) -> Array:
    if flat.max(initial=0) > 1:
        raise Malformed("In binary data, a BOOL must be a byte of 0 or 1.")
    return flat.view(np.bool_)


def _elements(raw: memoryview, count: int) -> list[bytes]:
    if count > MAX_STRINGS:
        raise TooLarge(
            f"A tensor has {count} strings; at most {MAX_STRINGS} are allowed."
        )
    elements, start = [], 0
    for _ in range(count):
        if start + 4 > len(raw):
            break
        (length,) = struct.unpack_from("<I", raw, start)
        start += 4 + length
        elements.append(bytes(raw[start - length : start]))
    if start != len(raw) or len(elements) != count:
        raise Malformed(
            f"The binary data of BYTES must be {count} elements, each after its length "
            "as a little-endian uint32."
        )
    return elements


def _objects(elements: list[Any], shape: Shape) -> Array:
    array = np.empty(len(elements), object)
    array[:] = elements
    return array.reshape(shape)


class Widened:
    """BF16 bits of one instance; NumPy widens them to float32 in the decoder thread."""

    def __init__(self, bits: Array) -> None:
        self._bits = bits

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        """NumPy's protocol: BF16 is the upper half of a float32."""
        return np.asarray((self._bits.astype(np.uint32) << 16).view(np.float32))


class Listed:
    """Numbers of one instance from JSON; NumPy converts them in the decoder thread."""

    def __init__(self, data: Any, datatype: str, shape: Shape) -> None:
        self._data = data
        self._datatype = datatype
        self._shape = shape

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        """NumPy's protocol; raises Malformed if the data does not fit the datatype."""
        kind = "float32" if self._datatype == "BF16" else DTYPES[self._datatype]
        try:
            return _shaped(cast(self._data, kind), self._shape)
        except ValueError:
            raise Malformed(
                f"The data does not fit {self._datatype} of shape {list(self._shape)}; "
                "send finite numbers in its range, flat or nested like the shape."
            ) from None


def _shaped(array: Array, shape: Shape) -> Array:
    """`array`, which is flat or has `shape` already, in `shape`. Raises ValueError."""
    if array.ndim > 1 and array.shape != shape:
        raise ValueError
    return array.reshape(shape)


def strings(data: Any, shape: Shape) -> Array:
    """The strings of JSON `data`, flat or nested. Raises Malformed, TooLarge."""
    if math.prod(shape) > MAX_STRINGS:
        raise TooLarge(
            f"A tensor has {math.prod(shape)} strings; at most {MAX_STRINGS} are "
            "allowed."
        )
    try:
        array = _shaped(np.array(data, object), shape)
    except ValueError:
        array = np.array([None])
    if not all(isinstance(element, str) for element in array.flat):
        raise Malformed(f"The data of BYTES must be strings, in shape {list(shape)}.")
    return array


def to_bytes(array: Array, datatype: str) -> bytes:
    """Binary data of `array`, which has the dtype of `datatype`."""
    if datatype == "BYTES":
        parts = [encoded(element) for element in array.flat]
        return b"".join(struct.pack("<I", len(part)) + part for part in parts)
    if datatype != "BF16":
        array = array.astype(array.dtype.newbyteorder("<"), copy=False)
    return array.tobytes()


def to_list(array: Array, datatype: str) -> list[Any]:
    """The flat data of `array` for JSON. Raises ModelFailed for NaN and infinity."""
    if datatype == "BYTES":
        return [text(element) for element in array.flat]
    if datatype == "BF16":
        array = array.astype(np.float32)
    flat: list[Any] = finite(array).ravel().tolist()
    return flat
