"""Arrays <-> TensorProto, as TensorFlow writes it.

Source: tensorflow/core/framework/tensor.proto and types.proto.
"""

import math

import numpy as np

from ...arrays import Array
from ...errors import BadGateway
from . import prediction_pb2 as pb

# dtype on the wire -> NumPy's, and the field that holds numbers one by one.
KINDS = {
    pb.DT_FLOAT: ("float32", "float_val"),
    pb.DT_DOUBLE: ("float64", "double_val"),
    pb.DT_HALF: ("float16", "half_val"),
    pb.DT_INT8: ("int8", "int_val"),
    pb.DT_INT16: ("int16", "int_val"),
    pb.DT_INT32: ("int32", "int_val"),
    pb.DT_INT64: ("int64", "int64_val"),
    pb.DT_UINT8: ("uint8", "int_val"),
    pb.DT_UINT16: ("uint16", "int_val"),
    pb.DT_UINT32: ("uint32", "uint32_val"),
    pb.DT_UINT64: ("uint64", "uint64_val"),
    pb.DT_BOOL: ("bool", "bool_val"),
    pb.DT_STRING: ("string", "string_val"),
}
_WIRE = {name: kind for kind, (name, _) in KINDS.items()}

# An answer that would be larger is nonsense, and is not to fill the memory.
MOST_NUMBERS = 1 << 26


def to_wire(array: Array, dtype: str) -> pb.TensorProto:
    """`array` as `dtype`: NumPy's name, or "string" for texts and bytes."""
    shape = pb.TensorShapeProto(
        dim=[pb.TensorShapeProto.Dim(size=length) for length in array.shape]
    )
    wire = pb.TensorProto(dtype=_WIRE[dtype], tensor_shape=shape)
    if dtype == "string":
        wire.string_val.extend(
            one if isinstance(one, bytes) else str(one).encode() for one in array.flat
        )
    else:
        numbers = np.ascontiguousarray(array, np.dtype(dtype).newbyteorder("<"))
        wire.tensor_content = numbers.tobytes()
    return wire


def from_wire(wire: pb.TensorProto) -> Array:
    """The array in `wire`. Raises BadGateway where it contradicts itself."""
    if wire.dtype not in KINDS:
        raise BadGateway(f"TensorFlow Serving answered a dtype ({wire.dtype}) unknown.")
    name, _ = KINDS[wire.dtype]
    shape = tuple(dim.size for dim in wire.tensor_shape.dim)
    if wire.tensor_shape.unknown_rank or any(size < 0 for size in shape):
        raise BadGateway("TensorFlow Serving answered a tensor without a shape.")
    if math.prod(shape) > MOST_NUMBERS:
        raise BadGateway(f"TensorFlow Serving answered too much: shape {list(shape)}.")
    if name == "string":
        return _filled(np.array(list(wire.string_val), dtype=object), shape)
    if wire.tensor_content:
        return _content(wire.tensor_content, np.dtype(name), shape)
    return _filled(_one_by_one(wire), shape)


def _content(
    content: bytes, dtype: np.dtype[np.generic], shape: tuple[int, ...]
) -> Array:
    if len(content) != dtype.itemsize * math.prod(shape):
        raise BadGateway(
            f"TensorFlow Serving answered {len(content)} bytes for shape {list(shape)} "
            f"of {dtype}."
        )
    numbers = np.frombuffer(content, dtype.newbyteorder("<"))
    return numbers.astype(dtype, copy=False).reshape(shape)


def _one_by_one(wire: pb.TensorProto) -> Array:
    name, field = KINDS[wire.dtype]
    numbers = getattr(wire, field)
    if name == "float16":
        return np.array(numbers, np.uint16).view(np.float16)
    return np.array(numbers, name)


def _filled(numbers: Array, shape: tuple[int, ...]) -> Array:
    """TensorFlow leaves out what repeats the last number."""
    missing = math.prod(shape) - len(numbers)
    if missing < 0 or (missing and not len(numbers)):
        raise BadGateway(
            f"TensorFlow Serving answered {len(numbers)} numbers for shape "
            f"{list(shape)}."
        )
    return np.concatenate([numbers, np.repeat(numbers[-1:], missing)]).reshape(shape)
