"""Parses URLs, and the setting `fetch_urls`, which says what may be fetched.

A URL is parsed once, and nothing reads its text again: programs read unusual URLs
differently, and a check that reads one differently from the connection is useless. So
unusual URLs are refused, not repaired.
"""

import re
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from urllib.parse import quote, urljoin

from .addresses import Kind, is_address, kind


class Refused(Exception):
    """Why a URL is not fetched: for the log only, without anything the client wrote."""


MAX_LENGTH = 8192
PORTS = {"http": 80, "https": 443}

# User-info is not allowed: it only makes one host look like another.
_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>[^/?#:@\[\]]+|\[[^]]*\])(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<path>[/?][^#]*)?(?:#.*)?",
    re.IGNORECASE,
)
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
# A host whose last label is such a number is an IPv4 address by the URL standard.
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True)
class Target:
    """The parts of a URL; `host` is a name or an address, without brackets."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """The Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def secure(self) -> bool:
        """True if the scheme is https."""
        return self.scheme == "https"


def parse(url: str) -> Target:
    """The target of `url`. Raises Refused."""
    found = _URL.fullmatch(url) if len(url) <= MAX_LENGTH else None
    if not found or _CONTROL.search(url):
        raise Refused("not a plain http or https URL")
    scheme = found["scheme"].lower()
    port = int(found["port"]) if found["port"] else PORTS[scheme]
    return Target(scheme, hostname(found["host"]), port, _path(found["path"] or "/"))


def follow(target: Target, location: str) -> Target:
    """Where a redirect of `target` leads; never from https to http. Raises Refused."""
    base = f"{target.scheme}://{target.authority}{target.path}"
    try:
        following = parse(urljoin(base, location))
    except ValueError:
        raise Refused("a redirect to an invalid URL") from None
    if target.secure and not following.secure:
        raise Refused("a redirect from https to http")
    return following


def hostname(text: str) -> str:
    """A name or a canonical address. Raises Refused.

    Names must be ASCII (IDN as xn--…): programs disagree about full-width digits and
    dots, which can spell an address.
    """
    if text.startswith("["):
        try:
            return str(IPv6Address(text[1:-1] if "%" not in text else ""))
        except AddressValueError:
            raise Refused("not an IPv6 address, or one with a zone") from None
    name = text.lower().removesuffix(".")
    labels = name.split(".")
    if len(name) > 253 or not all(map(_LABEL.fullmatch, labels)):
        raise Refused("not an ASCII host name")
    if _NUMBER.fullmatch(labels[-1]):
        return _ipv4(name)
    return name


def _ipv4(text: str) -> str:
    """An address of four decimal numbers. Raises Refused for other spellings."""
    try:
        return str(IPv4Address(text))
    except AddressValueError:
        raise Refused("an IPv4 address in another spelling") from None


def _path(text: str) -> str:
    """The path and query in ASCII, encoded as browsers do."""
    try:
        return quote(text if text[0] == "/" else f"/{text}", "!#$%&'()*+,/:;=?@[]~")
    except UnicodeEncodeError:
        raise Refused("half of a surrogate pair") from None


# The only names by which the operator can allow this machine itself.
LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")
# Words that somebody may use as a switch; as a host name each would be a mistake.
_NO_HOSTS = ("off", "public", "on", "true", "yes", "all", "any", "none")
_ENTRY = re.compile(r"(?P<host>[^\[\]:]+|\[[^]]+\])(?::(?P<port>[0-9]{1,5}))?")

Entry = tuple[str, int | None]  # a host; its only port, or None for 80 and 443


@dataclass(frozen=True)
class Policy:
    """Which targets may be fetched; `entries` is None for any public host."""

    on: bool
    entries: frozenset[Entry] | None

    def kinds(self, target: Target) -> frozenset[Kind]:
        """Kinds of address that `target` may have; empty if it is not allowed."""
        usual = target.port in PORTS.values()
        if self.entries is None:
            return frozenset({Kind.PUBLIC} if usual else ())
        named = (target.host, target.port) in self.entries
        if not named and not (usual and (target.host, None) in self.entries):
            return frozenset()
        if target.host in LOOPBACK_NAMES:
            return frozenset({Kind.LOOPBACK})
        return frozenset({Kind.PUBLIC, Kind.PRIVATE})


def read(setting: str) -> Policy:
    """Parse `setting`. Raises ValueError, whose message says what is allowed."""
    words = [word.strip() for word in setting.split(",")]
    if words == ["off"]:
        return Policy(on=False, entries=frozenset())
    if words == ["public"]:
        return Policy(on=True, entries=None)
    return Policy(on=True, entries=frozenset(map(_entry, words)))


def _entry(word: str) -> Entry:
    try:
        host, port = _parts(word)
    except Refused:
        raise ValueError(
            "it should be off, public, or comma-separated HOST or HOST:PORT entries"
        ) from None
    if is_address(host) and not _may_be_named(host):
        raise ValueError(
            f"nothing is ever fetched from {host}; of this machine itself only "
            "localhost, 127.0.0.1 and ::1 can be named"
        )
    return host, port


def _parts(word: str) -> Entry:
    bare = word.count(":") > 1 and not word.startswith("[")  # ::1, without a port
    found = _ENTRY.fullmatch(f"[{word}]" if bare else word)
    if not found or word.lower() in _NO_HOSTS:
        raise Refused("not a host")
    port = int(found["port"]) if found["port"] else None
    if port is not None and not 0 < port < 65536:
        raise Refused("not a port")
    return hostname(found["host"]), port


def _may_be_named(address: str) -> bool:
    return address in LOOPBACK_NAMES or kind(address) in (Kind.PUBLIC, Kind.PRIVATE)
