"""Runs the same batches through the model and the exported one, and compares."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...arrays import Array, Arrays, stack
from ...registry import samples
from ...registry.selection import measure, sample_inputs
from ...spec import ModelSpec, TensorSpec
from .model import ReferenceModel
from .request import ExportFailed

TEXTS = (
    "",
    "good",
    "a bad beginning, and a good end",
    "Größe – 大きさ",
    "GOOD bad bad",
)
SAME = 1e-5  # for the same operations, where only the order of additions may differ


@dataclass(frozen=True)
class Agreement:
    """The largest differences, relative to the largest number if it is above 1."""

    graph: float  # from the traced function of the model
    library: float  # from the model's own library, which computes step by step
    spread: float | None  # between different answers; None if they are not numbers
    batches: int


def compare(one: ReferenceModel, reopened: Any) -> Agreement:
    """Compare all three on the same batches. Raises ExportFailed if they differ."""
    inputs = list(batches(one))
    answers = [_numbers(_called(one, reopened, each)) for each in inputs]
    traced = [_numbers(one.traced_answers(each)) for each in inputs]
    own = [_numbers(one.answers(each)) for each in inputs]
    agreement = Agreement(
        max(map(measure.difference, answers, traced)),
        max(map(measure.difference, answers, own)),
        _spread(own),
        len(inputs),
    )
    _require("the model's graph", agreement.graph, SAME)
    _require("the model's own library", agreement.library, measure.FLOAT32)
    return agreement


def _require(what: str, difference: float, allowed: float) -> None:
    if not difference <= allowed:
        raise ExportFailed(
            f"The exported model's answers differ from {what} by {difference:.2g}, "
            f"where {allowed:.0e} is allowed; the export was deleted."
        )


def _numbers(parts: list[Array]) -> list[Array]:
    """Convert bfloat16, which NumPy does not have, to float32."""
    return [
        part.astype("float32") if part.dtype.kind == "V" else part for part in parts
    ]


def _spread(answers: list[list[Array]]) -> float | None:
    if any(part.dtype.kind in "OSc" for part in answers[0]):
        return None
    largest = answers[-1]  # the last batch is of 3, and of different instances
    return measure.spread(largest)


def check_golden_sample(one: ReferenceModel, reopened: Any) -> bool:
    """True if there is one and its answer is right. Raises ModelLoadFailed."""

    def predict(batch: Arrays) -> Arrays:
        return one.scores(_called(one, reopened, one.inputs(batch)))

    pair = samples.read(one.found)
    if pair is None:
        return False
    sample, expected = pair
    tolerance = one.written.tolerance or samples.TOLERANCE["float32"]
    samples.check(samples.answer(one.task, predict, sample), expected, tolerance)
    return True


def _called(one: ReferenceModel, reopened: Any, batch: list[Any]) -> list[Any]:
    """The outputs of the exported model, in the order of the ModelSpec."""
    answered = reopened.call(dict(zip(one.names, batch, strict=True)))
    return [answered[output.name] for output in one.facts.outputs]


def batches(one: ReferenceModel) -> Iterator[list[Array]]:
    """Batches of 1 and 3, as arrays in the model's order; the sample comes first."""
    instances = _instances(one)
    yield one.inputs(stack(instances[:1]))
    for start in range(0, len(instances), 3):
        yield one.inputs(stack((instances + instances)[start : start + 3]))


def _instances(one: ReferenceModel) -> list[Arrays]:
    if all(tensor.dtype != "string" for tensor in one.facts.inputs):
        return sample_inputs.make_sample_inputs(
            one.found, one.task, one.recipe, one.facts
        )
    sample = one.found.sample()
    own = [one.task.decode(samples.payload(sample))] if sample else []
    return own + [_with_text(text, one.facts) for text in TEXTS]


def _with_text(text: str, facts: ModelSpec) -> Arrays:
    """An instance with `text` as every string, and its length as every number."""
    arrays = {one.name: _filled(text, one) for one in facts.inputs}
    return arrays if len(arrays) > 1 else next(iter(arrays.values()))


def _filled(text: str, tensor: TensorSpec) -> Array:
    if tensor.dtype == "string":
        return np.full(tensor.example_shape(), text, dtype=object)
    return np.full(tensor.example_shape(), len(text)).astype(tensor.dtype)
