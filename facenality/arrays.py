"""Instances, batches and scores: each is an array, or a dict of arrays by name.

Most models have one input and one output and use plain arrays.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Arrays = Array | dict[str, Array]

LISTS = (list, np.ndarray)  # long lists of numbers in JSON are parsed into arrays


def stack(instances: list[Arrays]) -> Arrays:
    """A batch of `instances` along a new first axis; a single one is not copied."""
    first = instances[0]
    if isinstance(first, dict):
        return {name: _stack([one[name] for one in instances]) for name in first}
    return _stack(instances)  # type: ignore[arg-type]  # all are arrays if the first is


def _stack(instances: list[Array]) -> Array:
    return instances[0][np.newaxis] if len(instances) == 1 else np.stack(instances)


def shapes(instance: Arrays) -> tuple[tuple[int, ...], ...]:
    """Of its arrays: only instances of equal shapes can be stacked."""
    if isinstance(instance, dict):
        return tuple(np.shape(part) for part in instance.values())
    return (np.shape(instance),)


def rows(scores: Arrays) -> list[Arrays]:
    """The scores of each instance. Raises ValueError if outputs differ in length."""
    if isinstance(scores, dict):
        names = list(scores)
        parts = zip(*(_rows(scores[name]) for name in names), strict=True)
        return [dict(zip(names, part, strict=True)) for part in parts]
    return list(_rows(scores)) if np.ndim(scores) else []


def _rows(part: Array) -> list[Array]:
    """A string alone stays an array, as a number does."""
    if part.ndim > 1 or part.dtype != object:
        return list(part)
    return [np.array(one, object) for one in part]


def first(scores: Arrays, count: int) -> Arrays:
    """The first `count` rows: a padded batch without its padding."""
    if isinstance(scores, dict):
        return {name: part[:count] for name, part in scores.items()}
    return scores[:count]


def length(batch: Arrays) -> int:
    """N of batch[N, …]."""
    return len(next(iter(batch.values()))) if isinstance(batch, dict) else len(batch)


def padded(batch: Arrays, count: int) -> Arrays:
    """`batch`, with its last instance repeated until there are `count`.

    Zeros would be simpler, but may be far outside the range that a model expects.
    """
    if isinstance(batch, dict):
        return {name: _padded(part, count) for name, part in batch.items()}
    return _padded(batch, count)


def _padded(part: Array, count: int) -> Array:
    missing = count - len(part)
    return np.concatenate([part, np.repeat(part[-1:], missing, 0)]) if missing else part
