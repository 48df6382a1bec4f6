"""How large a reply to several instances may become.

The hub writes JSON, and does nothing else meanwhile: half a million numbers take it a
good part of a second. One instance alone is always answered: its size is the model's.
"""

from collections.abc import Sequence

from ..arrays import Array
from ..errors import TooLarge

MAX_NUMBERS = 500_000
MAX_CLASSES = 50_000  # of a class each: it takes ten times as long to write one
MAX_BYTES = 64 * 1024 * 1024


def check(parts: Sequence[Array], *, binary: bool) -> None:
    """Raise TooLarge where the answers to several instances are beyond the limits."""
    if binary:
        _check(len(parts), sum(part.nbytes for part in parts), MAX_BYTES, "bytes")
    else:
        check_numbers(len(parts), sum(part.size for part in parts))


def check_numbers(instances: int, numbers: int) -> None:
    """Raise TooLarge where several `instances` have too many `numbers` in all."""
    better = ", or ask /v2 for binary data"
    _check(instances, numbers, MAX_NUMBERS, "numbers", better)


def check_classes(parts: Sequence[Array], most: int) -> None:
    """Raise TooLarge where of several rows the `most` best classes are too many."""
    strings = sum(min(part.size, most) for part in parts)
    _check(len(parts), strings, MAX_CLASSES, "classes", " or classes")


def _check(instances: int, size: int, most: int, unit: str, better: str = "") -> None:
    if instances > 1 and size > most:
        raise TooLarge(
            f"The answer to {instances} instances would be {size} {unit}, more than "
            f"{most}; send fewer of them{better}.",
            code="reply_too_large",
        )
