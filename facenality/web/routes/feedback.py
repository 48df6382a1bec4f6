"""POST /feedback stores a correction; DELETE /feedback/<id> deletes an upload."""

from collections.abc import Mapping
from typing import Any, cast

from flask import Blueprint, Response, g, request

from ...errors import Malformed, NoSuchModel, UnprocessableInput
from ...features.explain.explainer import unknown
from ...features.uploads import About, Uploads
from ...registry.loader import Model
from ...registry.registry import Registry
from ...tasks.encoded_picture import from_base64
from .. import auth
from ..json_body import JsonBodies
from ..request import Request, Sent, read, unfetched, whole_number
from ..responses import reply

MAX_PREDICTION = 2000  # characters of the answer that the client shows


def routes(registry: Registry, uploads: Uploads, json: JsonBodies) -> Blueprint:
    """The feedback routes."""
    blueprint = Blueprint("feedback", __name__)

    @blueprint.post("/feedback")
    def feedback() -> Response:
        auth.require_same_origin()
        if uploads.keep == "none":
            raise NoSuchModel(
                "This server does not store uploads, so it takes no corrections; its "
                "operator can allow them with keep_uploads.",
                code="uploads_not_kept",
            )
        fields = ("image", "text")
        sent = read(cast(Request, request), fields, json.read, unfetched)
        if len(sent.payloads) != 1:
            raise Malformed("A correction is for one input; send only one.")
        version = whole_number("version", _text(sent.others, "version"))
        with registry.use(_text(sent.others, "model"), version) as served:
            about = _about(served.model, sent.others)
            content = _content(served.model, sent)
        uploads.store(content, about)
        return reply({"success": True, "id": g.id})

    @blueprint.delete("/feedback/<token>")
    def forget(token: str) -> Response:
        auth.require_same_origin()
        if not uploads.forget(token):
            raise NoSuchModel(
                "Nothing is stored under this id; it was deleted, or never stored.",
                code="no_such_upload",
            )
        return reply({"success": True, "id": g.id})

    return blueprint


def _about(model: Model, others: Mapping[str, Any]) -> About:
    """What is stored beside the input.

    Raises Malformed; UnprocessableInput for a label that the model does not have.
    """
    label = _text(others, "label")
    if label is None:
        raise Malformed("'label' is missing; send the label that would be right.")
    if not model.recipe.task.endswith("classification"):
        raise UnprocessableInput("Only the labels of classifiers can be corrected.")
    if label not in model.recipe.labels:
        raise unknown(label, list(model.recipe.labels))
    prediction = _text(others, "prediction") or ""
    if len(prediction) > MAX_PREDICTION:
        raise UnprocessableInput(
            f"'prediction' may have at most {MAX_PREDICTION} characters."
        )
    found = model.found
    return About(g.id, found.name, str(found.version), prediction, label)


def _content(model: Model, sent: Sent) -> bytes | str:
    """The encoded picture, or the text. Raises UnprocessableInput."""
    (payload,) = sent.payloads
    if model.recipe.image is None:
        model.task.decode(payload)  # raises the error if the text cannot be used
        return str(payload)
    return from_base64(payload) if isinstance(payload, str) else cast(bytes, payload)


def _text(others: Mapping[str, Any], name: str) -> str | None:
    """A field of the form or JSON, or else a query parameter."""
    value = others.get(name, request.args.get(name))
    if not isinstance(value, str | None):
        raise Malformed(f"{name!r} must be a string.")
    return value
