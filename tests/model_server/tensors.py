"""Arrays -> TensorProto, the two ways TensorFlow Serving writes them.

As typed fields (`float_val` and the like), its default, or as bytes (`tensor_content`),
with `--enable_serialization_as_tensor_content`. Field numbers and the packing of half
floats are those of tensor.proto.
"""

import numpy as np
from tensorflow.core.framework.tensor_pb2 import TensorProto
from tensorflow.core.framework.types_pb2 import DataType

# NumPy's name -> the name in DataType, and the field that holds its values.
FIELDS = {
    "float32": ("DT_FLOAT", "float_val"),
    "float64": ("DT_DOUBLE", "double_val"),
    "float16": ("DT_HALF", "half_val"),
    "bfloat16": ("DT_BFLOAT16", "half_val"),
    "int8": ("DT_INT8", "int_val"),
    "int16": ("DT_INT16", "int_val"),
    "int32": ("DT_INT32", "int_val"),
    "uint8": ("DT_UINT8", "int_val"),
    "uint16": ("DT_UINT16", "int_val"),
    "int64": ("DT_INT64", "int64_val"),
    "uint32": ("DT_UINT32", "uint32_val"),
    "uint64": ("DT_UINT64", "uint64_val"),
    "bool": ("DT_BOOL", "bool_val"),
    "object": ("DT_STRING", "string_val"),
}


def proto(array: np.ndarray, *, content: bool) -> TensorProto:
    """`array` on the wire; strings always are values, they have no other form."""
    name, field = FIELDS[array.dtype.name]
    tensor = TensorProto(dtype=DataType.Value(name))
    for size in array.shape:
        tensor.tensor_shape.dim.add(size=size)
    if content and name != "DT_STRING":
        tensor.tensor_content = array.tobytes()
    else:
        getattr(tensor, field).extend(_values(array, field))
    return tensor


def _values(array: np.ndarray, field: str) -> list:
    bits = array.view("uint16") if field == "half_val" else array
    values = bits.ravel().tolist()
    return list(map(_as_bytes, values)) if field == "string_val" else values


def _as_bytes(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text


def floats(tensor: TensorProto) -> np.ndarray:
    """What a sleeping model reads: float32, in either form."""
    shape = [dim.size for dim in tensor.tensor_shape.dim]
    if tensor.tensor_content:
        return np.frombuffer(tensor.tensor_content, "float32").reshape(shape)
    return np.array(tensor.float_val, "float32").reshape(shape)
