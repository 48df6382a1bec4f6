"""How large a reply to several instances may become.

The hub writes JSON, and does nothing else meanwhile: half a million numbers take it a
good part of a second. One instance alone is always answered: its size is the model's.
"""

from collections.abc import Sequence

from ..arrays import Array
from ..errors import TooLarge

MAX_NUMBERS = 500_000
MAX_BYTES = 64 * 1024 * 1024


def check(parts: Sequence[Array], *, binary: bool) -> None:
    """Raise TooLarge where the answers to several instances are beyond the limits."""
    size = sum(part.nbytes if binary else part.size for part in parts)
    if len(parts) > 1 and size > (MAX_BYTES if binary else MAX_NUMBERS):
        better = "" if binary else ", or ask /v2 for binary data"
        raise TooLarge(
            f"The answer to {len(parts)} instances would be {size} "
            f"{'bytes' if binary else 'numbers'}; send fewer of them{better}.",
            code="reply_too_large",
        )
