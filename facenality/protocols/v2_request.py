"""An infer request of the Open Inference Protocol V2 -> payloads and wanted outputs.

Binary tensors follow the JSON in the order of the inputs that claim them.
Source: inference_rest.md of kserve/open-inference-protocol, and Triton's extensions.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import Malformed
from ..facts import TensorFacts
from ..tasks import Payload
from . import v2_inputs
from .signature import Signature, names, shown
from .v2_inputs import parameters

MAX_ID = 256  # characters; it comes back in the reply


@dataclass(frozen=True)
class Wanted:
    """An output as the client asks for it."""

    facts: TensorFacts
    binary: bool
    classes: int  # so many of its highest scores, as text; 0: the scores themselves


@dataclass(frozen=True)
class Asked:
    """A request that has been read."""

    id: str | None
    payloads: Sequence[Payload]
    outputs: list[Wanted]


def read(document: Any, tail: memoryview, signature: Signature) -> Asked:
    """What `document`, with `tail` behind it, asks of a model. Raises Malformed."""
    if not isinstance(document, dict):
        raise Malformed('The JSON must be an object: {"inputs": [{"name": …}]}.')
    wanted = _wanted(document, signature)
    entries = _objects(document, "inputs")
    if not entries:
        raise Malformed(
            f"'inputs' is empty; the model takes {names(signature.inputs)}."
        )
    payloads = v2_inputs.payloads(entries, tail, signature)
    return Asked(_id(document), payloads, wanted)


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
    """JSON can escape half of a surrogate pair, UTF-8 cannot write it."""
    return not any("\ud800" <= c <= "\udfff" for c in given)


def _wanted(document: dict[str, Any], signature: Signature) -> list[Wanted]:
    """The outputs asked for; all of them where none is named."""
    binary = _flag(parameters(document), "binary_data_output", default=False)
    entries = _objects(document, "outputs") or [
        {"name": one.name} for one in signature.outputs
    ]
    if len(entries) > len(signature.outputs):
        raise Malformed(f"There are no more outputs than {names(signature.outputs)}.")
    outputs = [_output(entry, binary, signature) for entry in entries]
    if len({one.facts.name for one in outputs}) < len(outputs):
        raise Malformed("An output is asked for twice.")
    return outputs


def _output(entry: dict[str, Any], binary: bool, signature: Signature) -> Wanted:
    name, wishes = entry.get("name"), parameters(entry)
    by_name = {one.name: one for one in signature.outputs}
    facts = by_name.get(name) if isinstance(name, str) else None
    if facts is None:
        raise Malformed(
            f"There is no output {shown(name)}; there is {names(signature.outputs)}.",
            code="no_such_output",
        )
    classes = wishes.get("classification", 0)
    if type(classes) is not int or classes < 0:
        raise Malformed("'classification' must be a number of classes.")
    return Wanted(facts, _flag(wishes, "binary_data", default=binary), classes)


def _flag(wishes: dict[str, Any], name: str, *, default: bool) -> bool:
    flag = wishes.get(name, default)
    if not isinstance(flag, bool):
        raise Malformed(f"{name!r} must be true or false.")
    return flag
