"""The bytes of a request's head, read as RFC 9112 has them and in no other way.

Two readers of one connection that disagree about where a request ends are how requests
are smuggled. What the grammar does not allow is refused, never mended.
"""

import re
from dataclasses import dataclass

from ..errors import HeadTooLarge, Malformed, NotSpoken
from .framing import Framing, read_framing
from .target import Target, read_target

MAX_HEAD_BYTES = 32 * 1024
MAX_FIELDS = 100
MAX_TARGET_BYTES = 8 * 1024

_TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]"
_REQUEST_LINE = re.compile(
    rb"(" + _TOKEN + rb"{1,32}) ([!-~]+) HTTP/([0-9])\.([0-9])"  # [!-~]: visible
)
FIELD = re.compile(rb"(" + _TOKEN + rb"{1,256}):([\t -~\x80-\xff]*)")
FIRST_BYTE = re.compile(_TOKEN)

Fields = list[tuple[bytes, bytes]]  # names in lower case


@dataclass(frozen=True, slots=True)
class Head:
    """A request without its body."""

    method: str
    target: Target
    version: str
    fields: Fields
    framing: Framing


def read_head(raw: bytes) -> Head:
    """The head in `raw`, which ends before its empty line.

    Raises Malformed, HeadTooLarge, NotSpoken.
    """
    line, *lines = raw.split(b"\r\n")
    match = _REQUEST_LINE.fullmatch(line)
    if not match:
        raise Malformed("The request line is not METHOD SP target SP HTTP/1.1.")
    method, target = match[1], match[2]
    if match[3] != b"1" or match[4] > b"1":
        raise NotSpoken("This server speaks HTTP/1.1 and HTTP/1.0.", 505)
    if len(target) > MAX_TARGET_BYTES:
        raise HeadTooLarge("The request target is longer than 8 KiB.", status=414)
    if len(lines) > MAX_FIELDS:
        raise HeadTooLarge(f"The head has more than {MAX_FIELDS} fields.")
    fields = [read_field(line) for line in lines]
    version = "HTTP/1.1" if match[4] == b"1" else "HTTP/1.0"
    return Head(
        method.decode("ascii"),
        read_target(method, target),
        version,
        fields,
        read_framing(fields, version),
    )


def read_field(line: bytes) -> tuple[bytes, bytes]:
    """Name in lower case and value of one field line. Raises Malformed."""
    match = FIELD.fullmatch(line)
    if not match:
        raise Malformed("A header field is not NAME: VALUE in one line.")
    return match[1].lower(), match[2].strip(b" \t")
