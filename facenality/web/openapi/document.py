"""The OpenAPI document of this server."""

from typing import Any

from ... import __version__
from . import (
    correcting,
    errors,
    operating,
    predicting,
    schemas,
    v1,
    v1_shapes,
    v2,
    v2_shapes,
)
from .pieces import Json, parameter

_DESCRIPTION = """\
Models behind one address. Errors are JSON with a sentence that names the fix, a `code`,
and the `id` that stands in the server's log. HEAD is answered where GET is, OPTIONS
everywhere; a path answers 405 to any other method, with `Allow`.
"""

_TAGS = {
    "Predictions": "Ask a model, and ask why.",
    "Corrections": "What an answer should have been.",
    v1.TAG: "Clients of TensorFlow Serving's REST and of KServe's V1 work unchanged.",
    v2.TAG: "Clients of KServe's V2 and of Triton work unchanged, also in binary.",
    operating.TAG: "Probes, models and metrics. They need no key.",
    operating.PAGES: "For browsers.",
}

_HEADERS: Json = {
    "X-Request-ID": {
        "description": "the request's own X-Request-ID, or the id of the reply",
        "required": True,
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,64}$"},
    },
    "Server-Timing": {
        "description": "where the time went, in milliseconds",
        "required": True,
        "schema": {"type": "string", "pattern": "decode;dur="},
    },
    "Retry-After": {
        "description": "seconds after which to try again",
        "required": True,
        "schema": {"type": "integer", "minimum": 1},
    },
    "WWW-Authenticate": {
        "description": "how to show a key",
        "required": True,
        "schema": {"const": "Bearer"},
    },
    "Allow": {
        "description": "what the route takes",
        "required": True,
        "schema": {"type": "string"},
    },
    "JsonLength": {
        "description": "bytes of JSON, where binary data follow it",
        "schema": {"type": "integer", "minimum": 1},
    },
}

_SECURITY: Json = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
}


def document(*, keyed: bool, texts: bool) -> Json:
    """`keyed`: the server asks for keys; `texts`: it has the text route."""
    paths = {
        **predicting.paths(texts=texts),
        **correcting.paths(),
        **v1.paths(),
        **v2.paths(),
        **operating.paths(),
    }
    if keyed:
        _ask_for_keys(paths)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Facenality",
            "version": __version__,
            "description": _DESCRIPTION,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "tags": [{"name": n, "description": about} for n, about in _TAGS.items()],
        "paths": paths,
        "components": _components(keyed=keyed),
    }


def _components(*, keyed: bool) -> Json:
    shapes = [
        part.SCHEMAS for part in (schemas, predicting, v1_shapes, v2_shapes, operating)
    ]
    return {
        "schemas": {name: shape for part in shapes for name, shape in part.items()},
        "responses": errors.responses(),
        "headers": _HEADERS,
        "parameters": {"id": _request_id()},
        **({"securitySchemes": _SECURITY} if keyed else {}),
    }


def _request_id() -> Json:
    return parameter(
        "header",
        "X-Request-ID",
        {"type": "string"},
        "a name for the request, of up to 64 of A-Z a-z 0-9 . _ -",
    )


def _ask_for_keys(paths: dict[str, Any]) -> None:
    """What does work wants one; the text route has a token in its path."""
    for path, methods in paths.items():
        for method, about in methods.items():
            if method != "get" and not path.startswith("/api/"):
                about["security"] = [{name: []} for name in _SECURITY]
                about["responses"]["401"] = {"$ref": "#/components/responses/401"}
