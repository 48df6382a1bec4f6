"""Engines are interchangeable behind one small protocol: predict(batch) -> scores.

Each engine's heavy import stays inside its own file, and happens when it is opened.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import numpy.typing as npt

from ..card import Facts

Array = npt.NDArray[Any]
Tell = Callable[[str], None]  # names the stage of a load, for whoever waits


class Engine(Protocol):
    """A loaded model. Everything runs in the one model thread."""

    name: str
    precision: str
    facts: Facts
    batch_sizes: tuple[int, ...]  # every batch is padded up to one of these
    agreement: float  # largest difference to the reference, on noise, at loading

    def predict(self, batch: Array) -> Array:
        """Scores[N, …] for batch[N, …], 1 <= N <= max_batch_size."""


def open_engine(file: Path, max_batch_size: int, tell: Tell) -> Engine:
    """Load `file` into an engine. Raises ModelNotLoaded. For the model thread.

    There is one engine so far; `engine = auto` and `engine = tensorflow` both mean it.
    """
    tell("importing TensorFlow")
    from .tensorflow import TensorFlowEngine

    return TensorFlowEngine(file, allowed_batch_sizes(max_batch_size), tell)


def allowed_batch_sizes(most: int) -> tuple[int, ...]:
    """Powers of two, and `most`: padding wastes less than half, warming stays short."""
    sizes = {most}
    power = 1
    while power < most:
        sizes.add(power)
        power *= 2
    return tuple(sorted(sizes))
