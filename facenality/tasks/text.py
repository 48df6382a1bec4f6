"""Text in; labels with probabilities out."""

from typing import Any

import numpy as np

from ..arrays import Arrays
from ..errors import TooLarge, UnprocessableInput
from ..spec import TensorSpec
from .describe import Prediction, ranked, size

# Models of texts work on the hub's interpreter, or pad a batch to its longest text.
MAX_CHARACTERS = 100_000


class TextClassification:
    """Labels with a probability (or score) each, best first."""

    fields: tuple[str, ...] = ("text", "instances")
    heavy = False  # a text is handed on as it is

    def __init__(
        self,
        text_input: TensorSpec,
        labels: tuple[str, ...],
        output: str,
        probability_by: str | None = None,
    ) -> None:
        self._shape = text_input.example_shape()
        self._labels = labels
        self._output = output
        self._probability_by = probability_by

    def decode(self, payload: Any) -> Arrays:
        """The text as an array of one string, in the model's input shape.

        Raises UnprocessableInput, TooLarge.
        """
        if not isinstance(payload, str):
            raise UnprocessableInput(
                "This model takes text; send a string.", code="not_text"
            )
        if len(payload) > MAX_CHARACTERS:
            raise TooLarge(
                f"The text has {len(payload)} characters; at most {MAX_CHARACTERS} are "
                "taken. Send it in parts."
            )
        try:
            payload.encode()
        except UnicodeEncodeError:
            raise UnprocessableInput(
                "The text has half of a surrogate pair; send whole characters.",
                code="not_text",
            ) from None
        return np.full(self._shape, payload, dtype=object)

    def describe(self, scores: Arrays, top: int) -> list[Prediction]:
        """The `top` labels."""
        return ranked(scores, self._labels, self._output, top, self._probability_by)

    def length(self, scores: Arrays, top: int) -> int:
        """Those of the `top` labels."""
        return min(top, size(scores))
