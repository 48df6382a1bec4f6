"""Parses a multipart/form-data body in memory: each part is one slice of it.

Source: RFC 7578, and RFC 2046 section 5.1 for the boundaries. Werkzeug's parser reads
streams of any length in pieces; for a photograph of 200 KB that costs the hub twice as
much.
"""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from werkzeug.http import parse_options_header

from ..errors import Malformed, TooLarge

MAX_PARTS = 1000
MAX_HEAD_BYTES = 8 * 1024  # headers of one part; browsers send about a hundred bytes
MAX_HEADS_BYTES = 128 * 1024  # headers of all parts, which the hub has to parse
MAX_MARKS = 10 * MAX_PARTS  # lines that begin like a boundary

_BLANK_LINE = b"\r\n\r\n"
_AFTER_BOUNDARY = re.compile(rb"(--)|[ \t]*\r\n")
# What browsers and curl send; werkzeug parses anything else.
_USUAL = re.compile(r'form-data; (name)="([^"\\%]*)"(?:; (filename)="([^"\\%]*)")?')
_FOLD = re.compile(r"\r\n[ \t]+")

Gap = tuple[int, int]  # end of the part before a boundary, start of the part after it


class Form(NamedTuple):
    """Name and content of each part, in order; the last text of a name counts."""

    files: list[tuple[str, bytes]]
    texts: dict[str, str]


def parse(body: bytes, boundary: str) -> Form:
    """The parts with a file name, and those without. Raises Malformed, TooLarge."""
    if not boundary or not boundary.isascii():
        raise Malformed(
            "The form's Content-Type has no boundary; let the HTTP client set the "
            "header."
        )
    form, heads = Form([], {}), 0
    for (_, start), (end, _) in pairwise(_gaps(body, b"--" + boundary.encode())):
        # In a part without content the empty line may overlap the next boundary.
        blank = body.find(_BLANK_LINE, start, end + 2)
        if blank < 0:
            continue
        heads += blank - start
        if blank - start > MAX_HEAD_BYTES or heads > MAX_HEADS_BYTES:
            raise TooLarge(
                f"The headers of a form's part may have {MAX_HEAD_BYTES} bytes, and "
                f"those of all parts {MAX_HEADS_BYTES}."
            )
        fields = _disposition(body[start:blank])
        if "name" not in fields:
            continue
        content = body[blank + len(_BLANK_LINE) : end]
        if "filename" in fields:
            form.files.append((fields["name"], content))
        else:
            form.texts[fields["name"]] = content.decode(errors="replace")
    return form


def _gaps(body: bytes, mark: bytes) -> Iterator[Gap]:
    """Each line that is the boundary `mark`, up to the one that ends the form."""
    line, none, before = b"\r\n" + mark, -1, -2  # as if a line break came before it
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
            raise TooLarge(f"A form may have at most {MAX_PARTS} parts.")
        at = body.find(line, begin)
    if count and not last:
        raise Malformed("The form is truncated: its last boundary is missing.")


def _disposition(head: bytes) -> dict[str, str]:
    """The Content-Disposition fields of a part: `name`, and `filename` of a file."""
    for line in _FOLD.sub(" ", head.decode(errors="replace")).split("\r\n"):
        name, _, value = line.partition(":")
        if name.strip().lower() == "content-disposition":
            if usual := _USUAL.fullmatch(value.strip()):
                name, text, filename, of_file = usual.groups()
                return {name: text} | ({filename: of_file} if filename else {})
            return parse_options_header(value)[1]
    return {}
