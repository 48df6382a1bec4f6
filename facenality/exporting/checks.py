"""What was written is asked what the model was asked, and must answer the same."""

from typing import Any

import numpy as np

from .. import golden
from ..arrays import Arrays
from ..engines.signatures import INPUT, NUMBERS, SERVING
from ..tasks import Prediction
from . import comparing, inputs
from .subject import Subject
from .wanted import ExportFailed

KEYS = {output: key for key, output in NUMBERS.items()}


def tensors(one: Subject, reopened: Any, signature: str) -> tuple[float, int]:
    """The largest difference, and of how many batches. Raises ExportFailed."""
    gaps = [
        comparing.arrays(_called(one, reopened, signature, batch), one.answers(batch))
        for batch in inputs.tensors(one)
    ]
    if not max(gaps) <= comparing.TENSORS:
        raise ExportFailed(
            f"What was written answers differently from the model, by {max(gaps):.2g} "
            f"where {comparing.TENSORS:.0e} is allowed; it was deleted."
        )
    return max(gaps), len(gaps)


def golden_sample(one: Subject, reopened: Any, signature: str) -> bool:
    """Whether there is one; its answer must be the expected. Raises ModelNotLoaded."""

    def predict(batch: Arrays) -> Arrays:
        return one.scores(_called(one, reopened, signature, one.inputs(batch)))

    pair = golden.read(one.found)
    if pair is None:
        return False
    sample, expected = pair
    tolerance = one.written.tolerance or golden.TOLERANCE["float32"]
    golden.check(golden.answer(one.task, predict, sample), expected, tolerance)
    return True


def pictures(one: Subject, reopened: Any, encoded: dict[str, bytes]) -> float:
    """The largest difference of pictures decoded inside. Raises ExportFailed."""
    alone = _answered(reopened, list(encoded.values())[:1])
    together = _answered(reopened, list(encoded.values()))
    largest = 0.0
    for name, answers in zip(
        [next(iter(encoded)), *encoded], alone + together, strict=True
    ):
        gap = comparing.predictions(answers, one.predictions(encoded[name]))
        if not gap <= comparing.PICTURES:
            raise ExportFailed(
                f"Decoded by TensorFlow, {name} is answered differently: "
                f"{_shown(gap)}. What was written was deleted; without "
                "--with-decoding the pictures are decoded as here."
            )
        largest = max(largest, gap)
    return largest


def _shown(gap: float) -> str:
    if np.isinf(gap):
        return "another label is the best one"
    return f"a number is off by {gap:.2g} where {comparing.PICTURES} is allowed"


def _called(one: Subject, reopened: Any, signature: str, batch: list[Any]) -> list[Any]:
    """The outputs in the facts' order."""
    answered = reopened.call(signature, dict(zip(one.names, batch, strict=True)))
    return [answered[output.name] for output in one.facts.outputs]


def _answered(reopened: Any, encoded: list[bytes]) -> list[list[Prediction]]:
    """The predictions for each picture."""
    outputs = reopened.call(SERVING, {INPUT: np.array(encoded, dtype=object)})
    labels = outputs.pop("labels")
    ((output, numbers),) = outputs.items()
    return [
        [{"label": n.decode(), KEYS[output]: v} for n, v in zip(*row, strict=True)]
        for row in zip(labels, numbers, strict=True)
    ]
