"""How far an engine's answers are from the reference's, and how long it takes."""

import time
from math import inf

import numpy as np

from ...arrays import Array, Arrays, stack
from ...engines.engine import Engine
from .report import BATCH

FLOAT32 = 1e-4  # as far as a right engine may be from the reference
COMPANY = 1e-5  # as far as an answer may move with who shares the batch
SECONDS = 3.0  # that the timing of one batch takes, about
LEAST, MOST = 4, 30  # turns of each engine; the first is slower

Answers = list[Array]  # one array an output, [N, …]


def answers(engine: Engine, instances: list[Arrays]) -> Answers:
    """What the engine answers to each alone."""
    alone = [listed(engine.predict(stack([one]))) for one in instances]
    return [np.concatenate(parts) for parts in zip(*alone, strict=True)]


def company(engine: Engine, instances: list[Arrays], alone: Answers) -> float:
    """How far an answer moves when others share its batch: every allowed size."""
    moved = 0.0
    for size in engine.batch_sizes:
        # One less than allowed too: then a row is only there to fill the batch up.
        for count in {size, max(1, size - 1)}:
            turned = [i % len(instances) for i in range(count)]
            together = listed(engine.predict(stack([instances[i] for i in turned])))
            expected = [part[turned] for part in alone]
            moved = max(moved, difference(together, expected))
    return moved


def difference(answered: Answers, expected: Answers) -> float:
    """The largest, as a part of the largest number where that is above 1.

    NaN agrees with NaN; anything else that is not finite is infinitely far.
    """
    return max(map(_difference, answered, expected), default=0.0)


def _difference(answered: Array, expected: Array) -> float:
    if answered.shape != expected.shape:
        return inf
    if expected.dtype.kind not in "fc":
        return 0.0 if np.array_equal(answered, expected) else inf
    both = np.isnan(answered) & np.isnan(expected)
    same = both | (answered == expected)  # infinities too
    if same.all():
        return 0.0
    left, right = answered[~same].astype(float), expected[~same].astype(float)
    if not (np.isfinite(left).all() and np.isfinite(right).all()):
        return inf
    finite = expected[np.isfinite(expected)]
    scale = max(1.0, float(np.abs(finite).max(initial=0)))
    return float(np.abs(left - right).max()) / scale


def spread(expected: Answers) -> float:
    """How much the answers differ from sample to sample, at most."""
    numbers = [part.astype(float) for part in expected]
    return max(float(np.ptp(part, axis=0).max(initial=0)) for part in numbers)


def race(engines: list[Engine], instance: Arrays) -> list[tuple[float, float]]:
    """Milliseconds of one alone, and of a batch of BATCH or of as many as are allowed.

    The engines take turns, and the least time counts: what else the machine does
    meanwhile is nobody's merit.
    """
    if not engines:
        return []
    most = min(min(BATCH, engine.batch_sizes[-1]) for engine in engines)
    alone = _race(engines, stack([instance]))
    together = _race(engines, stack([instance] * most))
    return list(zip(alone, together, strict=True))


def _race(engines: list[Engine], batch: Arrays) -> list[float]:
    took: list[list[float]] = [[] for _ in engines]
    until = time.monotonic() + SECONDS
    for turn in range(MOST):
        if turn >= LEAST and time.monotonic() > until:
            break
        for engine, times in zip(engines, took, strict=True):
            started = time.perf_counter()
            engine.predict(batch)
            times.append(1000 * (time.perf_counter() - started))
    return [round(min(times), 3) for times in took]


def listed(scores: Arrays) -> Answers:
    """The outputs in the model's order."""
    return list(scores.values()) if isinstance(scores, dict) else [scores]
