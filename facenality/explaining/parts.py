"""What an explanation needs of a kind of input."""

from collections.abc import Iterator
from typing import Any, Protocol

from ..arrays import Arrays


class Parts(Protocol):
    """One input, decoded, and the same with each of its parts hidden."""

    @property
    def whole(self) -> Arrays:
        """The instance with nothing hidden."""

    def hidden(self, most: int) -> Iterator[Arrays]:
        """An instance for each of about `most` parts: the whole without it."""

    def describe(self, weights: list[float]) -> dict[str, Any]:
        """What the reply says of those parts, given the weight of each."""
