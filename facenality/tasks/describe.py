"""A row of scores -> the predictions of a reply.

How large a reply to several instances may become.

The hub writes JSON, and does nothing else meanwhile: half a million numbers take it a
good part of a second. One instance alone is always answered: its size is the model's.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..arrays import Array, Arrays
from ..errors import ModelFailed, TooLarge

Prediction = dict[str, Any]


def ranked(
    scores: Arrays,
    labels: tuple[str, ...],
    number: str,
    top: int,
    probability_by: str | None = None,
) -> list[Prediction]:
    """The `top` labels, best first. One sigmoid output with two labels answers both.

    `probability_by` is what makes probabilities of logits, see `probabilities`.
    """
    row = single_row(scores)
    if number == "probability":
        row = probabilities(row, probability_by)
    if len(row) == 1 and len(labels) == 2 and number == "probability":
        row = np.array([1 - row[0], row[0]])
    if len(row) != len(labels):
        raise ModelFailed(
            f"The model answered {len(row)} scores for {len(labels)} labels."
        )
    # Stable: of two equal scores the label that stands first in the file wins.
    # Not the negated row: a level of uint8 has no negative.
    best = len(row) - 1 - np.argsort(row[::-1], kind="stable")[::-1][:top]
    return [
        {"label": labels[i], number: value}
        for i, value in zip(
            best.tolist(), row[best].astype(float).tolist(), strict=True
        )
    ]


ROUNDING = 1e-3  # beyond 0 or 1, of a softmax in bfloat16


def probabilities(row: Array, by: str | None) -> Array:
    """Numbers of 0..1: logits through "softmax" or "sigmoid", others as they are.

    Raises ModelFailed for what is no probability.
    """
    if by == "sigmoid":
        return np.asarray(1 / (1 + np.exp(-np.clip(row.astype(float), -700, 700))))
    if by == "softmax":
        powers = np.exp(row.astype(float) - row.max(initial=-np.inf))
        return np.asarray(powers / powers.sum())
    least, most = float(row.min(initial=0)), float(row.max(initial=0))
    if least < -ROUNDING or most > 1 + ROUNDING:
        worst = least if least < -ROUNDING else most
        raise ModelFailed(
            f"The model answered {worst:.4g}, which is no probability; set "
            "output = 'score' in its model.toml."
        )
    return np.clip(row, 0, 1)


def profile(scores: Arrays, labels: tuple[str, ...]) -> list[Prediction]:
    """Every label's value, in the model's own order."""
    values = single_row(scores).tolist()
    if len(values) != len(labels):
        raise ModelFailed(
            f"The model answered {len(values)} values for {len(labels)} labels."
        )
    return [
        {"label": label, "value": value}
        for label, value in zip(labels, values, strict=True)
    ]


def values(scores: Arrays) -> Any:
    """Numbers and texts as nested lists, by name where there are several outputs."""
    if isinstance(scores, dict):
        return {name: listed(part, text) for name, part in scores.items()}
    return listed(scores, text)


def size(scores: Arrays) -> int:
    """How many numbers and texts these are."""
    parts = scores.values() if isinstance(scores, dict) else [scores]
    return sum(part.size for part in parts)


def listed(part: Array, string: Callable[[Any], Any]) -> Any:
    """`part` as nested lists, in which `string` writes what is no number."""
    if part.dtype.kind not in "OSU":
        return finite(part).tolist()
    return _strings(part.tolist(), string)


def _strings(value: Any, string: Callable[[Any], Any]) -> Any:
    if isinstance(value, list):
        return [_strings(one, string) for one in value]
    return string(value)


def text(element: Any) -> str:
    """A string that a model answered. Raises ModelFailed where JSON cannot carry it."""
    try:
        return encoded(element).decode()
    except UnicodeError:
        raise ModelFailed("The model answered bytes that are no UTF-8 text.") from None


def encoded(element: Any) -> bytes:
    """A string that a model answered, as UTF-8 where it is no bytes already."""
    return element if isinstance(element, bytes) else str(element).encode()


def single_row(scores: Arrays) -> Array:
    """The one row of finite scores that labels can be put to."""
    if isinstance(scores, dict) or scores.ndim != 1:
        raise ModelFailed("The model answered no single row of scores.")
    return finite(scores)


def finite(scores: Array) -> Array:
    """JSON has no NaN and no complex number: a model that answers it has failed."""
    if scores.dtype.kind in "cmMV":
        raise ModelFailed(f"The model answered {scores.dtype}, which is no number.")
    if scores.dtype.kind == "f" and not np.isfinite(scores).all():
        raise ModelFailed("The model answered NaN or infinity for this input.")
    return scores


MAX_NUMBERS = 500_000
MAX_CLASSES = 50_000  # of a class each: it takes ten times as long to write one
MAX_BYTES = 64 * 1024 * 1024


def check(parts: Sequence[Array], *, binary: bool) -> None:
    """Raise TooLarge where the answers to several instances are beyond the limits."""
    if binary:
        _check(len(parts), sum(part.nbytes for part in parts), MAX_BYTES, "bytes")
    else:
        check_numbers(len(parts), sum(part.size for part in parts))


def check_numbers(instances: int, numbers: int) -> None:
    """Raise TooLarge where several `instances` have too many `numbers` in all."""
    better = ", or ask /v2 for binary data"
    _check(instances, numbers, MAX_NUMBERS, "numbers", better)


def check_classes(parts: Sequence[Array], most: int) -> None:
    """Raise TooLarge where of several rows the `most` best classes are too many."""
    strings = sum(min(part.size, most) for part in parts)
    _check(len(parts), strings, MAX_CLASSES, "classes", " or classes")


def _check(instances: int, size: int, most: int, unit: str, better: str = "") -> None:
    if instances > 1 and size > most:
        raise TooLarge(
            f"The answer to {instances} instances would be {size} {unit}, more than "
            f"{most}; send fewer of them{better}.",
            code="reply_too_large",
        )
