"""The setting `fetch_urls`: off, public, or the hosts that may be asked."""

import re
from dataclasses import dataclass

from .addresses import Kind, is_address, kind
from .refusal import Refused
from .target import PORTS, Target, hostname

# The only names by which this machine itself may be reached.
LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")
# Words that somebody may mean by a switch; as a host each would be a mistake.
_NO_HOSTS = ("off", "public", "on", "true", "yes", "all", "any", "none")
_ENTRY = re.compile(r"(?P<host>[^\[\]:]+|\[[^]]+\])(?::(?P<port>[0-9]{1,5}))?")

Entry = tuple[str, int | None]  # a host; its only port, or None for 80 and 443


@dataclass(frozen=True)
class Policy:
    """Which targets may be asked; `entries` is None for any public host."""

    on: bool
    entries: frozenset[Entry] | None

    def kinds(self, target: Target) -> frozenset[Kind]:
        """Kinds of address that `target` may have; none where it is not allowed."""
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
    """The policy that `setting` names. Raises ValueError: what is allowed, and why."""
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
            "it should be off, public, or hosts by commas, each HOST or HOST:PORT"
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
        raise Refused("no host")
    port = int(found["port"]) if found["port"] else None
    if port is not None and not 0 < port < 65536:
        raise Refused("no port")
    return hostname(found["host"]), port


def _may_be_named(address: str) -> bool:
    return address in LOOPBACK_NAMES or kind(address) in (Kind.PUBLIC, Kind.PRIVATE)
