"""The Open Inference Protocol, under /v2."""

from .errors import ANY
from .pieces import (
    SERVER_TIMING,
    Json,
    body,
    content,
    example,
    operation,
    parameter,
    ref,
    success,
)
from .v1 import ABOUT, ASKED, ENCODED, NAME, NUMBERED

TAG = "Open Inference Protocol"
LENGTH = "Inference-Header-Content-Length"
_JSON_LENGTH = parameter(
    "header",
    LENGTH,
    {"type": "integer", "minimum": 1},
    "bytes of JSON before the binary data; else all of the body is JSON",
)
_BINARY: Json = {
    "application/octet-stream": {
        "schema": {
            "type": "string",
            "format": "binary",
            "description": "JSON, then the binary data of the tensors",
        }
    }
}
_SHOWN = {
    "inputs": [
        {
            "name": "input",
            "datatype": "FP32",
            "shape": [1, 4],
            "data": [1.0, 2.0, 3.0, 4.0],
        }
    ]
}

# Of the server, by path: the operation, what it is for, and what comes back.
_SERVER = {
    "/v2": ("v2_server", "What the server is", "V2Server"),
    "/v2/": ("v2_server_slash", "What the server is", "V2Server"),
    "/v2/health/live": ("v2_live", "Whether the server lives", "V2Live"),
    "/v2/health/ready": ("v2_ready", "Whether the server is ready", "V2Ready"),
}
# Of a model, by the end of the path.
_MODEL = {
    "": ("v2_model", "What a model takes and gives", "V2Model"),
    "/ready": ("v2_model_ready", "Whether a model is ready", "V2Ready"),
    "/config": ("v2_model_config", "A model as Triton's configuration", "V2Config"),
}


def _infer(where: str, path: tuple[Json, ...]) -> Json:
    answers = content(ref("V2Inferred")) | _BINARY
    length = {LENGTH: {"$ref": "#/components/headers/JsonLength"}}
    return operation(
        f"v2_infer{where}",
        TAG,
        "Ask a model",
        {"200": success("The outputs.", answers, SERVER_TIMING | length)},
        (*ASKED, "502", "504"),
        description="An image model takes BYTES as well, an encoded image an instance. "
        "One instance that cannot be used fails the request with 400.",
        parameters=(*path, _JSON_LENGTH, ENCODED),
        request=body(
            content(ref("V2Infer"), examples=example(_SHOWN)) | _BINARY,
            "JSON, with the binary data behind it that it speaks of.",
        ),
    )


def _model(base: str, where: str, path: tuple[Json, ...]) -> Json:
    told = {
        base + end: {"get": _tell(name + where, summary, shape, path)}
        for end, (name, summary, shape) in _MODEL.items()
    }
    return told | {f"{base}/infer": {"post": _infer(where, path)}}


def _tell(name: str, summary: str, shape: str, path: tuple[Json, ...] = ()) -> Json:
    reply = success(f"{summary}.", content(ref(shape)))
    errors = ABOUT if path else ANY
    return operation(name, TAG, summary, {"200": reply}, errors, parameters=path)


def paths() -> Json:
    """Of the server, of each model, and of one version."""
    base = "/v2/models/{name}"
    return {
        **{path: {"get": _tell(*about)} for path, about in _SERVER.items()},
        "/v2/repository/index": {
            "post": _tell("v2_index", "List the models", "V2Index")
        },
        **_model(base, "", (NAME,)),
        **_model(f"{base}/versions/{{version}}", "_version", (NAME, NUMBERED)),
    }
