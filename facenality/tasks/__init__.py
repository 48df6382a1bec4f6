"""What a model is for: decode one instance, describe one row of scores.

A payload is what a client sent for one instance: bytes (an encoded image), a string (a
text, or an image in base64 or as a data: URL), or numbers in nested lists or an array
(a tensor, used as it is; by name in an object where a model has several inputs).
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from ..arrays import Array, Arrays
from ..spec import ModelConfig, ModelSpec
from .describe import Prediction
from .image import ImageClassification, ImageRegression
from .tensor import TensorTask
from .text import TextClassification

__all__ = ["Payload", "Prediction", "Task", "make"]

Payload = bytes | str | Sequence[Any] | Mapping[str, Any] | Array | float


class Task(Protocol):
    """`decode` runs in a decoder thread where it is `heavy`, `describe` on the hub."""

    fields: tuple[str, ...]  # of a JSON request that this task takes
    heavy: bool

    def decode(self, payload: Payload) -> Arrays:
        """An instance without the batch axis. Raises UnprocessableInput, TooLarge."""

    def describe(self, scores: Arrays, top: int) -> list[Prediction]:
        """The reply's predictions for one row of scores. Raises ModelFailed."""

    def length(self, scores: Arrays, top: int) -> int:
        """How many numbers `describe` would write."""


def make(recipe: ModelConfig, facts: ModelSpec) -> Task:
    """The task that `recipe` names, for a model with these facts."""
    tensors = TensorTask(tuple(map(recipe.taken, facts.inputs)), recipe.image)
    rank = recipe.labels, recipe.output, recipe.probability_by
    if recipe.task == "text-classification":
        return TextClassification(facts.inputs[0], *rank)
    if recipe.task == "tensor":
        return tensors
    if recipe.task == "image-regression":
        return ImageRegression(tensors, recipe.labels)
    return ImageClassification(tensors, *rank)


EVERY_LABEL = 1 << 30
