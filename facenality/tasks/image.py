"""Pictures in; labels with probabilities, or named values, out."""

from typing import Any

from ..arrays import Arrays
from .describe import Prediction, profile, ranked, size
from .tensor import TensorTask


class _ImageTask:
    """Decodes; what comes out is the subclass's."""

    fields: tuple[str, ...] = ("image", "url", "instances")
    heavy = True

    def __init__(self, tensors: TensorTask, labels: tuple[str, ...]) -> None:
        self._tensors = tensors
        self._labels = labels

    def decode(self, payload: Any) -> Arrays:
        """float32[H, W, C] from an encoded image, base64, or numbers as they are."""
        return self._tensors.decode(payload)


class ImageClassification(_ImageTask):
    """Labels with a probability (or score) each, best first."""

    def __init__(
        self,
        tensors: TensorTask,
        labels: tuple[str, ...],
        output: str,
        probability_by: str | None = None,
    ) -> None:
        super().__init__(tensors, labels)
        self._output = output
        self._probability_by = probability_by

    def describe(self, scores: Arrays, top: int) -> list[Prediction]:
        """The `top` labels."""
        return ranked(scores, self._labels, self._output, top, self._probability_by)

    def length(self, scores: Arrays, top: int) -> int:
        """Those of the `top` labels."""
        return min(top, size(scores))


class ImageRegression(_ImageTask):
    """A value for each label, in the model's own order."""

    def describe(self, scores: Arrays, top: int) -> list[Prediction]:  # noqa: ARG002
        """All labels; `top` does not apply, since no value is best."""
        return profile(scores, self._labels)

    def length(self, scores: Arrays, top: int) -> int:  # noqa: ARG002
        """Those of all labels."""
        return size(scores)
