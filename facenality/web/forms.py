"""The files of a multipart/form-data body that is in memory: each is one slice of it.

RFC 7578, and RFC 2046 section 5.1 for what lies between the parts. Werkzeug's parser
works through streams of any length in pieces; for a photograph of 200 KB that costs the
hub twice as much as this.
"""

import re
from collections.abc import Iterator
from itertools import pairwise

from werkzeug.http import parse_options_header

from ..errors import Malformed, TooLarge

MAX_PARTS = 1000

_BLANK_LINE = b"\r\n\r\n"
_AFTER_BOUNDARY = re.compile(rb"(--)|[ \t]*\r\n")
_FOLD = re.compile(r"\r\n[ \t]+")

Gap = tuple[int, int]  # where the part before it ends, where the part after it begins


def files(body: bytes, boundary: str) -> list[tuple[str, bytes]]:
    """The field and the content of each part that has a file name, in their order.

    A body without any part has none. Raises Malformed, TooLarge.
    """
    if not boundary or not boundary.isascii():
        raise Malformed(
            "The form's content type has no boundary; let the client set it."
        )
    found = []
    for (_, start), (end, _) in pairwise(_gaps(body, b"--" + boundary.encode())):
        # In a part without content the empty line may be the next boundary's own.
        blank = body.find(_BLANK_LINE, start, end + 2)
        field = _file_field(body[start:blank]) if blank >= 0 else None
        if field is not None:
            found.append((field, body[blank + len(_BLANK_LINE) : end]))
    return found


def _gaps(body: bytes, mark: bytes) -> Iterator[Gap]:
    """Where `mark` stands on a line of its own, to the one that ends the form."""
    at, count, last = body.find(mark), 0, False
    while at >= 0 and not last:
        after = _AFTER_BOUNDARY.match(body, at + len(mark))
        if after and (at == 0 or body[at - 2 : at] == b"\r\n"):
            count += 1
            if count > MAX_PARTS + 1:
                raise TooLarge(f"A form may have {MAX_PARTS} parts at most.")
            yield at - 2, after.end()
            last = bool(after[1])
        at = body.find(mark, at + len(mark))
    if count and not last:
        raise Malformed("The form is cut short: its last boundary is missing.")


def _file_field(head: bytes) -> str | None:
    """The name of the field, where the part's head gives a file name too."""
    for line in _FOLD.sub(" ", head.decode(errors="replace")).split("\r\n"):
        name, _, value = line.partition(":")
        if name.strip().lower() == "content-disposition":
            options = parse_options_header(value)[1]
            return options.get("name") if "filename" in options else None
    return None
