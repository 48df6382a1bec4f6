"""What a model is for: decode one instance, describe one row of scores.

A payload is what a client sent for one instance: bytes (an encoded image), a string (an
image in base64, or a data: URL) or nested lists of numbers (a tensor, used as it is).
"""

import binascii
from base64 import b64decode
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from . import images
from .card import Facts, ImageSpec, Recipe
from .errors import ModelFailed, NotUsable

Payload = bytes | str | Sequence[Any] | float
Instance = npt.NDArray[Any]
Prediction = dict[str, Any]


class Task(Protocol):
    """`decode` runs in a decoder thread, `describe` on the hub."""

    fields: tuple[str, ...]  # of a JSON request that this task takes

    def decode(self, payload: Payload) -> Instance:
        """One instance, without the batch axis. Raises NotUsable or TooLarge."""

    def describe(self, scores: Instance, top: int) -> list[Prediction]:
        """The reply's predictions for one row of scores. Raises ModelFailed."""


def make(recipe: Recipe, facts: Facts) -> Task:
    """The task that `recipe` names, for a model with these facts."""
    tensor = TensorTask(facts.input_shape, facts.input_dtype)
    if recipe.image is None:
        return tensor
    if recipe.task == "image-regression":
        return ImageRegression(recipe.image, tensor, recipe.labels)
    return ImageClassification(recipe.image, tensor, recipe.labels, recipe.output)


class TensorTask:
    """Numbers in, numbers out, both as they are."""

    fields: tuple[str, ...] = ("instances",)

    def __init__(self, shape: tuple[int | None, ...], dtype: str) -> None:
        self._shape = shape
        self._dtype = dtype

    def decode(self, payload: Payload) -> Instance:
        """The tensor, checked against the model's input shape."""
        if isinstance(payload, bytes | str):
            raise NotUsable("This model takes numbers; send them in 'instances'.")
        instance = self._numbers(payload)
        if not self._fits(instance.shape):
            raise NotUsable(
                f"An instance of shape {list(instance.shape)} does not fit; "
                f"the model takes {self._written()}.",
                code="wrong_shape",
            )
        return instance

    def describe(self, scores: Instance, top: int) -> list[Prediction]:  # noqa: ARG002
        """One prediction with all values."""
        return [{"values": _finite(scores).tolist()}]

    def _numbers(self, payload: Payload) -> Instance:
        """As the model's dtype; "1", null, NaN and what overflows are no numbers."""
        try:
            given = np.asarray(payload)
            if given.dtype.kind in "biuf" and np.isfinite(given).all():
                return np.asarray(payload, dtype=self._dtype)
        except (ValueError, TypeError, OverflowError):
            pass
        raise NotUsable(
            f"An instance must be lists of finite numbers, shape {self._written()}."
        )

    def _fits(self, shape: tuple[int, ...]) -> bool:
        return len(shape) == len(self._shape) and all(
            want in (None, got) for want, got in zip(self._shape, shape, strict=True)
        )

    def _written(self) -> str:
        return "[" + ", ".join(str(n or "any") for n in self._shape) + "]"


class _ImageTask:
    """Pictures in; what comes out is the subclass's."""

    fields: tuple[str, ...] = ("image", "url", "instances")

    def __init__(
        self, spec: ImageSpec, tensor: TensorTask, labels: tuple[str, ...]
    ) -> None:
        self._spec = spec
        self._tensor = tensor
        self._labels = labels

    def decode(self, payload: Payload) -> Instance:
        """float32[H, W, C] from an encoded image, base64 text, or a tensor."""
        if isinstance(payload, str):
            payload = from_base64(payload)
        if isinstance(payload, bytes):
            return images.decode(payload, self._spec)
        return self._tensor.decode(payload)


class ImageClassification(_ImageTask):
    """Labels with a probability (or score) each, best first."""

    def __init__(
        self,
        spec: ImageSpec,
        tensor: TensorTask,
        labels: tuple[str, ...],
        output: str,
    ) -> None:
        super().__init__(spec, tensor, labels)
        self._output = output

    def describe(self, scores: Instance, top: int) -> list[Prediction]:
        """The `top` labels. One sigmoid output with two labels answers both."""
        scores = _finite(scores)
        if len(scores) == 1 and len(self._labels) == 2:
            scores = np.array([1 - scores[0], scores[0]])
        # Stable: of two equal scores the label that stands first in the file wins.
        best = np.argsort(-scores, kind="stable")[:top]
        return [
            {"label": self._labels[i], self._output: float(scores[i])} for i in best
        ]


class ImageRegression(_ImageTask):
    """A value for each label, in the model's own order."""

    def describe(self, scores: Instance, top: int) -> list[Prediction]:  # noqa: ARG002
        """All labels; `top` does not apply, since no value is best."""
        values = _finite(scores).tolist()
        return [
            {"label": label, "value": value}
            for label, value in zip(self._labels, values, strict=True)
        ]


def from_base64(text: str) -> bytes:
    """The bytes of base64 text or of a `data:…;base64,` URL. Raises NotUsable."""
    if text.startswith("data:"):
        head, _, text = text.partition(",")
        if not head.endswith(";base64"):
            raise NotUsable("A data: URL must be base64: data:image/png;base64,…")
    try:
        return b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise NotUsable(
            "'image' is not base64; send the file's bytes in base64, or a data: URL.",
            code="not_base64",
        ) from None


def _finite(scores: Instance) -> Instance:
    """JSON has no NaN: a model that answers it has failed."""
    if not np.isfinite(scores).all():
        raise ModelFailed("The model answered NaN or infinity for this input.")
    return scores
