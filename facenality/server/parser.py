"""Parses a request's head strictly by RFC 9112.

Request smuggling needs two parsers that disagree about where a request ends. So input
that the grammar does not allow is refused, never repaired.

The request target follows section 3.2; the framing, which says where the request ends
and whether another may follow, sections 3.2, 6 and 9. Each header field that decides
the framing must occur once and be unambiguous.
"""

import re
from dataclasses import dataclass
from typing import NamedTuple

from ..errors import HeadTooLarge, Malformed, UnsupportedHTTP

# Browsers send some characters that RFC 3986 wants encoded, such as [ ] { } | ^.
_ORIGIN = re.compile(rb"(/[!$-;=@-~]*)(?:\?([!$-;=?-~]*))?")
_ABSOLUTE = re.compile(rb"https?://([^/?@]+)([/?].*)?", re.IGNORECASE)
_BROKEN_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_AUTHORITY = re.compile(
    rb"(?:[A-Za-z0-9._~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+(?::[0-9]{0,5})?"
    rb"|\[[0-9A-Fa-f:.]+\](?::[0-9]{0,5})?"
)


class Target(NamedTuple):
    """`host` is set in the absolute form, where it takes precedence over Host."""

    path: bytes
    query: bytes
    host: bytes | None = None


def read_target(method: bytes, target: bytes) -> Target:
    """The parts of `target`. Raises Malformed, UnsupportedHTTP."""
    if method == b"CONNECT":
        raise UnsupportedHTTP("CONNECT is not supported; this is not a proxy.", 501)
    if target == b"*":
        if method != b"OPTIONS":
            raise Malformed("The request target '*' is only allowed with OPTIONS.")
        return Target(b"*", b"")
    if target[:1] != b"/":
        return _absolute(target)
    return _origin(target)


def _absolute(target: bytes) -> Target:
    match = _ABSOLUTE.fullmatch(target)
    if not match or not is_authority(match[1]):
        raise Malformed("The request target is neither a path nor an http URL.")
    rest = match[2] or b"/"
    return _origin(rest if rest[:1] == b"/" else b"/" + rest)._replace(host=match[1])


def _origin(target: bytes) -> Target:
    match = _ORIGIN.fullmatch(target)
    if not match or _BROKEN_ESCAPE.search(match[1]):
        raise Malformed(
            "The request target has characters that must be percent-encoded."
        )
    return Target(match[1], match[2] or b"")


def is_authority(host: bytes) -> bool:
    """True if `host` is a name or an address, with or without a port."""
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
    """`length` is None for a chunked body; `keep`: keep the connection open."""

    length: int | None
    keep: bool
    expects_100: bool


def read_framing(fields: list[tuple[bytes, bytes]], version: str) -> Framing:
    """The framing that `fields` declare. Raises Malformed, UnsupportedHTTP."""
    framing = _framing_fields(fields)
    _check_host(framing.get(b"host"), version)
    options = _options(framing.get(b"connection", b""))
    if version == "HTTP/1.0":
        keep = b"keep-alive" in options and b"close" not in options
    else:
        keep = b"close" not in options
    return Framing(_length(framing, version), keep, _expects_100(framing, version))


def _framing_fields(fields: list[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """The fields of _SINGLE. Raises Malformed if one of them is repeated."""
    found: dict[bytes, bytes] = {}
    for name, value in fields:
        if name not in _SINGLE:
            continue
        if name not in found:
            found[name] = value
        elif name == b"connection":
            found[name] += b"," + value
        elif name != b"content-length" or found[name] != value:
            raise Malformed(f"The header {name.decode()} occurs more than once.")
    return found


def _check_host(host: bytes | None, version: str) -> None:
    if host is None and version == "HTTP/1.1":
        raise Malformed("The Host header is missing.")
    if host and not is_authority(host):
        raise Malformed("The Host header is not a host name or an address.")


def _options(value: bytes) -> set[bytes]:
    return {option.strip(b" \t") for option in value.lower().split(b",")}


def _length(framing: dict[bytes, bytes], version: str) -> int | None:
    coding = framing.get(b"transfer-encoding")
    length = framing.get(b"content-length")
    if coding is None:
        if length is None:
            return 0
        if not _LENGTH.fullmatch(length):
            raise Malformed("Content-Length is not a whole number.")
        return int(length)
    if length is not None or version == "HTTP/1.0":
        raise Malformed(
            "Transfer-Encoding is not allowed with Content-Length or in HTTP/1.0."
        )
    if coding.lower() != b"chunked":
        raise UnsupportedHTTP("The only supported transfer coding is 'chunked'.", 501)
    return None


def _expects_100(framing: dict[bytes, bytes], version: str) -> bool:
    expectation = framing.get(b"expect")
    if expectation is None or version == "HTTP/1.0":
        return False
    if expectation.lower() != b"100-continue":
        raise UnsupportedHTTP("The only supported expectation is '100-continue'.", 417)
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
    """A request line and its header fields."""

    method: str
    target: Target
    version: str
    fields: Fields
    framing: Framing


def read_head(raw: bytes) -> Head:
    """Parse the head in `raw`, which excludes the empty line at its end.

    Raises Malformed, HeadTooLarge, UnsupportedHTTP.
    """
    line, *lines = raw.split(b"\r\n")
    match = _REQUEST_LINE.fullmatch(line)
    if not match:
        raise Malformed("The request line does not read METHOD target HTTP/1.1.")
    method, target = match[1], match[2]
    if match[3] != b"1" or match[4] > b"1":
        raise UnsupportedHTTP("Only HTTP/1.1 and HTTP/1.0 are supported.", 505)
    if len(target) > MAX_TARGET_BYTES:
        raise HeadTooLarge("The request target is longer than 8 KiB.", status=414)
    if len(lines) > MAX_FIELDS:
        raise HeadTooLarge(f"The request has more than {MAX_FIELDS} header fields.")
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
    """The name, in lower case, and value of a header field. Raises Malformed."""
    match = FIELD.fullmatch(line)
    if not match:
        raise Malformed("A header field does not read NAME: VALUE on one line.")
    return match[1].lower(), match[2].strip(b" \t")
