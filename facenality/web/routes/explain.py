"""POST /explain: predicts one input, and tells which parts of it led to the answer."""

from collections.abc import Mapping
from functools import partial
from typing import Any, cast

from flask import Blueprint, Response, request

from ...errors import Malformed
from ...features.explain import Explainer
from ...features.url_images.fetcher import Fetcher
from ...registry.registry import Registry
from ...server import disconnect
from .. import access_log
from ..json_body import JsonBodies
from ..request import Request, number, read
from ..responses import reply
from .predict import about, fetch_while_connected


def routes(
    registry: Registry, explainer: Explainer, fetcher: Fetcher, json: JsonBodies
) -> Blueprint:
    """The explanation route."""
    blueprint, fetch = Blueprint("explain", __name__), fetch_while_connected(fetcher)

    @blueprint.post("/explain")
    def explain() -> Response:
        with registry.use(request.args.get("model"), number("version")) as served:
            access_log.about(served)
            fields = served.model.task.fields
            read_json = partial(json.read, key=served.batcher)
            sent = read(cast(Request, request), fields, read_json, fetch)
            if len(sent.payloads) != 1:
                raise Malformed("Only one input at a time can be explained; send one.")
            with disconnect.cancel_on_disconnect(request.environ):
                label = _label(sent.others)
                explained = explainer.explain(served, sent.payloads[0], label)
        return reply({"success": True} | explained | about(served))

    return blueprint


def _label(others: Mapping[str, Any]) -> str | None:
    """The label to explain, from the query, form or JSON; None means the best."""
    label = request.args.get("label", others.get("label"))
    if not isinstance(label, str | None):
        raise Malformed("'label' must be a string, one of the model's labels.")
    return label
