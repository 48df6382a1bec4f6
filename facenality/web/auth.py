"""Secrets that let clients in, from the settings and from a file that may change.

API keys: whoever asks for work shows one, before the body is read.

Only the page of this very server, or a program: no other site's JavaScript.

Source: the algorithm of Go's http.CrossOriginProtection. A browser says in
Sec-Fetch-Site where a request comes from, or else in Origin; what sends neither is no
browser.
"""

import hmac
import logging
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from flask import Blueprint, Response, request

from ..errors import InvalidSetting, Unauthorized, UnprocessableInput
from .responses import error_reply

log = logging.getLogger(__name__)

WEAK = 16  # characters; 16 random hexadecimal digits are 64 bits


class Tokens:
    """Compared as bytes, in constant time."""

    def __init__(self, given: tuple[str, ...], file: Path | None) -> None:
        self._given = given
        self._file = file
        self._tokens: tuple[bytes, ...] = ()
        self.configured = bool(given or file)
        self.read()

    def read(self) -> None:
        """Read the file, one token a line; for the start and for SIGHUP.

        Raises WrongSetting; what was read before stays in force.
        """
        lines: list[str] = []
        if self._file:
            try:
                lines = self._file.read_text(encoding="utf-8").splitlines()
            except (OSError, UnicodeDecodeError) as error:
                raise InvalidSetting(f"{self._file} cannot be read: {error}") from None
        words = (line.strip() for line in (*self._given, *lines))
        self._tokens = tuple(
            _bytes(word) for word in words if word and not word.startswith("#")
        )

    def allow(self, token: str) -> bool:
        """Whether `token` is one of ours; all are compared, whichever it is."""
        given = _bytes(token)
        # A list, not a generator: any() would stop at the first that fits.
        return any([hmac.compare_digest(given, t) for t in self._tokens])  # noqa: C419


class Keys(Tokens):
    """API keys. The log tells what is wrong with them, since nobody else sees them."""

    def read(self) -> None:
        """As tokens are read. Raises WrongSetting."""
        super().read()
        if self.configured and not self._tokens:
            log.warning("there is no API key: every prediction is refused")
        weak = sum(len(key) < WEAK for key in self._tokens)
        if weak:
            log.warning(
                "%d of %d API keys are shorter than %d characters and may be guessed; "
                "openssl rand -hex 32 makes a good one",
                weak,
                len(self._tokens),
                WEAK,
            )


def _bytes(token: str) -> bytes:
    """UTF-8; bytes that are none came here as surrogates, and stay different ones."""
    return token.encode("utf-8", "surrogatepass")


# They tell about models, or ask before a request of another origin; no work is done.
FREE = frozenset({"GET", "HEAD", "OPTIONS"})


def protect(blueprint: Blueprint, keys: Tokens) -> Blueprint:
    """Let the routes of `blueprint` do work only for who has one of `keys`.

    No keys configured: open to all.
    """
    if keys.configured:
        blueprint.before_request(lambda: _refusal(keys))
    return blueprint


def _refusal(keys: Tokens) -> Response | None:
    if request.method in FREE:
        return None
    shown = list(_shown())
    # A list, not a generator: whether there is one right key takes the same time.
    if any([keys.allow(key) for key in shown]):  # noqa: C419
        return None
    wrong = "This key is not one of the server's" if shown else "A key is missing"
    response = error_reply(
        Unauthorized(f"{wrong}; send Authorization: Bearer KEY, or X-API-Key: KEY.")
    )
    response.headers["WWW-Authenticate"] = "Bearer"
    return response


def _shown() -> Iterator[str]:
    """The keys in the headers; a header that came twice is joined and fits none."""
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        yield _as_utf8(key.strip())
    if "X-API-Key" in request.headers:
        yield _as_utf8(request.headers["X-API-Key"].strip())


def _as_utf8(header: str) -> str:
    """WSGI reads headers as Latin-1; keys in files and settings are UTF-8."""
    return header.encode("latin-1").decode("utf-8", "surrogateescape")


def require() -> None:
    """Raises NotUsable for a request that a page of another origin made."""
    site = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get("Origin")
    if site is not None:
        ours = site in ("same-origin", "none")
    else:
        ours = origin is None or urlsplit(origin).netloc == request.host
    if not ours:
        raise UnprocessableInput(
            "This route answers only to this server's own page; open that page, or "
            "send the request from a program.",
            code="cross_origin",
        )
