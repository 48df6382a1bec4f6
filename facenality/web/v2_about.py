"""What the Open Inference Protocol V2 tells of the server and its models."""

from typing import Any

from flask import Blueprint, Response

from .. import __version__
from ..catalog import Catalog, Served
from ..entry import Entry
from ..errors import Draining, Loading
from ..loader import Model
from ..protocols import metadata
from ..readiness import look
from .replies import error_reply, reply
from .scoring import signature_of, version_of

EXTENSIONS = ["binary_tensor_data", "classification", "model_configuration"]
MODEL = "/v2/models/<name>"
VERSION = f"{MODEL}/versions/<version>"


def add(blueprint: Blueprint, catalog: Catalog) -> None:
    """Give `blueprint` health and metadata."""

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
        state = look(catalog)
        if state.ready:
            return reply({"ready": True})
        kind = Draining if catalog.draining else Loading
        return error_reply(kind(state.sentence), ready=False)

    @blueprint.post("/v2/repository/index")
    def v2_index() -> Response:
        return reply([_indexed(entry) for entry in catalog.entries])

    @blueprint.get(MODEL)
    @blueprint.get(VERSION)
    def v2_model(name: str, version: str | None = None) -> Response:
        with catalog.use(name, version_of(name, version)) as served:
            return reply(_metadata(served, _versions(catalog, name)))

    @blueprint.get(f"{MODEL}/ready")
    @blueprint.get(f"{VERSION}/ready")
    def v2_model_ready(name: str, version: str | None = None) -> Response:
        with catalog.use(name, version_of(name, version)):
            if catalog.draining:
                raise Draining("The server is going down.")
            return reply({"name": name, "ready": True})

    @blueprint.get(f"{MODEL}/config")
    @blueprint.get(f"{VERSION}/config")
    def v2_model_config(name: str, version: str | None = None) -> Response:
        with catalog.use(name, version_of(name, version)) as served:
            about = {"name": name, "platform": _platform(served.model)}
            return reply(about | metadata.v2_config(signature_of(served)))


def _metadata(served: Served, versions: list[str]) -> dict[str, Any]:
    signature = signature_of(served)
    return {
        "name": served.model.found.name,
        "versions": versions,
        "platform": _platform(served.model),
        "inputs": metadata.v2_inputs(signature),
        "outputs": metadata.v2_outputs(signature),
    }


def _versions(catalog: Catalog, name: str) -> list[str]:
    """The versions that can be asked for."""
    served = [entry.found for entry in catalog.entries if entry.model]
    return [str(found.version) for found in served if found.name == name]


def _platform(model: Model) -> str:
    """<engine>_<format>, in the protocol's way; a `model.py` is its own format."""
    kinds = {".keras": "keras", ".h5": "h5", ".py": "script"}
    kind = kinds.get(model.found.file.suffix, "savedmodel")
    return f"{model.engine.name}_{kind}"


def _indexed(entry: Entry) -> dict[str, str]:
    """A version as Triton's repository index tells it."""
    state = "READY" if entry.model else "UNAVAILABLE" if entry.error else "LOADING"
    return {
        "name": entry.found.name,
        "version": str(entry.found.version),
        "state": state,
        "reason": entry.error or "",
    }
