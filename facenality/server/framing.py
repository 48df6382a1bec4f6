"""Where a request ends and whether another may follow: RFC 9112, sections 3.2, 6 and 9.

Each field that decides this must be there once and say one thing.
"""

import re
from typing import NamedTuple

from ..errors import Malformed, NotSpoken
from .target import is_authority

_LENGTH = re.compile(rb"[0-9]{1,18}")
_SINGLE = {
    b"host",
    b"content-type",
    b"content-length",
    b"transfer-encoding",
    b"connection",
    b"expect",
}


class Framing(NamedTuple):
    """`length` is None for a chunked body; `keep`: another request may follow."""

    length: int | None
    keep: bool
    expects_100: bool


def read_framing(fields: list[tuple[bytes, bytes]], version: str) -> Framing:
    """The framing that `fields` declare. Raises Malformed, NotSpoken."""
    said = _deciding(fields)
    _check_host(said.get(b"host"), version)
    options = _options(said.get(b"connection", b""))
    if version == "HTTP/1.0":
        keep = b"keep-alive" in options and b"close" not in options
    else:
        keep = b"close" not in options
    return Framing(_length(said, version), keep, _expects_100(said, version))


def _deciding(fields: list[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """The fields that decide, each of them once."""
    said: dict[bytes, bytes] = {}
    for name, value in fields:
        if name not in _SINGLE:
            continue
        if name not in said:
            said[name] = value
        elif name == b"connection":
            said[name] += b"," + value
        elif name != b"content-length" or said[name] != value:
            raise Malformed(f"The field {name.decode()} is there more than once.")
    return said


def _check_host(host: bytes | None, version: str) -> None:
    if host is None and version == "HTTP/1.1":
        raise Malformed("The field host is missing.")
    if host and not is_authority(host):
        raise Malformed("The field host is no host.")


def _options(value: bytes) -> set[bytes]:
    return {option.strip(b" \t") for option in value.lower().split(b",")}


def _length(said: dict[bytes, bytes], version: str) -> int | None:
    coding = said.get(b"transfer-encoding")
    length = said.get(b"content-length")
    if coding is None:
        if length is None:
            return 0
        if not _LENGTH.fullmatch(length):
            raise Malformed("The field content-length is no whole number.")
        return int(length)
    if length is not None or version == "HTTP/1.0":
        raise Malformed("The field transfer-encoding may not stand here.")
    if coding.lower() != b"chunked":
        raise NotSpoken("The only transfer coding that is read is 'chunked'.", 501)
    return None


def _expects_100(said: dict[bytes, bytes], version: str) -> bool:
    expectation = said.get(b"expect")
    if expectation is None or version == "HTTP/1.0":
        return False
    if expectation.lower() != b"100-continue":
        raise NotSpoken("The only expectation that is met is '100-continue'.", 417)
    return True
