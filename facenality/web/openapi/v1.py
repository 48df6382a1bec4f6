"""TensorFlow Serving's REST and KServe's V1, under /v1."""

from .errors import ANY
from .pieces import (
    SERVER_TIMING,
    Json,
    body,
    content,
    operation,
    parameter,
    ref,
    success,
)
from .schemas import STRING

TAG = "TensorFlow Serving"
NAME = parameter("path", "name", STRING, "a name of /models")
NUMBERED = parameter("path", "version", STRING, "a version of that model")
ENCODED = parameter(
    "header",
    "Content-Encoding",
    {"enum": ["identity", "gzip", "deflate"]},
    "how the body is packed",
)
ABOUT = (*ANY, "404")
ASKED = (*(error for error in ANY if error != "400"), "400_protocol", "404", "415")

# By verb: what it is for, what is sent, an example of it, and what comes back.
_VERBS = {
    "predict": ("Ask a model for its scores", "V1Predict", "V1Predicted"),
    "classify": ("Ask for every label, best first", "V1Examples", "V1Classified"),
    "regress": ("Ask for one number an example", "V1Examples", "V1Regressed"),
}

_SHOWN = {
    "predict": {"value": {"instances": [[1.0, 2.0, 3.0, 4.0]]}},
    "classify": {"value": {"examples": [{"input": [1.0, 2.0, 3.0, 4.0]}]}},
    "regress": {"value": {"examples": [{"input": [1.0]}]}},
}


def _about(of: str, where: str, path: tuple[Json, ...]) -> Json:
    name = "v1_status" if of == "V1Status" else "v1_metadata"
    summary = "Whether a model serves" if of == "V1Status" else "What a model takes"
    reply = success(f"{summary}.", content(ref(of)))
    return operation(name + where, TAG, summary, {"200": reply}, ABOUT, parameters=path)


def _ask(verb: str, where: str, path: tuple[Json, ...]) -> Json:
    summary, sent, heard = _VERBS[verb]
    return operation(
        f"v1_{verb}{where}",
        TAG,
        summary,
        {"200": success("The answers.", content(ref(heard)), SERVER_TIMING)},
        (*ASKED, "502", "504"),
        description="One instance that cannot be used fails the request with 400.",
        parameters=(*path, ENCODED),
        request=body(
            content(ref(sent), examples={"numbers": _SHOWN[verb]}), "JSON, as it comes."
        ),
    )


def _model(base: str, where: str, path: tuple[Json, ...]) -> Json:
    asked = {f"{base}:{verb}": {"post": _ask(verb, where, path)} for verb in _VERBS}
    return asked | {
        base: {"get": _about("V1Status", where, path)},
        f"{base}/metadata": {"get": _about("V1Metadata", where, path)},
    }


def paths() -> Json:
    """Of the newest version, and of one by its number."""
    names = success("The names of all models.", content(ref("V1Models")))
    listing = operation("v1_models", TAG, "List the models", {"200": names}, ANY)
    base = "/v1/models/{name}"
    return {
        "/v1/models": {"get": listing},
        **_model(base, "", (NAME,)),
        **_model(f"{base}/versions/{{version}}", "_version", (NAME, NUMBERED)),
    }
