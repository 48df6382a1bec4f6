"""JSON in and out, so that no body keeps the hub for long.

Parsing holds the interpreter from beginning to end, in whatever thread. What made it
slow was the garbage collector, which looked at every new list again and again: 8 MiB of
empty lists stopped the hub for 2.6 s. So it pauses meanwhile, and what there is to make
is counted first.
"""

import gc
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import orjson

from .errors import Malformed, TooLarge

# Ten pictures of 224x224 pixels in nested lists, a list for each pixel; and sixteen
# where it comes to their numbers.
MAX_CONTAINERS = 510_000
MAX_VALUES = 2_500_000

_BOM = b"\xef\xbb\xbf"


def loads(body: bytes) -> Any:
    """`body` as JSON. Raises Malformed, TooLarge.

    Brackets, colons and commas inside strings count too: base64 has none, and no text
    so many. Of a key that stands there twice the last value counts.
    """
    containers = body.count(b"[") + body.count(b"{") + body.count(b":")
    if containers > MAX_CONTAINERS or body.count(b",") > MAX_VALUES:
        raise TooLarge(
            f"The JSON has more than {MAX_CONTAINERS} lists and keys, or more than "
            f"{MAX_VALUES} values; send fewer instances at once, or files in a form.",
            code="too_many_values",
        )
    body = body.removeprefix(_BOM)
    try:
        with _no_collection():
            return _parsed(body)
    except (ValueError, RecursionError) as error:
        raise Malformed(f"The body is not JSON: {error}.") from None


def dumps(body: Any) -> bytes:
    """`body` as JSON; raises TypeError for what has no place in it."""
    return orjson.dumps(body)


def _parsed(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        # Half of a surrogate pair spoils its own instance only: the standard library
        # reads it, and whoever takes the text refuses it.
        if "surrogate in string" in str(error):
            return json.loads(body)
        raise


@contextmanager
def _no_collection() -> Iterator[None]:
    """No other thread runs meanwhile: the parser never lets go of the interpreter."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
