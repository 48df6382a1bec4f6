"""GET /models: what is served. GET /models/<name>/examples/<file>: inputs to try."""

from typing import Any

from flask import Blueprint, Response
from werkzeug.exceptions import NotFound

from ...engines.engine import Engine
from ...features.uploads import Uploads
from ...registry.loader import Model
from ...registry.model_version import ModelVersion
from ...registry.registry import Registry
from ...registry.selection.report import Measured
from ...spec import TensorSpec
from ..request import number
from ..responses import reply
from .health import failed


def routes(registry: Registry, uploads: Uploads) -> Blueprint:
    """The description of the models, and their examples."""
    blueprint = Blueprint("models", __name__)

    @blueprint.get("/models")
    def list_models() -> Response:
        models = [v.model for v in registry.versions if v.model and v.ready]
        return reply(
            {
                "default": registry.default,
                "models": [_described(registry, m) for m in models],
                "loading": [_loading(v) for v in registry.versions if v.percent < 100],
                "failed": failed(registry),
                "keep_uploads": uploads.keep,
                "uploads_max_age_days": uploads.max_age_days,
            }
        )

    @blueprint.get("/models/<name>/examples/<file>")
    def example(name: str, file: str) -> Response:
        with registry.use(name, number("version")) as served:
            found = served.model.examples.get(file)
        if found is None:
            raise NotFound
        response = Response(found.content, mimetype=found.kind)
        # A browser that opens this file must not run anything in it.
        response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
        return response

    return blueprint


def _loading(version: ModelVersion) -> dict[str, Any]:
    return {
        "name": version.files.name,
        "version": str(version.files.version),
        "stage": version.stage,
        "percent": int(version.percent),
    }


def _described(registry: Registry, model: Model) -> dict[str, Any]:
    found, recipe, engine = model.found, model.recipe, model.engine
    ready = registry.ready_versions(found.name)
    versions = [str(version.files.version) for version in ready]
    return {
        "name": found.name,
        "version": str(found.version),
        "versions": versions,
        "default": found.name == registry.default
        and str(found.version) == versions[-1],
        "task": recipe.task,
        "output": recipe.output,
        "multi_label": _is_multi_label(model),
        "labels": list(recipe.labels),
        "input": _input(model),
        "inputs": list(map(_tensor, engine.facts.inputs)),
        "outputs": list(map(_tensor, engine.facts.outputs)),
        "engine": engine.name,
        "precision": engine.precision,
        "batch_sizes": [n for n in engine.batch_sizes if n <= model.batch_size],
        "agreement": engine.agreement,
        "engines": [_measured(one, engine) for one in model.choice.measured],
        "engine_notes": list(model.choice.notes),
        "inferred": list(recipe.inferred),
        "examples": list(model.examples),
        "sha256": model.sha256,
        "load_seconds": round(model.load_seconds, 3),
    }


def _is_multi_label(model: Model) -> bool:
    """True if every label has its own probability, so that several may apply."""
    facts = model.engine.facts
    several = (facts.units() or 0) > 1 and model.recipe.output == "probability"
    return several and facts.activation == "sigmoid"


def _measured(one: Measured, engine: Engine) -> dict[str, Any]:
    """An engine that was measured; `chosen` marks the one that serves."""
    chosen = (one.engine, one.precision) == (engine.name, engine.precision)
    return vars(one) | {"chosen": chosen}


def _input(model: Model) -> dict[str, Any] | None:
    """The single input and how a picture becomes it; None if there are several."""
    single, image = model.engine.facts.single_input(), model.recipe.image
    return (
        _tensor(single) | {"image": vars(image) if image else None} if single else None
    )


def _tensor(tensor: TensorSpec) -> dict[str, Any]:
    shape = None if tensor.shape is None else list(tensor.shape)
    return {"name": tensor.name, "shape": shape, "dtype": tensor.dtype}
