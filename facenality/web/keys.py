"""API keys: whoever asks for work shows one, before the body is read."""

from collections.abc import Iterator

from flask import Blueprint, Response, request

from ..errors import Unauthorized
from ..tokens import Tokens
from .replies import error_reply

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
