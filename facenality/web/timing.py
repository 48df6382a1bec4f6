"""Where the time of a request's predictions went, for its headers and its log line."""

from collections.abc import Iterable
from typing import NamedTuple

from ..predictor import Answer


class Times(NamedTuple):
    """Seconds, and the size of the batch."""

    decode: float
    queue: float
    predict: float
    batch: int


def times(answer: Answer) -> Times:
    """Of one answer."""
    row = answer.row
    return Times(
        answer.decode_seconds, row.queue_seconds, row.predict_seconds, row.batch_size
    )


def slowest(several: Iterable[Times]) -> Times:
    """The slowest of each part, and the largest batch."""
    return Times(*map(max, zip(*several, strict=True)))
