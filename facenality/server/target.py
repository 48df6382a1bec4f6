"""What a request line asks for, in the forms of RFC 9112, section 3.2."""

import re
from typing import NamedTuple

from ..errors import Malformed, NotSpoken

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
    """The parts of `target`. Raises Malformed, NotSpoken."""
    if method == b"CONNECT":
        raise NotSpoken("This server is no proxy; it takes no CONNECT.", 501)
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
