"""JSON in and out, so that no body keeps the hub for long.

Parsing holds the interpreter from beginning to end, in whatever thread, so a text of
many values is parsed in pieces, and what there is to make is counted first. The garbage
collector would look at every new list again and again (8 MiB of empty lists stopped the
hub for 2.6 s): it pauses meanwhile.

JSON bodies: what has many values is parsed in a decoder thread, not by the hub.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import orjson

from ..errors import Malformed, TooLarge
from ..scheduling.decode_pool import DecodeQueueKey, Decoders
from . import json_chunked
from .request import Request

# Ten pictures of 224x224 pixels in nested lists, a list for each pixel; and sixteen
# where it comes to their numbers.
MAX_CONTAINERS = 510_000
MAX_VALUES = 2_500_000
FEW = 8192  # lists and values

_BOM = b"\xef\xbb\xbf"

Aside = Callable[[Callable[[bytes], Any], bytes], Any]


def _here(function: Callable[[bytes], Any], body: bytes) -> Any:
    """Where a thread has nothing else to do."""
    return function(body)


def _light(body: bytes) -> bool:
    """Whether `body` has so few values that the hub may parse it itself."""
    values = 0
    for start in range(0, len(body), json_chunked.PIECE_BYTES):
        end = start + json_chunked.PIECE_BYTES
        values += sum(body.count(letter, start, end) for letter in (b",", b"[", b"{"))
        if values > FEW:
            return False
    return True


def loads(body: bytes, aside: Aside = _here) -> Any:
    """`body` as JSON; of a key that stands there twice the last value counts.

    What takes long is called by `aside`; then long lists of numbers are arrays. Raises
    Malformed, TooLarge, and what `aside` raises.
    """
    body = body.removeprefix(_BOM)
    try:
        if not _light(body):
            return aside(_in_pieces, body)
        with json_chunked.paused():
            return _parsed(body)
    except (ValueError, RecursionError) as error:
        raise Malformed(f"The body is not JSON: {error}.") from None


def dumps(body: Any) -> bytes:
    """`body` as JSON; raises TypeError for what has no place in it."""
    return orjson.dumps(body)


def _in_pieces(body: bytes) -> Any:
    marks = json_chunked.Marks(body)
    containers = marks.containers + marks.keys
    if containers > MAX_CONTAINERS or marks.commas > MAX_VALUES:
        raise TooLarge(
            f"The JSON has more than {MAX_CONTAINERS} lists and keys, or more than "
            f"{MAX_VALUES} values; send fewer instances at once, or files in a form.",
            code="too_many_values",
        )
    return json_chunked.loads(body, marks, _parsed)


def _parsed(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        # Half of a surrogate pair spoils its own instance only: the standard library
        # reads it, and whoever takes the text refuses it.
        if "surrogate in string" in str(error):
            return json.loads(body)
        raise


@dataclass(frozen=True, eq=False)
class JsonBodies:
    """Reads JSON of at most `max_bytes`; a line of its own where no model is known."""

    decoders: Decoders
    max_bytes: int
    has_full_batch = False

    def read(self, request: Request, line: DecodeQueueKey | None = None) -> Any:
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

    def parse(self, body: bytes, line: DecodeQueueKey | None = None) -> Any:
        """`body` as JSON. Raises Malformed, TooLarge."""
        return loads(body, partial(self.decoders.run, line or self))
