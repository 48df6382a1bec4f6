"""Applies X-Forwarded-For, -Proto, -Host and -Prefix if a trusted proxy sent them.

From anybody else they are ignored. Of a list the last entry is used: it is the one that
the proxy itself added.
"""

from collections.abc import Iterable, Sequence
from ipaddress import IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING

from werkzeug.middleware.proxy_fix import ProxyFix

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


UNIX = "unix"  # peers on a Unix socket, which have no address


class TrustedProxies:
    """Wraps an application; `trusted` are addresses, networks, and `unix`."""

    def __init__(self, application: "WSGIApplication", trusted: Sequence[str]) -> None:
        self._direct = application
        self._behind = ProxyFix(application, x_for=1, x_proto=1, x_host=1, x_prefix=1)
        self._unix = UNIX in trusted
        self._networks = [ip_network(one) for one in trusted if one != UNIX]

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Handle one WSGI request."""
        trusted = self._trusts(environ.get("REMOTE_ADDR", ""))
        application = self._behind if trusted else self._direct
        return application(environ, start_response)

    def _trusts(self, peer: str) -> bool:
        if not peer:
            return self._unix
        address = ip_address(peer.partition("%")[0])  # fe80::1%eth0 names an interface
        if isinstance(address, IPv6Address) and address.ipv4_mapped:
            address = address.ipv4_mapped  # ::ffff:10.0.0.1, on a socket for both
        return any(address in network for network in self._networks)
