"""The Open Inference Protocol V2 (KServe, tritonclient), with binary tensors.

Errors have this server's own format, in which those clients read the string "error".
"""

import re
from typing import Any, cast

from flask import Blueprint, Response, request

from ... import __version__
from ...errors import Draining, Loading, Malformed, TooLarge
from ...pipeline import Predictor
from ...protocols import metadata, v2_request, v2_response
from ...registry.loader import Model
from ...registry.model_version import ModelVersion, State
from ...registry.readiness import check
from ...registry.registry import LoadedModel, Registry
from ...settings import Settings
from .. import request as compressed
from ..access_log import timed
from ..json_body import JsonBodies
from ..request import Request
from ..responses import error_reply, reply
from ..scoring import score, signature_of, version_of

EXTENSIONS = ["binary_tensor_data", "classification", "model_configuration"]
MODEL = "/v2/models/<name>"
VERSION = f"{MODEL}/versions/<version>"
INDEX_STATES = {
    State.WAITING: "LOADING",
    State.LOADING: "LOADING",
    State.READY: "READY",
}  # the others are UNAVAILABLE


def add_metadata(blueprint: Blueprint, registry: Registry) -> None:
    """Add the routes for health and metadata to `blueprint`."""

    @blueprint.get("/v2")
    @blueprint.get("/v2/")
    def v2_server() -> Response:
        about = {"name": "facenality", "version": __version__}
        return reply(about | {"extensions": EXTENSIONS})

    @blueprint.get("/v2/health/live")
    def v2_live() -> Response:
        return reply({"live": True})

    @blueprint.get("/v2/health/ready")
    def v2_ready() -> Response:
        state = check(registry)
        if state.ready:
            return reply({"ready": True})
        kind = Draining if registry.draining else Loading
        return error_reply(kind(state.sentence), ready=False)

    @blueprint.post("/v2/repository/index")
    def v2_index() -> Response:
        return reply([_indexed(one) for one in registry.versions])

    @blueprint.get(MODEL)
    @blueprint.get(VERSION)
    def v2_model(name: str, version: str | None = None) -> Response:
        with registry.use(name, version_of(name, version)) as served:
            return reply(_metadata(served, _versions(registry, name)))

    @blueprint.get(f"{MODEL}/ready")
    @blueprint.get(f"{VERSION}/ready")
    def v2_model_ready(name: str, version: str | None = None) -> Response:
        with registry.use(name, version_of(name, version)):
            if registry.draining:
                raise Draining("The server is shutting down.")
            return reply({"name": name, "ready": True})

    @blueprint.get(f"{MODEL}/config")
    @blueprint.get(f"{VERSION}/config")
    def v2_model_config(name: str, version: str | None = None) -> Response:
        with registry.use(name, version_of(name, version)) as served:
            about = {"name": name, "platform": _platform(served.model)}
            return reply(about | metadata.v2_config(signature_of(served)))


def _metadata(served: LoadedModel, versions: list[str]) -> dict[str, Any]:
    signature = signature_of(served)
    return {
        "name": served.model.found.name,
        "versions": versions,
        "platform": _platform(served.model),
        "inputs": metadata.v2_inputs(signature),
        "outputs": metadata.v2_outputs(signature),
    }


def _versions(registry: Registry, name: str) -> list[str]:
    """The versions that are ready."""
    return [str(one.files.version) for one in registry.ready_versions(name)]


def _platform(model: Model) -> str:
    """<engine>_<format>, as in the protocol; the format of a `model.py` is script."""
    kinds = {".keras": "keras", ".h5": "h5", ".hdf5": "h5", ".py": "script"}
    kind = kinds.get(model.found.file.suffix.lower(), "savedmodel")
    return f"{model.engine.name}_{kind}"


def _indexed(version: ModelVersion) -> dict[str, str]:
    """A version, as in Triton's repository index."""
    return {
        "name": version.files.name,
        "version": str(version.files.version),
        "state": INDEX_STATES.get(version.state, "UNAVAILABLE"),
        "reason": version.reason or "",
    }


HEADER_LENGTH = "Inference-Header-Content-Length"
_LENGTH = re.compile(r"[0-9]{1,10}")


def routes(
    registry: Registry, predictor: Predictor, settings: Settings, json: JsonBodies
) -> Blueprint:
    """Health, metadata and inference."""
    blueprint = Blueprint("open_inference", __name__)
    add_metadata(blueprint, registry)

    @blueprint.post(f"{MODEL}/infer")
    @blueprint.post(f"{VERSION}/infer")
    def v2_infer(name: str, version: str | None = None) -> Response:
        with registry.use(name, version_of(name, version)) as served:
            predictor.admit(served.batcher)
            sent = cast(Request, request)
            body = compressed.body(
                sent, predictor.decoders, served.batcher, settings.max_body_bytes
            )
            text, tail = _split(body, settings.max_json_bytes)
            return _infer(predictor, served, json.parse(text, served.batcher), tail)

    return blueprint


def _split(body: bytes, max_json_bytes: int) -> tuple[bytes, memoryview]:
    """The JSON of an infer request, and the binary data after it."""
    given = request.headers.get(HEADER_LENGTH)
    if given is not None and not _LENGTH.fullmatch(given):
        raise Malformed(f"{HEADER_LENGTH} must be a number of bytes.")
    length = len(body) if given is None else int(given)
    if not 0 < length <= len(body):
        raise Malformed(
            f"{HEADER_LENGTH} is {length}, but the body has {len(body)} bytes; give "
            "the length of the JSON, which comes first."
        )
    if length > max_json_bytes:
        raise TooLarge(
            f"JSON may have at most {max_json_bytes / 2**20:.0f} MiB; send tensors as "
            "binary data."
        )
    return body[:length], memoryview(body)[length:]


def _infer(
    predictor: Predictor, served: LoadedModel, document: Any, tail: memoryview
) -> Response:
    signature = signature_of(served)
    infer = v2_request.read(document, tail, signature)
    scored = score(predictor, served, infer.payloads)
    rows = [one.row.scores for one in scored]
    outputs, binary = v2_response.write(rows, infer.outputs, signature)
    found = served.model.found
    about = {"model_name": found.name, "model_version": str(found.version)}
    about |= {} if infer.id is None else {"id": infer.id}
    return timed(_with_binary(reply(about | {"outputs": outputs}), binary), scored)


def _with_binary(response: Response, binary: bytes) -> Response:
    """Append `binary` to the JSON, and give the JSON's length in a header."""
    if binary:
        head = response.get_data()
        response.headers[HEADER_LENGTH] = str(len(head))
        response.content_type = "application/octet-stream"
        response.set_data(head + binary)
    return response
