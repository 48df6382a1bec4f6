"""Occludes a text: leaves out one word after the other."""

import re
from collections.abc import Iterator
from math import ceil
from typing import Any

from ...arrays import Arrays
from ...tasks import Payload, Task

MOST = 200  # parts; in a longer text, several words in a row are left out together

# A word is what is between blanks: "#yes", ":-)", "don't". In scripts without blanks
# between words (kana, han) each character is a word.
_UNSPACED = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_WORD = re.compile(rf"[{_UNSPACED}]|[^\s{_UNSPACED}]+")

Span = tuple[int, int]


class TextOccluder:
    """See the protocol `Occluder`."""

    def __init__(self, task: Task, payload: Payload) -> None:
        self.whole = task.decode(payload)
        self._task = task
        self._text = str(payload)
        self._spans: list[Span] = []

    def hidden(self, most: int) -> Iterator[Arrays]:
        """The text without one part."""
        self._spans = spans(self._text, max(1, min(most, MOST)))
        for start, end in self._spans:
            yield self._task.decode(self._text[:start] + self._text[end:])

    def describe(self, weights: list[float]) -> dict[str, Any]:
        """Each part with its weight; `start` and `end` count Unicode characters."""
        words = [
            {"text": self._text[start:end], "start": start, "end": end, "weight": one}
            for (start, end), one in zip(self._spans, weights, strict=True)
        ]
        return {"words": words}


def spans(text: str, most: int) -> list[Span]:
    """Start and end of each word, or of `most` runs of words."""
    words = [match.span() for match in _WORD.finditer(text)]
    step = max(1, ceil(len(words) / most))
    runs = (words[i : i + step] for i in range(0, len(words), step))
    return [(run[0][0], run[-1][1]) for run in runs]
