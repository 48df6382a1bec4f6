"""Access control: tokens and API keys, and same-origin checks.

Keys and tokens come from the settings and from a file that SIGHUP reloads. They are
checked before the body is read.

The same-origin check accepts requests from this server's own page and from programs,
not from another site's JavaScript. Source: Go's http.CrossOriginProtection. A browser
sends Sec-Fetch-Site or Origin; a client that sends neither is not a browser.
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

WEAK = 16  # minimum length in characters; 16 random hexadecimal digits are 64 bits


class Tokens:
    """A set of tokens; they are compared as bytes, in constant time."""

    def __init__(self, given: tuple[str, ...], file: Path | None) -> None:
        self._given = given
        self._file = file
        self._tokens: tuple[bytes, ...] = ()
        self.configured = bool(given or file)
        self.read()

    def read(self) -> None:
        """Read the file, which has one token per line; at the start and on SIGHUP.

        Raises InvalidSetting; the old tokens then stay in force.
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
        """True if `token` is valid. Always compares all, so the time tells nothing."""
        given = _bytes(token)
        # A list, not a generator: any() would stop at the first match.
        return any([hmac.compare_digest(given, t) for t in self._tokens])  # noqa: C419


class Keys(Tokens):
    """API keys; warns in the log about missing and weak ones."""

    def read(self) -> None:
        """Read the keys, as `Tokens.read` does. Raises InvalidSetting."""
        super().read()
        if self.configured and not self._tokens:
            log.warning("there is no API key: every prediction will be refused")
        weak = sum(len(key) < WEAK for key in self._tokens)
        if weak:
            log.warning(
                "%d of %d API keys are shorter than %d characters and may be guessed; "
                "`openssl rand -hex 32` generates a good one",
                weak,
                len(self._tokens),
                WEAK,
            )


def _bytes(token: str) -> bytes:
    """UTF-8; invalid bytes arrive here as surrogates and stay distinct."""
    return token.encode("utf-8", "surrogatepass")


# These methods describe models or are preflights; they do no work and need no key.
FREE = frozenset({"GET", "HEAD", "OPTIONS"})


def protect(blueprint: Blueprint, keys: Tokens) -> Blueprint:
    """Require one of `keys` for the work that routes of `blueprint` do.

    If no keys are configured, everybody is let in.
    """
    if keys.configured:
        blueprint.before_request(lambda: _refusal(keys))
    return blueprint


def _refusal(keys: Tokens) -> Response | None:
    if request.method in FREE:
        return None
    sent = list(_sent_keys())
    # A list, not a generator, so that valid and invalid keys take the same time.
    if any([keys.allow(key) for key in sent]):  # noqa: C419
        return None
    reason = "This API key is not valid" if sent else "The API key is missing"
    response = error_reply(
        Unauthorized(f"{reason}; send Authorization: Bearer KEY, or X-API-Key: KEY.")
    )
    response.headers["WWW-Authenticate"] = "Bearer"
    return response


def _sent_keys() -> Iterator[str]:
    """The keys in the headers; repeated headers are joined and match no key."""
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        yield _as_utf8(key.strip())
    if "X-API-Key" in request.headers:
        yield _as_utf8(request.headers["X-API-Key"].strip())


def _as_utf8(header: str) -> str:
    """Decode a header as UTF-8, like keys in files and settings; WSGI uses Latin-1."""
    return header.encode("latin-1").decode("utf-8", "surrogateescape")


def require_same_origin() -> None:
    """Raises UnprocessableInput for a request from a page of another origin."""
    site = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get("Origin")
    if site is not None:
        same = site in ("same-origin", "none")
    else:
        same = origin is None or urlsplit(origin).netloc == request.host
    if not same:
        raise UnprocessableInput(
            "Pages of other origins may not use this route; use this server's own page "
            "or a program.",
            code="cross_origin",
        )
