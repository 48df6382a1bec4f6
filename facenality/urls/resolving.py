"""A host's addresses: every one of them allowed, or none is used.

The system's own resolver blocks, for as long as it likes, so it runs in threads that
nothing else waits for: a name server that hangs delays other fetches at most.
"""

import socket
from collections.abc import Callable, Set

from ..threads import Threads
from .addresses import Kind, is_address, kind
from .refusal import Refused
from .target import Target

RESOLVER_THREADS = 8

Resolve = Callable[[str, int], list[str]]


def system_resolver() -> Resolve:
    """getaddrinfo, in threads of its own. Raises OSError."""
    threads = Threads(RESOLVER_THREADS)

    def resolve(host: str, port: int) -> list[str]:
        found = threads.run(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
        return [str(sockaddr[0]) for *_, sockaddr in found]

    return resolve


def addresses(target: Target, kinds: Set[Kind], resolve: Resolve) -> list[str]:
    """Each address of `target` once, in the resolver's order. Raises Refused, OSError.

    One that is not allowed among others that are refuses them all: nobody honest
    publishes such a name, and whoever rebinds one may try again.
    """
    host = target.host
    found = [host] if is_address(host) else resolve(host, target.port)
    refused = {kind(address) for address in found} - kinds
    if refused or not found:
        raise Refused(f"its addresses are {[one.value for one in refused] or 'none'}")
    return list(dict.fromkeys(found))
