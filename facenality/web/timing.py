"""Where the time of a request's predictions went, for its headers and its log line."""

from collections.abc import Sequence
from typing import NamedTuple

from ..predictor import Scored


class Times(NamedTuple):
    """Seconds, and the size of the batch."""

    decode: float
    queue: float
    predict: float
    batch: int


def times(scored: Scored) -> Times:
    """Of one answer."""
    row = scored.row
    return Times(
        scored.decode_seconds, row.queue_seconds, row.predict_seconds, row.batch_size
    )


def slowest(several: Sequence[Times]) -> Times:
    """The slowest of each part, and the largest batch."""
    if len(several) == 1:
        return several[0]
    return Times(*map(max, zip(*several, strict=True)))
