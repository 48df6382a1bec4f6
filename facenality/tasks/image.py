"""Pictures in; labels with probabilities, or named values, out."""

import binascii
from typing import Any

from ..arrays import Arrays
from ..errors import UnprocessableInput
from ..spec import ImageSpec
from . import image_decode
from .describe import Prediction, profile, ranked, size
from .tensor import TensorTask


class _ImageTask:
    """Decodes; what comes out is the subclass's."""

    fields: tuple[str, ...] = ("image", "url", "instances")
    heavy = True

    def __init__(
        self, spec: ImageSpec, tensors: TensorTask, labels: tuple[str, ...]
    ) -> None:
        self._spec = spec
        self._tensors = tensors
        self._labels = labels

    def decode(self, payload: Any) -> Arrays:
        """float32[H, W, C] from an encoded image, base64, or numbers as they are."""
        if isinstance(payload, str):
            payload = from_base64(payload)
        if isinstance(payload, bytes):
            return image_decode.decode(payload, self._spec)
        return self._tensors.decode(payload)


class ImageClassification(_ImageTask):
    """Labels with a probability (or score) each, best first."""

    def __init__(
        self,
        spec: ImageSpec,
        tensors: TensorTask,
        labels: tuple[str, ...],
        output: str,
    ) -> None:
        super().__init__(spec, tensors, labels)
        self._output = output

    def describe(self, scores: Arrays, top: int) -> list[Prediction]:
        """The `top` labels."""
        return ranked(scores, self._labels, self._output, top)

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


def from_base64(text: str) -> bytes:
    """The bytes of base64 text or of a `data:…;base64,` URL. Raises NotUsable."""
    if text.startswith("data:"):
        head, _, text = text.partition(",")
        if not head.endswith(";base64"):
            raise UnprocessableInput(
                "A data: URL must be base64: data:image/png;base64,…"
            )
    try:
        return binascii.a2b_base64(text, strict_mode=True)  # as it is: no copy
    except (binascii.Error, ValueError):
        raise UnprocessableInput(
            "'image' is not base64; send the file's bytes in base64, or a data: URL.",
            code="not_base64",
        ) from None
