"""TensorFlow Serving's REST API: rows, columns or examples -> payloads; scores -> JSON.

Source: tensorflow_serving/g3doc/api_rest.md and util/json_tensor.cc.
"""

import binascii
from base64 import b64decode, b64encode
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..arrays import LISTS, Array, Arrays
from ..errors import Malformed, TooLarge
from ..spec import TensorSpec
from ..tasks import Payload, describe
from ..tasks.describe import finite, listed, text
from .signature import Signature, check_count, names
from .v2_tensors import MAX_STRINGS

SIGNATURE = "serving_default"
MAX_AXES = 32  # NumPy's own limit for walking through an array


def read(document: Any, signature: Signature) -> tuple[Sequence[Payload], bool]:
    """The payloads of a predict request; True if they were sent in columns.

    Raises Malformed, TooLarge.
    """
    if not isinstance(document, dict) or ("instances" in document) == (
        "inputs" in document
    ):
        raise Malformed(
            "The JSON must be an object with either 'instances' (a list of rows) or "
            "'inputs' (the columns by name)."
        )
    check_signature(document, SIGNATURE)
    if "instances" in document:
        return _each(document["instances"], "instances", signature), False
    return _each(_columns(document["inputs"], signature), "inputs", signature), True


def examples(document: Any, verb: str, signature: Signature) -> Sequence[Payload]:
    """The payloads of a classify or regress request. Raises Malformed, TooLarge."""
    if not isinstance(document, dict) or "examples" not in document:
        raise Malformed(
            "The JSON must be an object with 'examples', a list of objects."
        )
    check_signature(document, SIGNATURE, f"tensorflow/serving/{verb}")
    given, context = document["examples"], document.get("context", {})
    features = {one.name for one in signature.inputs}
    if not isinstance(given, list) or not isinstance(context, dict):
        raise Malformed("'examples' must be a list, and 'context' an object.")
    if not context.keys() <= features:
        raise Malformed(f"The features of 'context' must be {names(signature.inputs)}.")
    check_count(len(given))
    if not all(isinstance(one, dict) and not one.keys() & context for one in given):
        raise Malformed(
            "An example must be an object without the features of the context."
        )
    return _each([context | one for one in given], "examples", signature)


def check_signature(document: dict[str, Any], *known: str) -> None:
    """Raise Malformed for a signature that the model does not have."""
    given = document.get("signature_name", "")
    if given is not None and not (isinstance(given, str) and given in ("", *known)):
        raise Malformed(
            f"The model has no such signature; use {', '.join(known)}.",
            code="no_such_signature",
        )


def _each(given: Any, field: str, signature: Signature) -> Sequence[Payload]:
    if not isinstance(given, LISTS) or not len(given):
        raise Malformed(f"{field!r} must be a list with at least one instance.")
    check_count(len(given))
    return [_payload(one, index, signature) for index, one in enumerate(given)]


def _columns(inputs: Any, signature: Signature) -> list[Any]:
    """Columns turned into rows."""
    if not isinstance(inputs, dict) or is_b64(inputs):
        inputs = {signature.inputs[0].name: inputs}
    missing = [one for one in signature.inputs if one.name not in inputs]
    if missing:
        raise Malformed(f"'inputs' must also have {names(missing)}.")
    columns = {one.name: inputs[one.name] for one in signature.inputs}
    if not all(isinstance(column, LISTS) for column in columns.values()):
        raise Malformed(
            "A column of 'inputs' must be a list with one element per instance."
        )
    lengths = {len(column) for column in columns.values()}
    if len(lengths) > 1:
        raise Malformed("The columns of 'inputs' must have the same length.")
    check_count(*lengths)
    rows = zip(*columns.values(), strict=True)
    return [dict(zip(columns, row, strict=True)) for row in rows]


def _payload(given: Any, index: int, signature: Signature) -> Any:
    """An instance: an object by input names, or the bare value of a single input."""
    single = signature.inputs[0] if len(signature.inputs) == 1 else None
    if single and (not isinstance(given, dict) or is_b64(given)):
        return _value(given, single, signature)
    expected = {one.name for one in signature.inputs}
    if not isinstance(given, dict) or given.keys() != expected:
        raise Malformed(
            f"Instance {index} must be an object with {names(signature.inputs)}"
            f"{', or the bare value' if single else ''}."
        )
    values = {
        one.name: _value(given[one.name], one, signature) for one in signature.inputs
    }
    return values[single.name] if single else values


def is_b64(value: Any) -> bool:
    """True if `value` is TensorFlow Serving's form of bytes."""
    return (
        isinstance(value, dict)
        and value.keys() == {"b64"}
        and isinstance(value["b64"], str)
    )


def _value(value: Any, facts: TensorSpec, signature: Signature) -> Any:
    """Unpack bytes and texts; lists of numbers are left for the decoder thread."""
    alone = len(signature.inputs) == 1
    if signature.images and (alone or facts.dtype != "string"):
        return value["b64"] if is_b64(value) else value  # decoded in a decoder thread
    if facts.dtype != "string":
        return value
    if signature.texts:
        for _ in facts.shape or (1,):
            value = value[0] if isinstance(value, list) and len(value) == 1 else value
        return _text(value) if is_b64(value) else value
    return Texts(value)


class Texts:
    """The texts of one instance from JSON; a decoder thread makes them an array."""

    def __init__(self, value: Any) -> None:
        self._value = value

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        """NumPy's protocol: the texts in their shape. Raises Malformed, TooLarge."""
        array = np.array(self._value, object)
        if array.ndim > MAX_AXES:
            raise Malformed(f"Texts may be nested at most {MAX_AXES} deep.")
        if array.size > MAX_STRINGS:
            raise TooLarge(
                f"An instance has {array.size} texts; at most {MAX_STRINGS} are "
                "allowed."
            )
        for index, one in np.ndenumerate(array):
            array[index] = _text(one) if is_b64(one) else one
        return array


def _text(value: dict[str, str]) -> str:
    try:
        return b64decode(value["b64"], validate=True).decode()
    except (binascii.Error, ValueError):
        raise Malformed("A {'b64': …} is not UTF-8 text in base64.") from None


BYTES_SUFFIX = "_bytes"  # an output whose name ends so has binary strings


def predictions(rows: Sequence[Arrays], signature: Signature) -> list[Any]:
    """The answer to rows: a value for each, by name if there are several outputs."""
    named = [signature.named(scores) for scores in rows]
    for output in signature.outputs:
        describe.check([row[output.name] for row in named], binary=False)
    return [_row(row, signature) for row in named]


def outputs(rows: Sequence[Arrays], signature: Signature) -> Any:
    """The answer to columns: one list, or one by name if there are several outputs."""
    values = predictions(rows, signature)
    if len(signature.outputs) == 1:
        return values
    return {one.name: [row[one.name] for row in values] for one in signature.outputs}


def _row(named: dict[str, Array], signature: Signature) -> Any:
    values = {
        name: listed(part, _b64 if name.endswith(BYTES_SUFFIX) else text)
        for name, part in named.items()
    }
    return values if len(signature.outputs) > 1 else next(iter(values.values()))


def _b64(element: Any) -> Any:
    if isinstance(element, bytes):
        return {"b64": b64encode(element).decode()}
    return text(element)


def single(scores: Arrays) -> float:
    """The one number of a regression. Raises Malformed if there are more."""
    if isinstance(scores, dict) or np.size(scores) != 1:
        raise Malformed("The model returns more than one number; use :predict.")
    return float(finite(np.asarray(scores)).item())
