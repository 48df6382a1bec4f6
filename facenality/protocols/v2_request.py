"""An infer request of the Open Inference Protocol V2 -> payloads and requested outputs.

Binary tensors follow the JSON, in the order of the inputs that they belong to.
Source: inference_rest.md of kserve/open-inference-protocol, and Triton's extensions.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..arrays import LISTS, Array
from ..errors import Malformed
from ..spec import TensorSpec
from ..tasks import Payload
from . import v2_tensors
from .signature import DTYPES, Signature, check_count, names, names_of, shown
from .v2_tensors import Shape


def listed(data: Any, datatype: str, shape: Shape, signature: Signature) -> list[Any]:
    """The instances in JSON `data`; numbers are not converted yet.

    Raises Malformed, TooLarge.
    """
    if not isinstance(data, LISTS):
        raise Malformed(
            "An input needs a list 'data', or the parameter 'binary_data_size'."
        )
    if datatype == "BYTES":
        return instances(v2_tensors.strings(data, shape), signature)
    rows = _rows(data, shape)
    return [v2_tensors.Listed(row, datatype, shape[1:]) for row in rows]


def _rows(data: list[Any] | Array, shape: Shape) -> Iterable[Any]:
    """`data` split by instance; it is nested like the shape, or flat."""
    count, each = shape[0], math.prod(shape[1:])
    if len(data) == count and (len(shape) == 1 or isinstance(data[0], LISTS)):
        return data
    if len(data) != count * each:
        raise Malformed(
            f"'data' has {len(data)} elements, but shape {list(shape)} needs "
            f"{count * each}."
        )
    return [data[i * each : (i + 1) * each] for i in range(count)]


def instances(array: Array, signature: Signature) -> list[Any]:
    """Split strings by instance: an encoded image, a text, or an array of texts."""
    if signature.images:
        return list(array.flat)
    for index, element in np.ndenumerate(array):
        array[index] = _text(element)
    return list(array.flat) if signature.texts else list(array)


def _text(element: Any) -> str:
    try:
        return element if isinstance(element, str) else element.decode()
    except UnicodeDecodeError:
        raise Malformed("A BYTES element is not UTF-8 text.", code="not_text") from None


MAX_AXES = 32
MAX_LENGTH = 2**31 - 1  # of an axis; the product of all can still be printed


def input_payloads(
    entries: list[dict[str, Any]], tail: memoryview, signature: Signature
) -> list[Payload]:
    """A payload for each instance along the first axis. Raises Malformed, TooLarge."""
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
        raise Malformed(
            f"The body has {len(tail)} more bytes of binary data than its inputs."
        )
    if len({len(column) for column in columns.values()}) > 1:
        raise Malformed("The inputs must have the same length along the first axis.")
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
            "Shared memory is not supported; send tensors in the body.",
            code="no_shared_memory",
        )
    return given


def _column(
    entry: dict[str, Any], facts: TensorSpec, tail: memoryview, signature: Signature
) -> tuple[list[Any], memoryview]:
    """The input's instances, and the rest of the binary data."""
    datatype, shape = _datatype(entry), _shape(entry)
    if not _fits(datatype, shape, facts, signature):
        raise Malformed(_misfit(datatype, shape, facts, signature), code="wrong_shape")
    check_count(shape[0])
    size = parameters(entry).get("binary_data_size")
    if size is None:
        return listed(entry.get("data"), datatype, shape, signature), tail
    if type(size) is not int or size < 0 or "data" in entry:
        raise Malformed("'binary_data_size' must be a number of bytes, without 'data'.")
    if size > len(tail):
        raise Malformed(
            f"Input {facts.name!r} needs {size} bytes of binary data, but only "
            f"{len(tail)} are left; check Inference-Header-Content-Length."
        )
    array = v2_tensors.from_bytes(tail[:size], datatype, shape)
    if datatype == "BYTES":
        return instances(array, signature), tail[size:]
    if datatype == "BF16":
        return [v2_tensors.Widened(one) for one in array], tail[size:]
    return list(array), tail[size:]


def _datatype(entry: dict[str, Any]) -> str:
    datatype = entry.get("datatype")
    if not isinstance(datatype, str) or datatype not in DTYPES:
        raise Malformed(
            f"The datatype {shown(datatype)} does not exist; use one of "
            f"{', '.join(DTYPES)}.",
            code="no_such_datatype",
        )
    return datatype


