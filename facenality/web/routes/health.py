"""GET /metrics: what Prometheus asks for."""

from flask import Blueprint, Response, request

from ...observability.metrics import Metrics


def routes(metrics: Metrics) -> Blueprint:
    """The route of the metrics."""
    blueprint = Blueprint("metrics", __name__)

    @blueprint.get("/metrics")
    def show() -> Response:
        body, kind = metrics.exposition(request.headers.get("Accept", ""))
        return Response(body, content_type=kind)

    return blueprint
