"""For operators and browsers: probes, models, metrics, pages."""

from .errors import ANY
from .pieces import (
    REQUEST_ID,
    Json,
    content,
    listed,
    operation,
    parameter,
    record,
    ref,
    success,
)
from .predicting import VERSION
from .schemas import STRING, TRUE
from .v1 import NAME

TAG = "Operators"
PAGES = "Pages"
_TEXT: Json = {"type": "string"}
_UNCHANGED: Json = {
    "304": {
        "description": "The browser has it: If-None-Match names its ETag.",
        "headers": {"X-Request-ID": REQUEST_ID},
    }
}

SCHEMAS: Json = {
    "Ready": record(
        {
            "ready": TRUE,
            "stage": STRING,
            "percent": {"type": "integer", "minimum": 0, "maximum": 100},
            "failed": listed(ref("Failed")),
        }
    ),
}


def _get(name: str, tag: str, summary: str, content: Json) -> Json:
    reply = {"200": success(f"{summary}.", content)}
    return {"get": operation(name, tag, summary, reply, ANY)}


def _file(name: str, summary: str, content: Json, *path: Json) -> Json:
    """What browsers keep."""
    replies = {"200": success(f"{summary}.", content)} | _UNCHANGED
    errors = (*ANY, "404") if path else ANY
    return {"get": operation(name, PAGES, summary, replies, errors, parameters=path)}


def _example() -> Json:
    images: Json = {"image/*": {"schema": {"type": "string", "format": "binary"}}}
    files = images | content(_TEXT, "text/plain") | content({})
    return {
        "get": operation(
            "example",
            TAG,
            "An example that comes with a model",
            {"200": success("The file, as a client could send it.", files)},
            (*ANY, "404"),
            description="`/models` lists their names.",
            parameters=(
                NAME,
                parameter("path", "file", STRING, "a name among the `examples`"),
                VERSION,
            ),
        )
    }


def paths() -> Json:
    """All of them are free of keys."""
    ready = content(ref("Ready"))
    text = content(_TEXT, "text/plain") | content(_TEXT, "application/openmetrics-text")
    html = content(_TEXT, "text/html")
    return {
        "/livez": _get(
            "livez", TAG, "Whether the server lives", content(ref("V2Live"))
        ),
        "/readyz": _get("readyz", TAG, "Whether the server is ready", ready),
        "/healthz": _get("healthz", TAG, "Whether the server is ready", ready),
        "/models": _get(
            "list_models",
            TAG,
            "What is served, and what is not",
            content(ref("Models")),
        ),
        "/models/{name}/examples/{file}": _example(),
        "/metrics": _get("metrics", TAG, "Measurements for Prometheus", text),
        "/": _file("page", "The page", html),
        "/docs": _file("docs", "This interface, to read and to try", html),
        "/openapi.json": _file("openapi", "This document", content({"type": "object"})),
        "/static/{name}": _file(
            "static",
            "A file of the pages",
            content(_TEXT, "*/*"),
            parameter("path", "name", STRING, "the file"),
        ),
    }
