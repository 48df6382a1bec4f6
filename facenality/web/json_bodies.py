"""JSON bodies: what has many values is parsed in a decoder thread, not by the hub."""

from dataclasses import dataclass
from functools import partial
from typing import Any

from ..decoders import Decoders, Line
from ..errors import TooLarge
from ..json_text import loads
from .requests import Request


@dataclass(frozen=True, eq=False)
class JsonBodies:
    """Reads JSON of at most `max_bytes`; a line of its own where no model is known."""

    decoders: Decoders
    max_bytes: int
    fed = False

    def read(self, request: Request, line: Line | None = None) -> Any:
        """The body as JSON, parsed when it is the turn of `line`.

        Raises Malformed, TooLarge.
        """
        too_large = TooLarge(
            f"JSON may have {self.max_bytes / 2**20:.0f} MiB; send files in a form."
        )
        if (request.content_length or 0) > self.max_bytes:
            raise too_large
        body = request.body()
        if len(body) > self.max_bytes:
            raise too_large
        return self.parse(body, line)

    def parse(self, body: bytes, line: Line | None = None) -> Any:
        """`body` as JSON. Raises Malformed, TooLarge."""
        return loads(body, partial(self.decoders.run, line or self))
