"""A URL as we read it, once: nothing later looks at its text again.

Programs differ in how they read strange URLs, and a check that reads one differently
from the connection is no check. What is not plain is therefore refused, not mended.
"""

import re
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from urllib.parse import quote, urljoin

from .refusal import Refused

MAX_LENGTH = 8192
PORTS = {"http": 80, "https": 443}

# No user-info: it only serves to make one host look like another.
_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>[^/?#:@\[\]]+|\[[^]]*\])(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<path>[/?][^#]*)?(?:#.*)?",
    re.IGNORECASE,
)
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
# Of such a last label the URL standard makes an IPv4 address, in octal and hex too.
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True)
class Target:
    """Where to ask for what; `host` is a name or an address, without brackets."""

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
        """Whether TLS is wanted."""
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
        raise Refused("a redirect to no URL") from None
    if target.secure and not following.secure:
        raise Refused("a redirect from https to http")
    return following


def hostname(text: str) -> str:
    """A name or a canonical address. Raises Refused.

    Names are ASCII (IDN as xn--…): full-width digits and dots are other spellings of
    an address, and there are several readings of them.
    """
    if text.startswith("["):
        try:
            return str(IPv6Address(text[1:-1] if "%" not in text else ""))
        except AddressValueError:
            raise Refused("no IPv6 address without a zone") from None
    name = text.lower().removesuffix(".")
    labels = name.split(".")
    if len(name) > 253 or not all(map(_LABEL.fullmatch, labels)):
        raise Refused("no host name in ASCII")
    if _NUMBER.fullmatch(labels[-1]):
        return _ipv4(name)
    return name


def _ipv4(text: str) -> str:
    """Four decimal numbers and nothing else."""
    try:
        return str(IPv4Address(text))
    except AddressValueError:
        raise Refused("an IPv4 address in another spelling") from None


def _path(text: str) -> str:
    """The path and query in ASCII, as browsers send them."""
    try:
        return quote(text if text[0] == "/" else f"/{text}", "!#$%&'()*+,/:;=?@[]~")
    except UnicodeEncodeError:
        raise Refused("half of a surrogate pair") from None
