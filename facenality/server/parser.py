"""The bytes of a request's head, read as RFC 9112 has them and in no other way.

Two readers of one connection that disagree about where a request ends are how requests
are smuggled. What the grammar does not allow is refused, never mended.

What a request line asks for, in the forms of RFC 9112, section 3.2.

Where a request ends and whether another may follow: RFC 9112, sections 3.2, 6 and 9.

Each field that decides this must be there once and say one thing.
"""

import re
from dataclasses import dataclass
from typing import NamedTuple

from ..errors import HeadTooLarge, Malformed, UnsupportedHTTP

# Browsers send a few characters that RFC 3986 would have encoded: [ ] { } | ^ and such.
_ORIGIN = re.compile(rb"(/[!$-;=@-~]*)(?:\?([!$-;=?-~]*))?")
_ABSOLUTE = re.compile(rb"https?://([^/?@]+)([/?].*)?", re.IGNORECASE)
_BROKEN_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_AUTHORITY = re.compile(
    rb"(?:[A-Za-z0-9._~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+(?::[0-9]{0,5})?"
    rb"|\[[0-9A-Fa-f:.]+\](?::[0-9]{0,5})?"
)


class Target(NamedTuple):
    """`host` is that of the absolute form, which goes before the Host field."""

    path: bytes
    query: bytes
    host: bytes | None = None


def read_target(method: bytes, target: bytes) -> Target:
    """The parts of `target`. Raises Malformed, UnsupportedHTTP."""
    if method == b"CONNECT":
        raise UnsupportedHTTP("This server is no proxy; it takes no CONNECT.", 501)
    if target == b"*":
        if method != b"OPTIONS":
            raise Malformed("Only OPTIONS may ask for '*'.")
        return Target(b"*", b"")
    if target[:1] != b"/":
        return _absolute(target)
    return _origin(target)


def _absolute(target: bytes) -> Target:
    match = _ABSOLUTE.fullmatch(target)
    if not match or not is_authority(match[1]):
        raise Malformed("The request target is neither a path nor an http address.")
    rest = match[2] or b"/"
    return _origin(rest if rest[:1] == b"/" else b"/" + rest)._replace(host=match[1])


def _origin(target: bytes) -> Target:
    match = _ORIGIN.fullmatch(target)
    if not match or _BROKEN_ESCAPE.search(match[1]):
        raise Malformed("The request target has characters that must be encoded.")
    return Target(match[1], match[2] or b"")


def is_authority(host: bytes) -> bool:
    """Whether `host` is a name or an address, with or without a port."""
    return _AUTHORITY.fullmatch(host) is not None


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
    """The framing that `fields` declare. Raises Malformed, UnsupportedHTTP."""
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
        raise UnsupportedHTTP(
            "The only transfer coding that is read is 'chunked'.", 501
        )
    return None


def _expects_100(said: dict[bytes, bytes], version: str) -> bool:
    expectation = said.get(b"expect")
    if expectation is None or version == "HTTP/1.0":
        return False
    if expectation.lower() != b"100-continue":
        raise UnsupportedHTTP(
            "The only expectation that is met is '100-continue'.", 417
        )
    return True


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

    Raises Malformed, HeadTooLarge, UnsupportedHTTP.
    """
    line, *lines = raw.split(b"\r\n")
    match = _REQUEST_LINE.fullmatch(line)
    if not match:
        raise Malformed("The request line is not METHOD SP target SP HTTP/1.1.")
    method, target = match[1], match[2]
    if match[3] != b"1" or match[4] > b"1":
        raise UnsupportedHTTP("This server speaks HTTP/1.1 and HTTP/1.0.", 505)
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
