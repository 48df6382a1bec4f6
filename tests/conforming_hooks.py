"""What schemathesis draws for pictures, and two checks of ours; see conforming.py."""

import json
import struct
from base64 import b64encode

import schemathesis
from hypothesis import strategies as st

from made import picture

FORMS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")
PICTURES = [
    picture(colour, (side, 5), form)
    for colour, side in (("red", 3), ("blue", 40))
    for form in FORMS
]
pictures = st.sampled_from(PICTURES)

schemathesis.openapi.format("binary", pictures)
schemathesis.openapi.format("byte", pictures.map(lambda one: b64encode(one).decode()))
schemathesis.openapi.media_type("image/png", pictures)
schemathesis.openapi.media_type("image/jpeg", pictures)


numbers = st.lists(st.floats(-9, 9, width=32), min_size=1, max_size=4)


def tensor(rows: list[list[float]]) -> dict[str, object]:
    """V2's way to send rows of one length."""
    data = {"datatype": "FP32", "shape": [len(rows), len(rows[0])], "data": rows}
    return {"inputs": [{"name": "instances", **data}]}


# What a model does take, by the end of the path: the model, and a body. The document
# leaves open what an instance is, so that little of what is drawn from it would fit.
FITTING = {
    ":predict": ("plain", numbers.map(lambda row: {"instances": [row, row]})),
    ":classify": (
        "digits",
        pictures.map(
            lambda one: {"examples": [{"instances": {"b64": b64encode(one).decode()}}]}
        ),
    ),
    ":regress": ("plain", st.just({"examples": [{"instances": [0.5]}]})),
    "/infer": ("plain", numbers.map(lambda row: tensor([row, row]))),
}


@schemathesis.hook
def flatmap_case(_context, case):
    """In every other valid request of V1 and V2 something that the model takes."""
    valid = case.meta is not None and case.meta.generation.mode.is_positive
    if not valid:
        return st.just(case)
    if case.path.endswith("/infer") and case.media_type == "application/octet-stream":
        return st.one_of(st.just(case), numbers.map(lambda row: in_binary(case, row)))
    known = [fit for end, fit in FITTING.items() if case.path.endswith(end)]
    if not (known and case.media_type == "application/json"):
        return st.just(case)
    ((name, bodies),) = known
    return st.one_of(st.just(case), bodies.map(lambda body: fitted(case, name, body)))


def fitted(case, name, body):
    case.body, case.path_parameters["name"] = body, name
    if "version" in case.path_parameters:
        case.path_parameters["version"] = "1"
    for header in ("Content-Encoding", "Inference-Header-Content-Length"):
        case.headers.pop(header, None)
    return case


def in_binary(case, row):
    """The same as JSON with the tensor's bytes behind it, and the answer so too."""
    entry = tensor([row])["inputs"][0] | {
        "parameters": {"binary_data_size": 4 * len(row)}
    }
    del entry["data"]
    wanted = {"inputs": [entry], "parameters": {"binary_data_output": True}}
    head = json.dumps(wanted).encode()
    fitted(case, "plain", head + struct.pack(f"<{len(row)}f", *row))
    case.headers["Inference-Header-Content-Length"] = str(len(head))
    return case


@schemathesis.hook
def filter_case(_context, case):
    """No list where a form has a text: on the wire it is a part of the form or none."""
    if case.media_type != "multipart/form-data" or not isinstance(case.body, dict):
        return True
    return not any(isinstance(v, list) for k, v in case.body.items() if k != "image")


@schemathesis.check
def pictures_are_taken(_ctx, response, case):
    """A picture for the model of pictures, the default one, is answered."""
    query = case.query or {}
    if (
        case.path == "/predict"
        and case.meta is not None
        and case.meta.generation.mode.is_positive
        and case.media_type != "application/json"
        and query.get("model", "digits") in ("", "digits")
        and query.get("version", 1) == 1
    ):
        assert response.status_code in (200, 401), response.text


@schemathesis.check
def examples_are_answered(_ctx, response, case):
    """The document's own examples are true; for V1 and V2 with the model of numbers."""
    meta = case.meta
    if meta is not None and meta.phase.name.value == "examples":
        assert response.status_code < 500, response.text
