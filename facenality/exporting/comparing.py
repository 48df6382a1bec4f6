"""How far the predictions for one picture are apart."""

from collections import Counter
from math import inf

from ..tasks import Prediction

PICTURES = 0.02  # what another decoder may do, as in tests/test_decoding.py


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
