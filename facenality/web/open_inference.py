"""The Open Inference Protocol V2 (KServe, tritonclient), with binary tensors.

Errors are this server's own; their "error" is the string that those clients read.
"""

import re
from typing import Any, cast

from flask import Blueprint, Response, request

from ..catalog import Catalog, Served
from ..errors import Malformed, TooLarge
from ..predictor import Predictor
from ..protocols import v2_reply, v2_request
from ..settings import Settings
from . import compressed, v2_about
from .json_bodies import JsonBodies
from .predict import timed
from .replies import reply
from .requests import Request
from .scoring import score, signature_of, version_of
from .v2_about import MODEL, VERSION

HEADER_LENGTH = "Inference-Header-Content-Length"
_LENGTH = re.compile(r"[0-9]{1,10}")


def routes(
    catalog: Catalog, predictor: Predictor, settings: Settings, json: JsonBodies
) -> Blueprint:
    """What V2 tells, and inference."""
    blueprint = Blueprint("open_inference", __name__)
    v2_about.add(blueprint, catalog)

    @blueprint.post(f"{MODEL}/infer")
    @blueprint.post(f"{VERSION}/infer")
    def v2_infer(name: str, version: str | None = None) -> Response:
        with catalog.use(name, version_of(name, version)) as served:
            predictor.admit(served.batcher)
            sent = cast(Request, request)
            body = compressed.body(
                sent, predictor.decoders, served.batcher, settings.max_body_bytes
            )
            text, tail = _parts(body, settings.max_json_bytes)
            return _infer(predictor, served, json.parse(text, served.batcher), tail)

    return blueprint


def _parts(body: bytes, max_json_bytes: int) -> tuple[bytes, memoryview]:
    """The JSON of an infer request, and the binary data behind it."""
    given = request.headers.get(HEADER_LENGTH)
    if given is not None and not _LENGTH.fullmatch(given):
        raise Malformed(f"{HEADER_LENGTH} must be a number of bytes.")
    length = len(body) if given is None else int(given)
    if not 0 < length <= len(body):
        raise Malformed(
            f"{HEADER_LENGTH} is {length}, the body has {len(body)} bytes; the JSON "
            "comes first."
        )
    if length > max_json_bytes:
        raise TooLarge(
            f"JSON may have {max_json_bytes / 2**20:.0f} MiB; send tensors as binary "
            "data."
        )
    return body[:length], memoryview(body)[length:]


def _infer(
    predictor: Predictor, served: Served, document: Any, tail: memoryview
) -> Response:
    signature = signature_of(served)
    asked = v2_request.read(document, tail, signature)
    scored = score(predictor, served, asked.payloads)
    rows = [one.row.scores for one in scored]
    outputs, binary = v2_reply.write(rows, asked.outputs, signature)
    found = served.model.found
    about = {"model_name": found.name, "model_version": str(found.version)}
    about |= {} if asked.id is None else {"id": asked.id}
    return timed(_with_binary(reply(about | {"outputs": outputs}), binary), scored)


def _with_binary(response: Response, binary: bytes) -> Response:
    """`binary` behind the JSON, whose length then stands in a header."""
    if binary:
        head = response.get_data()
        response.headers[HEADER_LENGTH] = str(len(head))
        response.content_type = "application/octet-stream"
        response.set_data(head + binary)
    return response
