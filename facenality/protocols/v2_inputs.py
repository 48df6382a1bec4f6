"""The inputs of an infer request -> a payload for each instance."""

import math
from typing import Any

from ..errors import Malformed
from ..facts import TensorFacts
from ..tasks import Payload
from . import tensors, v2_data
from .datatypes import DTYPES, names_of
from .signature import Signature, check_count, names, shown
from .tensors import Shape

MAX_AXES = 32
MAX_LENGTH = 2**31 - 1  # of an axis; their product stays printable


def payloads(
    entries: list[dict[str, Any]], tail: memoryview, signature: Signature
) -> list[Payload]:
    """One for each instance along the first axis. Raises Malformed, TooLarge."""
    by_name = {one.name: one for one in signature.inputs}
    columns: dict[str, list[Any]] = {}
    for entry in entries:
        name = entry.get("name")
        if not isinstance(name, str) or name not in by_name or name in columns:
            raise Malformed(
                f"The input {shown(name)} is unknown or comes twice; the model "
                f"takes {names(signature.inputs)}.",
                code="no_such_input",
            )
        columns[name], tail = _column(entry, by_name[name], tail, signature)
    if len(columns) < len(by_name):
        raise Malformed(f"The model needs all of {names(signature.inputs)}.")
    if len(tail):
        raise Malformed(f"{len(tail)} bytes of binary data belong to no input.")
    if len({len(column) for column in columns.values()}) > 1:
        raise Malformed("The inputs differ in the length of their first axis.")
    if len(columns) == 1:
        return next(iter(columns.values()))
    rows = zip(*columns.values(), strict=True)
    return [dict(zip(columns, row, strict=True)) for row in rows]


def parameters(entry: dict[str, Any]) -> dict[str, Any]:
    """The parameters of a request, an input or an output. Raises Malformed."""
    given = entry.get("parameters", {})
    if not isinstance(given, dict):
        raise Malformed("'parameters' must be an object.")
    if "shared_memory_region" in given:
        raise Malformed(
            "Shared memory is not served; send tensors in the body.",
            code="no_shared_memory",
        )
    return given


def _column(
    entry: dict[str, Any], facts: TensorFacts, tail: memoryview, signature: Signature
) -> tuple[list[Any], memoryview]:
    """The input's instances, and what is left of the binary data."""
    datatype, shape = _datatype(entry), _shape(entry)
    if not _fits(datatype, shape, facts, signature):
        raise Malformed(_misfit(datatype, shape, facts, signature), code="wrong_shape")
    check_count(shape[0])
    size = parameters(entry).get("binary_data_size")
    if size is None:
        return v2_data.listed(entry.get("data"), datatype, shape, signature), tail
    if type(size) is not int or size < 0 or "data" in entry:
        raise Malformed("'binary_data_size' must be a number of bytes, without 'data'.")
    if size > len(tail):
        raise Malformed(
            f"Input {facts.name!r} claims {size} bytes of binary data, of which "
            f"{len(tail)} are there; see Inference-Header-Content-Length."
        )
    array = tensors.from_bytes(tail[:size], datatype, shape)
    if datatype == "BYTES":
        return v2_data.instances(array, signature), tail[size:]
    if datatype == "BF16":
        return [tensors.Widened(one) for one in array], tail[size:]
    return list(array), tail[size:]


def _datatype(entry: dict[str, Any]) -> str:
    datatype = entry.get("datatype")
    if not isinstance(datatype, str) or datatype not in DTYPES:
        raise Malformed(
            f"There is no datatype {shown(datatype)}; there are {', '.join(DTYPES)}.",
            code="no_such_datatype",
        )
    return datatype


def _shape(entry: dict[str, Any]) -> Shape:
    """At least one instance of at least one number."""
    shape = entry.get("shape")
    if (
        not isinstance(shape, list)
        or not 1 <= len(shape) <= MAX_AXES
        or not all(type(length) is int and 0 < length <= MAX_LENGTH for length in shape)
    ):
        raise Malformed("'shape' must be a list of lengths from 1 on.")
    return tuple(shape)


def _fits(
    datatype: str, shape: Shape, facts: TensorFacts, signature: Signature
) -> bool:
    """Numbers are left for `decode` to cast; text is never a number."""
    if datatype == "BYTES" and (signature.images or signature.texts):
        return math.prod(shape[1:]) == 1
    if (datatype == "BYTES") != (facts.dtype == "string"):
        return False
    return facts.shape is None or facts.fits(shape[1:])


def _misfit(
    datatype: str, shape: Shape, facts: TensorFacts, signature: Signature
) -> str:
    takes = f"{names_of(facts.dtype).v2} of {batched(facts)}, instances along the first"
    image = ", or BYTES of [-1], an encoded image each" if signature.images else ""
    return (
        f"Input {facts.name!r} is {datatype} of {list(shape)}; the model takes {takes} "
        f"axis{image}."
    )


def batched(facts: TensorFacts) -> list[int]:
    """The shape with its batch axis; -1 stands for any length."""
    return [-1, *(-1 if n is None else n for n in facts.shape or ())]