def _shape(entry: dict[str, Any]) -> Shape:
    """The input's shape: at least one instance, and no empty axis."""
    shape = entry.get("shape")
    if (
        not isinstance(shape, list)
        or not 1 <= len(shape) <= MAX_AXES
        or not all(type(length) is int and 0 < length <= MAX_LENGTH for length in shape)
    ):
        raise Malformed("'shape' must be a list of lengths, each 1 or larger.")
    return tuple(shape)


def _fits(datatype: str, shape: Shape, facts: TensorSpec, signature: Signature) -> bool:
    """True if the input fits the model; `decode` casts numbers, but never text."""
    if datatype == "BYTES" and (signature.images or signature.texts):
        return math.prod(shape[1:]) == 1
    if (datatype == "BYTES") != (facts.dtype == "string"):
        return False
    return facts.shape is None or facts.fits(shape[1:])


def _misfit(
    datatype: str, shape: Shape, facts: TensorSpec, signature: Signature
) -> str:
    takes = f"{names_of(facts.dtype).v2} of shape {batched(facts)}"
    image = ", or BYTES of shape [-1] with encoded images" if signature.images else ""
    return (
        f"Input {facts.name!r} is {datatype} of shape {list(shape)}; the model takes "
        f"{takes}, with instances along the first axis{image}."
    )


def batched(facts: TensorSpec) -> list[int]:
    """The shape with its batch axis; -1 stands for any length."""
    return [-1, *(-1 if n is None else n for n in facts.shape or ())]


MAX_ID = 256  # characters; it comes back in the reply


@dataclass(frozen=True)
class RequestedOutput:
    """An output in the form that the client requests."""

    facts: TensorSpec
    binary: bool
    classes: int  # return this many of the highest scores as text; 0: all scores


@dataclass(frozen=True)
class InferRequest:
    """A parsed request."""

    id: str | None
    payloads: Sequence[Payload]
    outputs: list[RequestedOutput]


def read(document: Any, tail: memoryview, signature: Signature) -> InferRequest:
    """Parse `document`, followed by the binary `tail`. Raises Malformed, TooLarge."""
    if not isinstance(document, dict):
        raise Malformed('The JSON must be an object: {"inputs": [{"name": …}]}.')
    outputs = _requested_outputs(document, signature)
    entries = _objects(document, "inputs")
    if not entries:
        raise Malformed(
            f"'inputs' is empty; the model takes {names(signature.inputs)}."
        )
    payloads = input_payloads(entries, tail, signature)
    return InferRequest(_id(document), payloads, outputs)


def _objects(document: dict[str, Any], field: str) -> list[dict[str, Any]]:
    entries = document.get(field, [])
    if not isinstance(entries, list) or not all(isinstance(e, dict) for e in entries):
        raise Malformed(f"{field!r} must be a list of objects.")
    return entries


def _id(document: dict[str, Any]) -> str | None:
    given = document.get("id")
    if given is None:
        return None
    if not isinstance(given, str) or len(given) > MAX_ID or not _writable(given):
        raise Malformed(f"'id' must be a string of at most {MAX_ID} characters.")
    return given


def _writable(given: str) -> bool:
    """False if it has half of a surrogate pair: JSON can escape it, UTF-8 cannot."""
    return not any("\ud800" <= c <= "\udfff" for c in given)


def _requested_outputs(
    document: dict[str, Any], signature: Signature
) -> list[RequestedOutput]:
    """The requested outputs; all of them if none is named."""
    binary = _flag(parameters(document), "binary_data_output", default=False)
    entries = _objects(document, "outputs") or [
        {"name": one.name} for one in signature.outputs
    ]
    if len(entries) > len(signature.outputs):
        raise Malformed(f"The model's only outputs are {names(signature.outputs)}.")
    outputs = [_output(entry, binary, signature) for entry in entries]
    if len({one.facts.name for one in outputs}) < len(outputs):
        raise Malformed("An output is requested twice.")
    return outputs


def _output(
    entry: dict[str, Any], binary: bool, signature: Signature
) -> RequestedOutput:
    name, given = entry.get("name"), parameters(entry)
    by_name = {one.name: one for one in signature.outputs}
    facts = by_name.get(name) if isinstance(name, str) else None
    if facts is None:
        raise Malformed(
            f"The model has no output {shown(name)}; it has "
            f"{names(signature.outputs)}.",
            code="no_such_output",
        )
    classes = given.get("classification", 0)
    if type(classes) is not int or classes < 0:
        raise Malformed("'classification' must be a number of classes.")
    return RequestedOutput(facts, _flag(given, "binary_data", default=binary), classes)


def _flag(given: dict[str, Any], name: str, *, default: bool) -> bool:
    flag = given.get(name, default)
    if not isinstance(flag, bool):
        raise Malformed(f"{name!r} must be true or false.")
    return flag
