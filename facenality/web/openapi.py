"""GET /openapi.json: the OpenAPI document of this server.

The file `openapi.json` describes a server with API keys and text tokens. Parts that do
not apply to this server are removed; its version and its address are filled in.
"""

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, request

from .. import __version__
from .json_body import dumps
from .routes.pages import File, keep, send

FILE = Path(__file__).with_name("openapi.json")
TEXT_ROUTE = "/api/v1/{token}/predict"

Json = dict[str, Any]


def routes(*, keyed: bool, texts: bool) -> Blueprint:
    """The route; the document is read from the disk once."""
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


def document(*, keyed: bool, texts: bool) -> Json:
    """The document; `keyed`: it requires API keys, `texts`: it has the text route."""
    whole: Json = json.loads(FILE.read_bytes())
    whole["info"]["version"] = __version__
    if not texts:
        del whole["paths"][TEXT_ROUTE]
    if not keyed:
        _remove_keys(whole)
    return whole


def _remove_keys(whole: Json) -> None:
    """Remove all that concerns API keys, from the operations and the components."""
    del whole["components"]["securitySchemes"]
    del whole["components"]["responses"]["401"]
    del whole["components"]["headers"]["WWW-Authenticate"]
    for methods in whole["paths"].values():
        for operation in methods.values():
            if operation.pop("security", None):
                del operation["responses"]["401"]
