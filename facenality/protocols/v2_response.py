"""Rows of scores -> the reply of the Open Inference Protocol V2."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..arrays import Array, Arrays
from ..errors import Malformed, ModelFailed
from ..tasks import describe
from . import v2_tensors
from .signature import Signature, names_of
from .v2_request import RequestedOutput


def write(
    rows: Sequence[Arrays], outputs: list[RequestedOutput], signature: Signature
) -> tuple[list[dict[str, Any]], bytes]:
    """The reply's "outputs", and the binary data that follows the JSON.

    Raises ModelFailed; Malformed if classes are requested of an output without scores.
    """
    named = [signature.named(row) for row in rows]
    entries, tail = [], []
    for wanted in outputs:
        parts = [row[wanted.facts.name] for row in named]
        if wanted.classes:
            describe.check_classes(parts, wanted.classes)
        else:
            describe.check(parts, binary=wanted.binary)
        array = _stacked(parts, wanted)
        if wanted.classes:
            array = _ranked(array, wanted, signature.labels)
        entry, data = _output(array, wanted)
        entries.append(entry)
        tail.append(data)
    return entries, b"".join(tail)


def _stacked(parts: list[Array], wanted: RequestedOutput) -> Array:
    """The batch of one output, in the dtype of the metadata."""
    try:
        array = np.stack(parts)
        if wanted.facts.dtype == "string":
            return array
        return array.astype(wanted.facts.dtype, copy=False)
    except (ValueError, TypeError):
        raise ModelFailed(
            f"Output {wanted.facts.name!r} of the model is not {wanted.facts.dtype} "
            "of the same shape for all instances."
        ) from None


def _ranked(array: Array, wanted: RequestedOutput, labels: tuple[str, ...]) -> Array:
    """The highest scores as "score:index:label", best first.

    Source: Triton's extension_classification.md.
    """
    if array.ndim != 2 or array.dtype.kind not in "biuf":
        raise Malformed(
            f"Output {wanted.facts.name!r} has no row of scores to classify."
        )
    ends = [f":{label}" for label in labels] if len(labels) == array.shape[1] else None
    best = np.argsort(-array.astype(np.float64), axis=1, kind="stable")
    texts = [
        [f"{row[i]!s}:{i}{ends[i] if ends else ''}" for i in order[: wanted.classes]]
        for row, order in zip(array, best, strict=True)
    ]
    return np.array(texts, object)


def _output(array: Array, wanted: RequestedOutput) -> tuple[dict[str, Any], bytes]:
    datatype = "BYTES" if wanted.classes else names_of(wanted.facts.dtype).v2
    entry = {
        "name": wanted.facts.name,
        "datatype": datatype,
        "shape": list(array.shape),
    }
    if not wanted.binary:
        return entry | {"data": v2_tensors.to_list(array, datatype)}, b""
    data = v2_tensors.to_bytes(array, datatype)
    return entry | {"parameters": {"binary_data_size": len(data)}}, data
