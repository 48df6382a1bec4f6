"""Fetches one URL: deadline, redirects, limit of concurrent fetches, refusals.

The system's resolver blocks for an unlimited time, so it runs in threads of its own: a
name server that hangs can only delay other fetches.
"""

import logging
import math
import socket
import time
from collections.abc import Callable, Iterator, Set
from contextlib import contextmanager
from http.client import HTTPException

import gevent
from gevent.ssl import SSLContext

from ...errors import Overloaded, UnprocessableInput, URLFetchFailed
from ...scheduling.thread_pool import ThreadPool
from .addresses import Kind, is_address, kind
from .http_client import Dial, Redirect, ask, connected, dial, trusting_the_system
from .policy import Policy, Refused, Target, follow, parse

RESOLVER_THREADS = 8

Resolve = Callable[[str, int], list[str]]


def system_resolver() -> Resolve:
    """A resolver that calls getaddrinfo in its own threads; it raises OSError."""
    threads = ThreadPool(RESOLVER_THREADS)

    def resolve(host: str, port: int) -> list[str]:
        found = threads.run(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
        return [str(sockaddr[0]) for *_, sockaddr in found]

    return resolve


def addresses(target: Target, kinds: Set[Kind], resolve: Resolve) -> list[str]:
    """Each address of `target` once, in the resolver's order. Raises Refused, OSError.

    If one address is not allowed, none is used: an honest name has no such address, and
    it protects against DNS rebinding.
    """
    host = target.host
    found = [host] if is_address(host) else resolve(host, target.port)
    refused = {kind(address) for address in found} - kinds
    if refused or not found:
        raise Refused(f"its addresses are {[one.value for one in refused] or 'none'}")
    return list(dict.fromkeys(found))


log = logging.getLogger(__name__)

MAX_FETCHES = 16  # at once; with 15 MiB each, 240 MiB
MAX_REDIRECTS = 3
SECONDS = 10.0  # for everything, from resolving the name to the last byte

# Refusals are sent at whole seconds, so that their timing does not reveal whether a
# name exists in our network, or how soon its address was refused.
GRAIN_SECONDS = 1.0


class Fetcher:
    """Fetches images as `policy` allows; call it from greenlets of one hub.

    It reaches the network only by `resolve` and `dial`.
    """

    def __init__(
        self,
        policy: Policy,
        *,
        most: int,
        seconds: float = SECONDS,
        grain: float = GRAIN_SECONDS,
        resolve: Resolve | None = None,
        dial: Dial = dial,
        tls: SSLContext | None = None,
    ) -> None:
        self._policy = policy
        self._most = most
        self._seconds = seconds
        self._grain = grain
        self._dial = dial
        self._inside = 0
        if policy.on:
            self._resolve = resolve or system_resolver()
            self._tls = tls or trusting_the_system()

    def fetch(self, url: str) -> bytes:
        """The content of `url`, which may or may not be an image.

        Raises UnprocessableInput if fetching is off; Overloaded; URLFetchFailed, whose
        sentence is the same for every reason.
        """
        if not self._policy.on:
            raise UnprocessableInput(
                "Fetching images by URL is off; send the image itself."
            )
        started = time.monotonic()
        late = Refused(f"it took more than {self._seconds:g} s")
        try:
            with self._place(), gevent.Timeout(self._seconds, late):
                return self._follow(url)
        except (Refused, OSError, HTTPException, ValueError) as error:
            # The URL is not logged: it may contain a secret, or forge a log line.
            log.info("a URL was not fetched: %s", _reason(error))
        self._wait_for_the_grain(started)
        raise URLFetchFailed(
            "The image could not be fetched; send an http or https URL that this "
            f"server may access, of an image of at most {self._most / 2**20:.0f} MiB "
            f"that arrives within {self._seconds:g} s, or send the image itself."
        )

    @contextmanager
    def _place(self) -> Iterator[None]:
        if self._inside >= MAX_FETCHES:
            raise Overloaded("Too many images are being fetched; try again in 1 s.")
        self._inside += 1
        try:
            yield
        finally:
            self._inside -= 1

    def _follow(self, url: str) -> bytes:
        target = parse(url)
        for _ in range(1 + MAX_REDIRECTS):
            answer = self._ask(target)
            if isinstance(answer, bytes):
                return answer
            target = follow(target, answer.location)
        raise Refused(f"more than {MAX_REDIRECTS} redirects")

    def _ask(self, target: Target) -> bytes | Redirect:
        """Check scheme, host, port, addresses and peer again for every redirect."""
        kinds = self._policy.kinds(target)
        if not kinds:
            raise Refused("its host or port is not allowed")
        found = addresses(target, kinds, self._resolve)
        with connected(target, found, self._tls, self._dial) as sock:
            return ask(sock, target, self._most)

    def _wait_for_the_grain(self, started: float) -> None:
        spent = time.monotonic() - started
        until = math.ceil(spent / self._grain) * self._grain
        gevent.sleep(max(0.0, min(until, self._seconds) - spent))


def _reason(error: Exception) -> str:
    """The reason in one line; text from a server is escaped."""
    return str(error) if isinstance(error, Refused) else ascii(error)[:200]
