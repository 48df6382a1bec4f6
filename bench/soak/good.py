"""Good clients: what they send, and the answers that are right."""

import io
import json
import math
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import requests as http
from PIL import Image

from ..workload import FORM, form
from .models import COLOURS, STRENGTHS
from .server import TOKEN

NEAR = 1e-3  # engines differ by less
DIGIT = Path("models/digits/sample.png")
JSON = "application/json"

Right = Callable[[bytes], bool]


class Wrong(Exception):
    """An answer that is not the right one."""


class Good(NamedTuple):
    """A request whose answer is known, and how often it comes; no body is a GET."""

    path: str
    kind: str
    body: bytes
    right: Right
    often: int = 4


def picture(colour: str) -> bytes:
    """A PNG of one of COLOURS at its full strength."""
    stream = io.BytesIO()
    rgb = tuple(255 * (colour == one) for one in COLOURS)
    Image.new("RGB", (60, 40), rgb).save(stream, "PNG")
    return stream.getvalue()


def a_digit(body: bytes) -> bool:
    """The bundled sample's predictions, as they are kept beside it."""
    expected = json.loads(DIGIT.with_name("expected.json").read_text())
    return _near(json.loads(body)["predictions"], expected)


def is_colour(colour: str) -> Right:
    """The prediction, from the version that the reply names."""

    def right(body: bytes) -> bool:
        answer = json.loads(body)
        strength = STRENGTHS[int(answer["model"]["version"]) % 2]
        probability = math.exp(strength) / (math.exp(strength) + 2)
        best = [{"label": colour, "probability": probability}]
        return _near(answer["predictions"][:1], best)

    return right


def first_of_two(body: bytes) -> bool:
    """A digit, and a neighbour that is no picture."""
    first, second = json.loads(body)["results"]
    found: bool = first["predictions"][0]["label"] == "3"
    return found and second["code"] == "not_an_image"


def holds(*path: str | int, value: Any) -> Right:
    """`value` is where `path` leads to in the JSON."""

    def right(body: bytes) -> bool:
        found = json.loads(body)
        for step in path:
            found = found[step]
        return bool(found == value)

    return right


def contains(text: bytes) -> Right:
    """`text` is somewhere in the answer."""
    return lambda body: text in body


def _near(got: list[dict[str, Any]], expected: list[dict[str, Any]]) -> bool:
    return len(got) == len(expected) and all(
        g["label"] == e["label"] and abs(g["probability"] - e["probability"]) < NEAR
        for g, e in zip(got, expected, strict=True)
    )


def _json(path: str, right: Right, **keys: Any) -> Good:
    return Good(path, JSON, json.dumps(keys).encode(), right)


def requests() -> dict[str, Good]:
    """Each kind by its name."""
    digit, red = DIGIT.read_bytes(), b64encode(picture("red")).decode()
    tensor = {"name": "instances", "shape": [1, 2], "datatype": "FP32", "data": [1, 2]}
    moods = {"a": "Positive", "b": "Negative"}
    values = holds("results", 0, "predictions", 0, "values", value=[2.0, 4.0])
    texts = f"/api/v1/{TOKEN}/predict"
    v1, v2 = "/v1/models/double:predict", "/v2/models/double/infer"
    colours = "/predict?model=colours"
    return {
        "photo": Good("/predict", FORM, form(digit), a_digit, 8),
        "two photos": Good("/predict", FORM, form(digit, b"no"), first_of_two, 1),
        "green": Good(colours, "image/png", picture("green"), is_colour("green")),
        "base64": _json(colours, is_colour("red"), image=red),
        "numbers": _json("/predict?model=double", values, instances=[[1, 2]]),
        "texts": _json(texts, holds(value=moods), a="I love it", b="I hate it"),
        "v1": _json(v1, holds("predictions", value=[[2, 4]]), instances=[[1, 2]]),
        "v2": _json(v2, holds("outputs", 0, "data", value=[2, 4]), inputs=[tensor]),
        "page": Good("/", "", b"", contains(b"</html>"), 1),
        "models": Good("/models", "", b"", contains(b'"double"'), 1),
        "metrics": Good("/metrics", "", b"", contains(b"facenality_batch_size"), 1),
        "ready": Good("/readyz", "", b"", holds("ready", value=True), 1),
        "explain": Good("/explain", FORM, form(digit), holds("label", value="3"), 1),
    }


def ask(session: http.Session, port: int, good: Good) -> int:
    """The status; Wrong where a 200 is not the right answer."""
    url = f"http://127.0.0.1:{port}{good.path}"
    headers = {"Content-Type": good.kind} if good.body else {}
    method = "POST" if good.body else "GET"
    reply = session.request(method, url, data=good.body, headers=headers, timeout=60)
    if reply.status_code == 200 and not good.right(reply.content):
        raise Wrong(reply.text[:300])
    return reply.status_code
