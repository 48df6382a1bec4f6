"""How far two answers to the same input are apart."""

from collections import Counter
from math import inf

import numpy as np

from ..arrays import Array
from ..tasks import Prediction

TENSORS = 1e-5  # the same operations: no more than the order of additions
PICTURES = 0.02  # what another decoder may do, as in tests/test_decoding.py


def arrays(ours: list[Array], theirs: list[Array]) -> float:
    """The largest difference of a number, as a part of it where it is above 1.

    Infinite where shapes or texts differ, or where only one is no number.
    """
    if len(ours) != len(theirs):
        return inf
    return max(map(_array, ours, theirs), default=0.0)


def _array(ours: Array, theirs: Array) -> float:
    if ours.shape != theirs.shape:
        return inf
    if ours.dtype.kind in "OSU":
        return 0.0 if (ours == theirs).all() else inf
    kind = np.complex128 if ours.dtype.kind == "c" else np.float64
    a, b = ours.astype(kind), theirs.astype(kind)
    with np.errstate(invalid="ignore"):
        gaps = np.abs(a - b) / np.maximum(1, np.abs(b))
    gaps[(a == b) | (np.isnan(a) & np.isnan(b))] = 0.0
    gaps[np.isnan(gaps)] = inf
    return float(gaps.max(initial=0.0))


def predictions(exported: list[Prediction], local: list[Prediction]) -> float:
    """The largest difference, as a part of the largest number where that is above 1.

    `local` has every label. Infinite where another label is the best one: one that is
    worse here by more than PICTURES.
    """
    ours, theirs = _by_label(local), _by_label(exported)
    scale = max(1.0, *map(abs, ours.values()))
    gap = max(abs(ours.get(key, inf) - value) / scale for key, value in theirs.items())
    best = ours.get(next(iter(theirs)), -inf)
    ranked = "value" not in exported[0]  # values have no best
    if ranked and max(ours.values()) - best > PICTURES * scale:
        return inf
    return gap


def _by_label(predictions: list[Prediction]) -> dict[tuple[str, int], float]:
    """By label, and which of its kind: ImageNet has two cranes."""
    seen: Counter[str] = Counter()
    numbers = {}
    for one in predictions:
        label = one["label"]
        number = next(value for key, value in one.items() if key != "label")
        numbers[label, seen[label]] = float(number)
        seen[label] += 1
    return numbers
