"""A connection to one of the checked addresses, and to nothing else."""

import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from ipaddress import ip_address
from typing import Any

from gevent import socket
from gevent.ssl import SSLContext

from .refusal import Refused
from .target import Target

# Of a host with several addresses the first may be dead; the whole has its deadline.
CONNECT_SECONDS = 3.0
MAX_ADDRESSES = 4

Socket = Any  # gevent's sockets carry no types
Dial = Callable[[str, int], Socket]


def trusting_the_system() -> SSLContext:
    """TLS as a client, by the certificates of the system (or SSL_CERT_FILE)."""
    context = SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_default_certs()
    return context


def dial(address: str, port: int) -> Socket:
    """A TCP connection to the numeric `address`. Raises OSError."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.settimeout(CONNECT_SECONDS)
        sock.connect((address, port))
        sock.settimeout(None)
    except BaseException:  # also where the greenlet is killed meanwhile
        sock.close()
        raise
    return sock


@contextmanager
def connected(
    target: Target, addresses: Sequence[str], tls: SSLContext, dial: Dial
) -> Iterator[Socket]:
    """A connection to `target` at one of `addresses`. Raises Refused, OSError."""
    with _first(addresses[:MAX_ADDRESSES], target.port, dial) as sock:
        _assert_peer(sock, addresses)
        if not target.secure:
            yield sock
            return
        # The name that was asked for, not the address: it is what the certificate says.
        with tls.wrap_socket(
            sock, server_hostname=target.host, do_handshake_on_connect=False
        ) as secured:
            secured.do_handshake()
            yield secured


def _first(addresses: Sequence[str], port: int, dial: Dial) -> Socket:
    """The first that answers. Raises the last one's OSError."""
    for address in addresses[:-1]:
        try:
            return dial(address, port)
        except OSError:
            continue
    return dial(addresses[-1], port)


def _assert_peer(sock: Socket, addresses: Sequence[str]) -> None:
    """Send nothing elsewhere, whatever led us there: the kernel's rules, a bug."""
    peer = ip_address(sock.getpeername()[0])
    if peer not in map(ip_address, addresses):
        raise Refused("the connection leads to another address")
