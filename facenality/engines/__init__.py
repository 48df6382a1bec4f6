"""Engines are interchangeable behind one small protocol: predict(batch) -> scores.

Each engine's heavy import stays inside its own file, and happens when it is opened.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from ..arrays import Arrays
from ..facts import Facts

Tell = Callable[[str], None]  # names the stage of a load, for whoever waits


class Engine(Protocol):
    """A loaded model. Everything runs in the one model thread."""

    name: str
    precision: str
    facts: Facts
    batch_sizes: tuple[int, ...]  # to be warmed; the last one is the largest taken
    agreement: float | None  # largest difference to the reference at loading, on noise

    def predict(self, batch: Arrays) -> Arrays:
        """Scores[N, …] for batch[N, …], 1 <= N <= batch_sizes[-1]."""


def open_engine(file: Path, max_batch_size: int, tell: Tell) -> Engine:
    """Load `file` into an engine. Raises ModelNotLoaded. For the model thread."""
    sizes = allowed_batch_sizes(max_batch_size)
    if file.suffix == ".py":
        from .python import PythonEngine

        return PythonEngine(file, sizes, tell)
    tell("importing TensorFlow")
    from . import tensorflow

    return tensorflow.open_file(file, sizes, tell)


def allowed_batch_sizes(most: int) -> tuple[int, ...]:
    """Powers of two, and `most`: padding wastes less than half, warming stays short."""
    sizes = {most}
    power = 1
    while power < most:
        sizes.add(power)
        power *= 2
    return tuple(sorted(sizes))
