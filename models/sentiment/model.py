"""Tells whether a tweet is positive or negative, with NumPy alone.

load artifacts -> preprocess (text.py, porter.py) -> two features -> logistic regression

A model.py is loaded by its path. Its sibling modules are too, and stay out of
sys.modules, where another model may have a `text` of its own.
"""

import json
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from importlib.machinery import SourceFileLoader
from math import log, sqrt, tanh
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

# Stemming takes most of the time, and people use the same words. A few MB when full.
CACHED_WORDS = 1 << 15
# Added to each count: one sentence alone is no proof.
SMOOTHING = 1.0

Stems = Callable[[str], list[str]]
Counts = dict[str, tuple[int, int]]
Evidence = dict[str, float]
Features = tuple[float, float]


class Model(NamedTuple):
    """What `load` found: read only, so any thread may use it."""

    stems: Stems
    evidence: Evidence
    weights: tuple[float, float, float]  # of the bias, for Positive, for Negative


def load(folder: Path) -> Model:
    """Return the model from `folder`, where train.py has written artifacts.json."""
    artifacts = json.loads((folder / "artifacts.json").read_text(encoding="utf-8"))
    return assemble(artifacts, preprocessor(folder))


def assemble(artifacts: dict[str, Any], stems: Stems) -> Model:
    """Return the model that the artifacts describe."""
    evidence = weigh(artifacts["stems"], artifacts["texts"])
    return Model(stems, evidence, tuple(artifacts["weights"]))


def predict(model: Model, instances: Sequence[str]) -> NDArray[np.float64]:
    """Return the probabilities of Negative and Positive, shape (n, 2)."""
    positive = np.array([positivity(model, text) for text in instances], np.float64)
    return np.stack([1 - positive, positive], axis=1)


def positivity(model: Model, text: str) -> float:
    """Return the probability that the text is positive."""
    bias, for_positive, for_negative = model.weights
    positive, negative = features(model.evidence, model.stems(text))
    z = bias + for_positive * positive + for_negative * negative
    # The logistic function 1 / (1 + exp(-z)), in a form that cannot overflow.
    return (1 + tanh(z / 2)) / 2


def features(evidence: Evidence, stems: list[str]) -> Features:
    """Return what the stems say for Positive and for Negative, both >= 0.

    The sums of log-ratios, over the root of how many stems are known: random words of
    a long text add up like that root, and would else look like strong evidence.
    """
    known = [evidence[stem] for stem in stems if stem in evidence]
    scale = sqrt(len(known) or 1)
    positive = sum(ratio for ratio in known if ratio > 0)
    negative = sum(-ratio for ratio in known if ratio < 0)
    return positive / scale, negative / scale


def weigh(counts: Counts, texts: tuple[int, int]) -> Evidence:
    """Return each stem's log-ratio of its rates in positive and in negative texts.

    `counts` and `texts` are (negative, positive): in how many texts, of how many.
    """
    bias = log((texts[0] + 2 * SMOOTHING) / (texts[1] + 2 * SMOOTHING))
    return {
        stem: log((positive + SMOOTHING) / (negative + SMOOTHING)) + bias
        for stem, (negative, positive) in counts.items()
    }


def preprocessor(folder: Path) -> Stems:
    """Return text -> stems, out of the modules in `folder`."""
    stem = lru_cache(CACHED_WORDS)(sibling(folder, "porter").stem)
    return partial(sibling(folder, "text").stems, stem=stem)


def sibling(folder: Path, name: str) -> ModuleType:
    """Return the module of that name in `folder`, a new one each time."""
    loader = SourceFileLoader(f"sentiment.{name}", str(folder / f"{name}.py"))
    module = ModuleType(loader.name)
    loader.exec_module(module)
    return module
