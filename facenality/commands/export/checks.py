"""What was written is asked what the model was asked, and must answer the same."""

from dataclasses import dataclass
from typing import Any

from ...arrays import Array, Arrays
from ...registry import samples
from ...registry.selection import measure
from . import inputs
from .subject import Subject
from .wanted import ExportFailed

SAME = 1e-5  # the same operations: no more than the order of additions


@dataclass(frozen=True)
class Agreement:
    """The largest differences, as parts of the largest number where it is above 1."""

    graph: float  # to the model's function as it was traced here
    library: float  # to the model's own library, which computes step by step
    spread: float | None  # of the answers; None: they are no numbers
    batches: int


def tensors(one: Subject, reopened: Any) -> Agreement:
    """Ask all three the same batches. Raises ExportFailed where they differ."""
    asked = list(inputs.tensors(one))
    answers = [_numbers(_called(one, reopened, each)) for each in asked]
    traced = [_numbers(one.traced_answers(each)) for each in asked]
    own = [_numbers(one.answers(each)) for each in asked]
    agreement = Agreement(
        max(map(measure.difference, answers, traced)),
        max(map(measure.difference, answers, own)),
        _spread(own),
        len(asked),
    )
    _judge("the model's graph", agreement.graph, SAME)
    _judge("the model's own library", agreement.library, measure.FLOAT32)
    return agreement


def _judge(what: str, difference: float, allowed: float) -> None:
    if not difference <= allowed:
        raise ExportFailed(
            f"What was written answers differently from {what}, by {difference:.2g} "
            f"where {allowed:.0e} is allowed; it was deleted."
        )


def _numbers(parts: list[Array]) -> list[Array]:
    """bfloat16, which NumPy does not know, as float32."""
    return [
        part.astype("float32") if part.dtype.kind == "V" else part for part in parts
    ]


def _spread(answers: list[list[Array]]) -> float | None:
    if any(part.dtype.kind in "OSc" for part in answers[0]):
        return None
    largest = answers[-1]  # the last batch is of 3, and of different instances
    return measure.spread(largest)


def golden_sample(one: Subject, reopened: Any) -> bool:
    """Whether there is one; its answer must be the expected. Raises ModelNotLoaded."""

    def predict(batch: Arrays) -> Arrays:
        return one.scores(_called(one, reopened, one.inputs(batch)))

    pair = samples.read(one.found)
    if pair is None:
        return False
    sample, expected = pair
    tolerance = one.written.tolerance or samples.TOLERANCE["float32"]
    samples.check(samples.answer(one.task, predict, sample), expected, tolerance)
    return True


def _called(one: Subject, reopened: Any, batch: list[Any]) -> list[Any]:
    """The outputs in the facts' order."""
    answered = reopened.call(dict(zip(one.names, batch, strict=True)))
    return [answered[output.name] for output in one.facts.outputs]
