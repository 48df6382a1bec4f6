"""One table of what each side calls a number's kind."""

from typing import NamedTuple


class Names(NamedTuple):
    """A dtype's name in the Open Inference Protocol and in TensorFlow."""

    v2: str
    tensorflow: str


# By NumPy's name; "string" as in TensorFacts.
NAMES = {
    "bool": Names("BOOL", "DT_BOOL"),
    "uint8": Names("UINT8", "DT_UINT8"),
    "uint16": Names("UINT16", "DT_UINT16"),
    "uint32": Names("UINT32", "DT_UINT32"),
    "uint64": Names("UINT64", "DT_UINT64"),
    "int8": Names("INT8", "DT_INT8"),
    "int16": Names("INT16", "DT_INT16"),
    "int32": Names("INT32", "DT_INT32"),
    "int64": Names("INT64", "DT_INT64"),
    "float16": Names("FP16", "DT_HALF"),
    "float32": Names("FP32", "DT_FLOAT"),
    "float64": Names("FP64", "DT_DOUBLE"),
    "bfloat16": Names("BF16", "DT_BFLOAT16"),
    "string": Names("BYTES", "DT_STRING"),
}
DTYPES = {names.v2: dtype for dtype, names in NAMES.items()}


def names_of(dtype: str) -> Names:
    """Of any dtype that a model may have; one beyond the table keeps its own name."""
    return NAMES.get(dtype, Names(dtype.upper(), f"DT_{dtype.upper()}"))
