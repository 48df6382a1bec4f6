"""The words that an OpenAPI document is written in, so that routes read as a table.

Source: OpenAPI 3.1.1, https://spec.openapis.org/oas/v3.1.1.html
"""

from collections.abc import Iterable, Sequence
from typing import Any

Json = dict[str, Any]

REQUEST_ID = {"$ref": "#/components/headers/X-Request-ID"}
SERVER_TIMING = {"Server-Timing": {"$ref": "#/components/headers/Server-Timing"}}


def ref(name: str) -> Json:
    """The schema of that name."""
    return {"$ref": f"#/components/schemas/{name}"}


def record(required: Json, optional: Json | None = None) -> Json:
    """An object; what else it may have is ignored."""
    properties = required | (optional or {})
    return {"type": "object", "required": list(required), "properties": properties}


def listed(items: Json, **limits: Any) -> Json:
    """A list of `items`."""
    return {"type": "array", "items": items} | limits


def parameter(
    where: str, name: str, schema: Json, description: str, **more: Any
) -> Json:
    """One of a path, a query or the headers; those of a path are required."""
    about = {"name": name, "in": where, "description": description, "schema": schema}
    return about | ({"required": True} if where == "path" else {}) | more


def body(content: Json, description: str) -> Json:
    """A request's body, by content type."""
    return {"required": True, "description": description, "content": content}


def example(value: Any) -> Json:
    """The one example of a content type."""
    return {"example": {"value": value}}


def content(
    schema: Json, kind: str = "application/json", examples: Json | None = None
) -> Json:
    """A body of one content type."""
    media: Json = {"schema": schema}
    return {kind: media | ({"examples": examples} if examples else {})}


def success(
    description: str, content: Json, headers: Json | None = None, **more: Any
) -> Json:
    """A reply; all have X-Request-ID."""
    named = {"X-Request-ID": REQUEST_ID} | (headers or {})
    return {"description": description, "headers": named, "content": content} | more


def operation(
    name: str,
    tag: str,
    summary: str,
    replies: Json,
    errors: Iterable[str],
    *,
    description: str = "",
    parameters: Sequence[Json] = (),
    request: Json | None = None,
) -> Json:
    """What one method does on one path; `errors` are names of component responses."""
    refused = {
        error[:3]: {"$ref": f"#/components/responses/{error}"}
        for error in sorted(errors)
    }
    about: Json = {"operationId": name, "tags": [tag], "summary": summary}
    about |= {"description": description} if description else {}
    about |= {"parameters": [*parameters, {"$ref": "#/components/parameters/id"}]}
    about |= {"requestBody": request} if request else {}
    return about | {"responses": replies | refused}
