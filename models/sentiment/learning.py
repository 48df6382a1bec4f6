"""What training computes: counts of stems, and the weights of the regression."""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

import model

# A stem of fewer texts says more about those texts than about tweets.
LEAST_TEXTS = 3
FOLDS = 10
NEWTON_STEPS = 20  # six or seven would do
DECIMALS = 4  # of the weights: beyond them machines differ

Rows = NDArray[np.float64]


class Example(NamedTuple):
    """A text's distinct stems and its side: 0 for Negative, 1 for Positive."""

    stems: list[str]
    side: int


class Tally:
    """In how many texts of each side a stem occurs."""

    def __init__(self, *parts: Iterable[Example]) -> None:
        self.counters: tuple[Counter[str], Counter[str]] = (Counter(), Counter())
        self.texts = [0, 0]
        for part in parts:
            for stems, side in part:
                self.counters[side].update(stems)
                self.texts[side] += 1

    def counts(self) -> model.Counts:
        """Return stem -> (negative, positive), in alphabetical order."""
        negative, positive = self.counters
        return {
            stem: (negative[stem], positive[stem])
            for stem in sorted(negative + positive)
            if negative[stem] + positive[stem] >= LEAST_TEXTS
        }

    def evidence(self) -> model.Evidence:
        """Return stem -> log-ratio."""
        return model.weigh(self.counts(), (self.texts[0], self.texts[1]))


def unseen(written: list[Example], made: list[Example], folds: Iterable[int]) -> Rows:
    """Return the rows (1, positive, negative) of the written examples, shape (n, 3).

    Each comes from the evidence of the other folds: by its own counts every text looks
    easy, and the regression would learn to be too sure.
    """
    rows = np.ones((len(written), 3))
    for fold in folds:
        others = (e for i, e in enumerate(written) if i % FOLDS != fold)
        evidence = Tally(made, others).evidence()
        for i in range(fold, len(written), FOLDS):
            rows[i, 1:] = model.features(evidence, written[i].stems)
    return rows


def regress(rows: Rows, sides: Rows) -> Rows:
    """Return the weights of a logistic regression, shape (3,), by Newton's method."""
    weights = np.zeros(rows.shape[1])
    for _ in range(NEWTON_STEPS):
        p = 1 / (1 + np.exp(-rows @ weights))
        curvature = rows.T @ (rows * (p * (1 - p))[:, None])
        weights += np.linalg.solve(curvature, rows.T @ (sides - p))
    return weights.round(DECIMALS)
