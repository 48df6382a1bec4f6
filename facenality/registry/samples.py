"""The golden sample: `sample.*` with `expected.json`, the reply's predictions.

A model whose answer to it, from the encoded bytes to the JSON, has moved by more than
its card's tolerance never becomes ready.

What comes with a model to try it: its golden sample and the files in `examples/`.

Only the operator puts files there. They are read once, when the model is loaded, and
kept in memory; the type of each follows from its suffix, and nothing else is served.
"""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from math import inf
from pathlib import Path
from typing import Any

from ..arrays import Arrays, rows, stack
from ..errors import ModelLoadFailed
from ..tasks import EVERY_LABEL, Payload, Prediction, Task
from .repository import ModelFiles

TOP = 5
TOLERANCE = {"float32": 1e-3, "bfloat16": 0.05}  # where the card has none


def payload(sample: Path) -> Payload:
    """What a client would send: a text, numbers from JSON, or an encoded image."""
    if sample.suffix == ".txt":
        return sample.read_text(encoding="utf-8").strip()
    if sample.suffix == ".json":
        numbers: Payload = json.loads(sample.read_text(encoding="utf-8"))
        return numbers
    return sample.read_bytes()


def read(found: ModelFiles) -> tuple[Payload, list[Prediction]] | None:
    """Sample and expected predictions, or None where the model has no golden sample."""
    sample, expected = found.sample(), found.beside("expected.json")
    if not sample or not expected:
        return None
    try:
        return payload(sample), json.loads(expected.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ModelLoadFailed(f"the golden sample cannot be read: {error}") from None


def write(sample: Path, predictions: list[Prediction]) -> None:
    """Make `predictions` the expected ones of `sample`."""
    text = json.dumps(predictions, indent=2) + "\n"
    sample.with_name("expected.json").write_text(text, encoding="utf-8")


def answer(
    task: Task,
    predict: Callable[[Arrays], Arrays],
    sample: Payload,
    top: int = EVERY_LABEL,
) -> list[Prediction]:
    """The predictions for one sample, without batcher or HTTP."""
    scores = predict(stack([task.decode(sample)]))
    return task.describe(rows(scores)[0], top)


def check(
    answered: list[Prediction], expected: list[Prediction], tolerance: float
) -> float:
    """The largest difference of a number. Raises ModelLoadFailed beyond `tolerance`.

    `answered` holds every label, `expected` may hold the best few. Ranks are not
    compared: two labels that are nearly equal may change places within the tolerance.
    """
    numbers = _numbers(answered)
    difference = max(
        (abs(numbers.get(k, inf) - v) for k, v in _numbers(expected).items()),
        default=inf,
    )
    if difference > tolerance:
        raise ModelLoadFailed(
            f"the golden sample's answer is off by {difference:.2g}, tolerance "
            f"{tolerance:.2g}: answered {json.dumps(answered[:2])}, expected "
            f"{json.dumps(expected[:2])}"
        )
    return difference


def _numbers(predictions: list[Prediction]) -> dict[str, float]:
    """Label (and which of its kind), or place in the values -> number.

    Raises ModelLoadFailed for what is no list of predictions.
    """
    try:
        if not isinstance(predictions, list):
            raise TypeError
        if predictions and "values" in predictions[0]:
            return _leaves(predictions[0]["values"], "")
        seen: Counter[str] = Counter()
        numbers = {}
        for one in predictions:
            seen[one["label"]] += 1  # ImageNet has two cranes
            number = next(value for key, value in one.items() if key != "label")
            numbers[f"{one['label']} {seen[one['label']]}"] = float(number)
    except (TypeError, KeyError, ValueError, StopIteration):
        raise ModelLoadFailed(
            "expected.json must be the list in the reply's 'predictions'; "
            "app.py check --write-expected writes it"
        ) from None
    return numbers


def _leaves(values: Any, place: str) -> dict[str, float]:
    if isinstance(values, dict):
        pairs = values.items()
    elif isinstance(values, list):
        pairs = dict(enumerate(values)).items()
    else:
        return {place: float(values)}
    return {
        key: leaf
        for name, value in pairs
        for key, leaf in _leaves(value, f"{place}/{name}").items()
    }


KINDS = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".webp": "image/webp",
    ".gif": "image/gif",
    ".bmp": "image/bmp",
    ".txt": "text/plain",
    ".json": "application/json",
}
MOST = 12  # a row on the page
LARGEST = 2 * 2**20  # bytes of one; they stay in memory as long as the model


@dataclass(frozen=True)
class Example:
    """A file that a client could send, and its media type."""

    content: bytes
    kind: str


def read_examples(found: ModelFiles) -> dict[str, Example]:
    """By file name, the golden sample first."""
    return {
        file.name: Example(file.read_bytes(), KINDS[file.suffix.lower()])
        for file in islice(filter(_fits, _files(found)), MOST)
    }


def _files(found: ModelFiles) -> list[Path]:
    sample = found.sample()
    folders = [folder / "examples" for folder in found.folders]
    nearest = next((folder for folder in folders if folder.is_dir()), None)
    beside = sorted(nearest.iterdir()) if nearest else []
    return [sample, *beside] if sample else beside


def _fits(file: Path) -> bool:
    known = file.suffix.lower() in KINDS and file.is_file()
    return known and file.stat().st_size <= LARGEST
