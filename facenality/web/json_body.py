"""JSON in and out, so that no body blocks the hub for long.

A parser holds the interpreter from start to end, in whatever thread. So a text with
many values is parsed in pieces in a decoder thread, after its values have been counted.
The garbage collector pauses meanwhile, because it would scan every new list again and
again: 8 MiB of empty lists stopped the hub for 2.6 s.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import orjson

from ..errors import Malformed, TooLarge
from ..scheduling.decode_pool import DecodePool, DecodeQueueKey
from . import json_chunked
from .request import Request

# Enough lists for ten pictures of 224x224 pixels with one list for each pixel, and
# enough values for sixteen.
MAX_CONTAINERS = 510_000
MAX_VALUES = 2_500_000
FEW = 8192  # lists and values that the hub may parse itself

_BOM = b"\xef\xbb\xbf"

RunInThread = Callable[[Callable[[bytes], Any], bytes], Any]


def _here(function: Callable[[bytes], Any], body: bytes) -> Any:
    """Call `function` in the current thread."""
    return function(body)


def _light(body: bytes) -> bool:
    """True if `body` has so few values that the hub may parse it itself."""
    values = 0
    for start in range(0, len(body), json_chunked.PIECE_BYTES):
        end = start + json_chunked.PIECE_BYTES
        values += sum(body.count(letter, start, end) for letter in (b",", b"[", b"{"))
        if values > FEW:
            return False
    return True


def loads(body: bytes, run_in_thread: RunInThread = _here) -> Any:
    """Parse `body` as JSON; the last value of a repeated key counts.

    A body with many values is parsed by `run_in_thread`, and its long lists of numbers
    become arrays. Raises Malformed, TooLarge, and what `run_in_thread` raises.
    """
    body = body.removeprefix(_BOM)
    try:
        if not _light(body):
            return run_in_thread(_in_pieces, body)
        with json_chunked.paused():
            return _parsed(body)
    except (ValueError, RecursionError) as error:
        raise Malformed(f"The body is not JSON: {error}.") from None


def dumps(body: Any) -> bytes:
    """`body` as JSON; raises TypeError for values that JSON does not have."""
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
        # Half of a surrogate pair must fail only its own instance: the standard library
        # reads it, and the task refuses the text.
        if "surrogate in string" in str(error):
            return json.loads(body)
        raise


@dataclass(frozen=True, eq=False)
class JsonBodies:
    """Reads JSON of at most `max_bytes`; is the decode queue's key without a model."""

    decoders: DecodePool
    max_bytes: int
    has_full_batch = False

    def read(self, request: Request, key: DecodeQueueKey | None = None) -> Any:
        """The body as JSON, parsed in the decode queue of `key` if it is long.

        Raises Malformed, TooLarge.
        """
        too_large = TooLarge(
            f"JSON may have at most {self.max_bytes / 2**20:.0f} MiB; send files in a "
            "form."
        )
        if (request.content_length or 0) > self.max_bytes:
            raise too_large
        body = request.body()
        if len(body) > self.max_bytes:
            raise too_large
        return self.parse(body, key)

    def parse(self, body: bytes, key: DecodeQueueKey | None = None) -> Any:
        """`body` as JSON. Raises Malformed, TooLarge."""
        return loads(body, partial(self.decoders.run, key or self))
