"""Good clients: what they send, and the answers that are right."""

import base64
import http.client
import io
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image

from ..forms import FORM, form
from .models import COLOURS, STRENGTHS
from .server import TOKEN

NEAR = 1e-3  # engines differ by less
DIGIT = Path("models/digits/sample.png")
JSON = "application/json"

Right = Callable[[bytes], bool]


class Wrong(Exception):
    """An answer that is not the right one."""


class Good(NamedTuple):
    """A request whose answer is known; no body is a GET."""

    path: str
    kind: str
    body: bytes
    right: Right


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
        return _near(
            answer["predictions"][:1], [{"label": colour, "probability": probability}]
        )

    return right


def first_of_two(body: bytes) -> bool:
    """A digit, and a neighbour that is no picture."""
    first, second = json.loads(body)["results"]
    return bool(
        first["predictions"][0]["label"] == "3" and second["code"] == "not_an_image"
    )


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


def numbers(**keys: Any) -> bytes:
    """A JSON body."""
    return json.dumps(keys).encode()


def requests() -> dict[str, tuple[Good, int]]:
    """Each kind, and how often it comes."""
    digit, red = DIGIT.read_bytes(), picture("red")
    base64_red = base64.b64encode(red).decode()
    tensor = {"name": "instances", "shape": [1, 2], "datatype": "FP32", "data": [1, 2]}
    doubled, text = [[2.0, 4.0]], numbers(a="I love it", b="I hate it")
    colours, double = "/predict?model=colours", "/predict?model=double"
    return {
        "photo": (Good("/predict", FORM, form(digit), a_digit), 8),
        "two photos": (Good("/predict", FORM, form(digit, b"no"), first_of_two), 1),
        "green": (
            Good(colours, "image/png", picture("green"), is_colour("green")),
            4,
        ),
        "base64": (Good(colours, JSON, numbers(image=base64_red), is_colour("red")), 4),
        "numbers": (
            Good(
                double,
                JSON,
                numbers(instances=[[1, 2]]),
                holds("results", 0, "predictions", 0, "values", value=doubled[0]),
            ),
            4,
        ),
        "texts": (
            Good(
                f"/api/v1/{TOKEN}/predict",
                JSON,
                text,
                lambda body: json.loads(body) == {"a": "Positive", "b": "Negative"},
            ),
            4,
        ),
        "v1": (
            Good(
                "/v1/models/double:predict",
                JSON,
                numbers(instances=[[1, 2]]),
                holds("predictions", value=doubled),
            ),
            4,
        ),
        "v2": (
            Good(
                "/v2/models/double/infer",
                JSON,
                numbers(inputs=[tensor]),
                holds("outputs", 0, "data", value=doubled[0]),
            ),
            4,
        ),
        "page": (Good("/", "", b"", contains(b"</html>")), 1),
        "models": (Good("/models", "", b"", contains(b'"double"')), 1),
        "metrics": (Good("/metrics", "", b"", contains(b"facenality_batch_size")), 1),
        "ready": (Good("/readyz", "", b"", holds("ready", value=True)), 1),
        "explain": (
            Good("/explain", FORM, form(digit), holds("label", value="3")),
            1,
        ),
    }


def ask(connection: http.client.HTTPConnection, good: Good) -> int:
    """The status; Wrong where a 200 is not the right answer."""
    method = "POST" if good.body else "GET"
    headers = {"Content-Type": good.kind} if good.body else {}
    connection.request(method, good.path, good.body or None, headers)
    reply = connection.getresponse()
    body = reply.read()
    if reply.status == 200 and not good.right(body):
        raise Wrong(body[:300].decode(errors="replace"))
    return reply.status
