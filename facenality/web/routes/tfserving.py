"""TensorFlow Serving's REST API and KServe's V1, so that their clients work unchanged.

Errors have this server's own format, in which those clients read the string "error".
"""

from collections.abc import Callable
from typing import Any, cast

from flask import Blueprint, Response, request
from flask.blueprints import BlueprintSetupState
from werkzeug.routing import BaseConverter

from ...errors import Malformed
from ...pipeline import Predictor
from ...protocols import metadata, v1
from ...registry.model_version import ModelVersion, State
from ...registry.registry import LoadedModel, Registry
from ...settings import Settings
from .. import request as compressed
from ..access_log import timed
from ..json_body import JsonBodies
from ..request import Request
from ..responses import reply
from ..scoring import answer, score, signature_of, version_of

MODEL = "/v1/models/<part:name>"
VERSION = f"{MODEL}/versions/<part:version>"
Verb = Callable[[Predictor, LoadedModel, Any], Response]


class Part(BaseConverter):
    """A part of a path that ends at a colon, after which the verb follows."""

    regex = "[^/:]+"
    part_isolating = True


def _register_part(state: BlueprintSetupState) -> None:
    state.app.url_map.converters["part"] = Part


def routes(
    registry: Registry, predictor: Predictor, settings: Settings, json: JsonBodies
) -> Blueprint:
    """Status, metadata, predict, classify and regress."""
    blueprint = Blueprint("tfserving_rest", __name__)
    blueprint.record(_register_part)

    @blueprint.get("/v1/models")
    def v1_models() -> Response:
        return reply({"models": registry.names})

    @blueprint.get(MODEL)
    @blueprint.get(VERSION)
    def v1_status(name: str, version: str | None = None) -> Response:
        current = registry.current(name, version_of(name, version))
        every = [one for one in registry.versions if one.files.name == name]
        shown = [current] if version else every[::-1]  # the newest first
        ready = current.ready and not registry.draining
        states = [_state(one, draining=registry.draining) for one in shown]
        return reply({"name": name, "ready": ready, "model_version_status": states})

    @blueprint.get(f"{MODEL}/metadata")
    @blueprint.get(f"{VERSION}/metadata")
    def v1_metadata(name: str, version: str | None = None) -> Response:
        with registry.use(name, version_of(name, version)) as served:
            number = str(served.model.found.version)
            spec = {"name": name, "signature_name": "", "version": number}
            signature = metadata.signature_def(signature_of(served))
        return reply({"model_spec": spec, "metadata": {"signature_def": signature}})

    def call(name: str, version: str | None, verb: Verb) -> Response:
        with registry.use(name, version_of(name, version)) as served:
            predictor.admit(served.batcher)
            sent = cast(Request, request)
            body = compressed.body(
                sent, predictor.decoders, served.batcher, settings.max_json_bytes
            )
            return verb(predictor, served, json.parse(body, served.batcher))

    @blueprint.post(f"{MODEL}:predict")
    @blueprint.post(f"{VERSION}:predict")
    def v1_predict(name: str, version: str | None = None) -> Response:
        return call(name, version, _predict)

    @blueprint.post(f"{MODEL}:classify")
    @blueprint.post(f"{VERSION}:classify")
    def v1_classify(name: str, version: str | None = None) -> Response:
        return call(name, version, _classify)

    @blueprint.post(f"{MODEL}:regress")
    @blueprint.post(f"{VERSION}:regress")
    def v1_regress(name: str, version: str | None = None) -> Response:
        return call(name, version, _regress)

    return blueprint


def _predict(predictor: Predictor, served: LoadedModel, document: Any) -> Response:
    signature = signature_of(served)
    payloads, columnar = v1.read(document, signature)
    scored = score(predictor, served, payloads)
    rows = [one.row.scores for one in scored]
    if columnar:
        return timed(reply({"outputs": v1.outputs(rows, signature)}), scored)
    return timed(reply({"predictions": v1.predictions(rows, signature)}), scored)


def _classify(predictor: Predictor, served: LoadedModel, document: Any) -> Response:
    """Every label with its score, the best first."""
    name, recipe = served.model.found.name, served.model.recipe
    if not recipe.task.endswith("classification"):
        raise Malformed(f"Model {name} does not classify; use :predict.")
    payloads = v1.examples(document, "classify", signature_of(served))
    answers = answer(predictor, served, payloads)
    results = [
        [[one["label"], one[recipe.output]] for one in each.predictions]
        for each in answers
    ]
    return timed(reply({"results": results}), answers)


def _regress(predictor: Predictor, served: LoadedModel, document: Any) -> Response:
    payloads = v1.examples(document, "regress", signature_of(served))
    scored = score(predictor, served, payloads)
    values = [v1.single(one.row.scores) for one in scored]
    return timed(reply({"results": values}), scored)


STATES = {
    State.WAITING: "START",
    State.LOADING: "LOADING",
    State.READY: "AVAILABLE",
    State.UNREACHABLE: "LOADING",  # it is tried again until its server answers
    State.FAILED: "END",
    State.RETIRED: "END",
}
ERROR_CODES = {State.UNREACHABLE: "UNAVAILABLE", State.FAILED: "UNKNOWN"}  # else: OK


def _state(version: ModelVersion, *, draining: bool) -> dict[str, Any]:
    """A version as in TensorFlow Serving's GetModelStatus."""
    unloading = draining and version.ready
    return {
        "version": str(version.files.version),
        "state": "UNLOADING" if unloading else STATES[version.state],
        "status": {
            "error_code": ERROR_CODES.get(version.state, "OK"),
            "error_message": version.reason or "",
        },
    }
