"""The parts of a multipart/form-data body that is in memory: each is one slice of it.

RFC 7578, and RFC 2046 section 5.1 for what lies between the parts. Werkzeug's parser
works through streams of any length in pieces; for a photograph of 200 KB that costs the
hub twice as much as this.
"""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from werkzeug.http import parse_options_header

from ..errors import Malformed, TooLarge

MAX_PARTS = 1000
MAX_HEAD_BYTES = 8 * 1024  # of a part; browsers send some hundred
MAX_HEADS_BYTES = 128 * 1024  # of all parts: the hub reads them
MAX_MARKS = 10 * MAX_PARTS  # lines that begin as a boundary does

_BLANK_LINE = b"\r\n\r\n"
_AFTER_BOUNDARY = re.compile(rb"(--)|[ \t]*\r\n")
# What browsers and curl send; anything else is the library's to read.
_USUAL = re.compile(r'form-data; (name)="([^"\\%]*)"(?:; (filename)="([^"\\%]*)")?')
_FOLD = re.compile(r"\r\n[ \t]+")

Gap = tuple[int, int]  # where the part before it ends, where the part after it begins


class Form(NamedTuple):
    """Field and content of each part, in their order; of texts the last one counts."""

    files: list[tuple[str, bytes]]
    texts: dict[str, str]


def parse(body: bytes, boundary: str) -> Form:
    """The parts with a file name, and those without. Raises Malformed, TooLarge."""
    if not boundary or not boundary.isascii():
        raise Malformed(
            "The form's content type has no boundary; let the client set it."
        )
    form, heads = Form([], {}), 0
    for (_, start), (end, _) in pairwise(_gaps(body, b"--" + boundary.encode())):
        # In a part without content the empty line may be the next boundary's own.
        blank = body.find(_BLANK_LINE, start, end + 2)
        if blank < 0:
            continue
        heads += blank - start
        if blank - start > MAX_HEAD_BYTES or heads > MAX_HEADS_BYTES:
            raise TooLarge(
                f"The head of a part of a form may have {MAX_HEAD_BYTES} bytes, and "
                f"those of all parts {MAX_HEADS_BYTES}."
            )
        about = _about(body[start:blank])
        if "name" not in about:
            continue
        content = body[blank + len(_BLANK_LINE) : end]
        if "filename" in about:
            form.files.append((about["name"], content))
        else:
            form.texts[about["name"]] = content.decode(errors="replace")
    return form


def _gaps(body: bytes, mark: bytes) -> Iterator[Gap]:
    """Where `mark` stands on a line of its own, to the one that ends the form."""
    line, none, before = b"\r\n" + mark, -1, -2  # as if a line break stood before
    at = before if body.startswith(mark) else body.find(line)
    count, seen, last = 0, 0, False
    while at != none and not last:
        begin = at + len(line)
        if after := _AFTER_BOUNDARY.match(body, begin):
            count += 1
            yield at, after.end()
            last = bool(after[1])
        seen += 1
        if count > MAX_PARTS + 1 or seen > MAX_MARKS:
            raise TooLarge(f"A form may have {MAX_PARTS} parts at most.")
        at = body.find(line, begin)
    if count and not last:
        raise Malformed("The form is cut short: its last boundary is missing.")


def _about(head: bytes) -> dict[str, str]:
    """What the part's head says of it: `name`, and of a file `filename`."""
    for line in _FOLD.sub(" ", head.decode(errors="replace")).split("\r\n"):
        name, _, value = line.partition(":")
        if name.strip().lower() == "content-disposition":
            if usual := _USUAL.fullmatch(value.strip()):
                name, text, filename, of_file = usual.groups()
                return {name: text} | ({filename: of_file} if filename else {})
            return parse_options_header(value)[1]
    return {}
