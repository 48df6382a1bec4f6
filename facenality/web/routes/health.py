"""GET /livez, /readyz and /healthz for orchestrators, /metrics for Prometheus."""

from flask import Blueprint, Response, request

from ...errors import Draining, Loading
from ...observability.metrics import Metrics
from ...registry.readiness import check
from ...registry.registry import Registry
from ..responses import error_reply, reply


def routes(registry: Registry, metrics: Metrics) -> Blueprint:
    """The probes, none of which depends on load, and the metrics."""
    blueprint = Blueprint("health", __name__)

    @blueprint.get("/livez")
    def livez() -> Response:
        return reply({"live": True})

    @blueprint.get("/readyz")
    @blueprint.get("/healthz")
    def readyz() -> Response:
        state = check(registry)
        about = {"ready": state.ready, "stage": state.stage, "percent": state.percent}
        if state.ready:
            return reply(about | {"failed": failed(registry)})
        kind = Draining if registry.draining else Loading
        return error_reply(kind(state.sentence), **about)

    @blueprint.get("/metrics")
    def show() -> Response:
        body, kind = metrics.exposition(request.headers.get("Accept", ""))
        return Response(body, content_type=kind)

    return blueprint


def failed(registry: Registry) -> list[dict[str, str]]:
    """Models that are not served, updates that were refused, and ignored entries."""
    versions = [
        (one.files.name, one.files.version, one.reason)
        for one in registry.versions
        if one.reason
    ]
    ignored = [(name, 1, f"{name} {why}") for name, why in registry.ignored.items()]
    return [
        {"name": name, "version": str(version), "error": why}
        for name, version, why in versions + registry.refused + ignored
    ]
