"""Rows of scores -> the replies of TensorFlow Serving's REST."""

from base64 import b64encode
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..arrays import Array, Arrays
from ..errors import Malformed
from ..tasks import sizes
from ..tasks.describing import finite, listed, text
from .signature import Signature

BYTES_SUFFIX = "_bytes"  # of an output's name: its strings are binary


def predictions(rows: Sequence[Arrays], signature: Signature) -> list[Any]:
    """The answer to rows: a value each, by name where there are several outputs."""
    named = [signature.named(scores) for scores in rows]
    for output in signature.outputs:
        sizes.check([row[output.name] for row in named], binary=False)
    return [_row(row, signature) for row in named]


def outputs(rows: Sequence[Arrays], signature: Signature) -> Any:
    """The answer to columns: one list, by name where there are several outputs."""
    given = predictions(rows, signature)
    if len(signature.outputs) == 1:
        return given
    return {one.name: [row[one.name] for row in given] for one in signature.outputs}


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
    """The one number of a regression. Raises Malformed where there are more."""
    if isinstance(scores, dict) or np.size(scores) != 1:
        raise Malformed("The model answers more than one number; use :predict.")
    return float(finite(np.asarray(scores)).item())
