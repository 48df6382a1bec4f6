"""POST /explain: as /predict with one input, and what of it made the answer."""

from collections.abc import Mapping
from functools import partial
from typing import Any, cast

from flask import Blueprint, Response, request

from ..catalog import Catalog
from ..errors import Malformed
from ..explaining import Explainer
from ..urls.fetcher import Fetcher
from . import leaving, request_log
from .json_bodies import JsonBodies
from .predict import about, watched
from .replies import reply
from .requests import Request, read
from .whole_numbers import number


def routes(
    catalog: Catalog, explainer: Explainer, fetcher: Fetcher, json: JsonBodies
) -> Blueprint:
    """The explanation route."""
    blueprint, fetch = Blueprint("explain", __name__), watched(fetcher)

    @blueprint.post("/explain")
    def explain() -> Response:
        with catalog.use(request.args.get("model"), number("version")) as served:
            request_log.about(served)
            fields = served.model.task.fields
            read_json = partial(json.read, line=served.batcher)
            sent = read(cast(Request, request), fields, read_json, fetch)
            if len(sent.payloads) != 1:
                raise Malformed("One input at a time is explained; send one.")
            with leaving.watch(request.environ):
                label = _label(sent.others)
                explained = explainer.explain(served, sent.payloads[0], label)
        return reply({"success": True} | explained | about(served))

    return blueprint


def _label(others: Mapping[str, Any]) -> str | None:
    """The label to explain: in the query, the form or the JSON; None is the best."""
    label = request.args.get("label", others.get("label"))
    if not isinstance(label, str | None):
        raise Malformed("'label' must be a string, one of the model's labels.")
    return label
