"""GET /openapi.json: every route, in words that machines read.

The document is made of small pieces, one file a family of routes; a test compares it
with the routes that there are, and another sends what it allows to a live server.
"""

from functools import lru_cache

from flask import Blueprint, Response, request

from ...json_text import dumps
from ..pages import File, keep, send
from .document import document

__all__ = ["document", "routes"]


def routes(*, keyed: bool, texts: bool) -> Blueprint:
    """The route of the document, which is made once."""
    blueprint = Blueprint("openapi", __name__)
    whole = document(keyed=keyed, texts=texts)

    @lru_cache(maxsize=4)  # a proxy has one prefix, or a few
    def under(prefix: str) -> File:
        servers = [{"url": prefix or "/"}]
        return keep(dumps(whole | {"servers": servers}), "application/json")

    @blueprint.get("/openapi.json")
    def openapi() -> Response:
        return send(under(request.script_root))

    return blueprint
