"""POST /predict and /explain, and texts by their token."""

from typing import Any

from .errors import ANY
from .pieces import (
    SERVER_TIMING,
    Json,
    body,
    content,
    example,
    listed,
    operation,
    parameter,
    record,
    ref,
    success,
)
from .schemas import FILE, IMAGE, NUMBER, STRING

NUMBER_FROM_1: Json = {"type": "integer", "minimum": 1, "maximum": 10**18 - 1}
ASKED = (*ANY, "404", "415", "422", "502", "504")

MODEL = parameter("query", "model", STRING, "a name of /models; else the default one")
VERSION = parameter("query", "version", NUMBER_FROM_1, "else the newest that serves")
TOP = parameter("query", "top", NUMBER_FROM_1 | {"default": 5}, "labels in the reply")
LABEL = parameter("query", "label", STRING, "the label to explain; else the best one")

TEXT: Json = {"type": "string", "description": "for a model of texts"}
URL: Json = {
    "type": "string",
    "format": "uri",
    "description": "of an image; where the setting fetch_urls allows it",
}
INSTANCES: Json = {
    "type": "array",
    "minItems": 1,
    "maxItems": 64,
    "items": {},
    "description": "strings (texts, or base64 images, by the model's task), or nested "
    "lists of numbers, which go to the model as they are",
}

# One picture element, red: what an example can show in a line.
RED_PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAA"
    "AElFTkSuQmCC"
)

_EXAMPLES: Json = {
    "image": {"summary": "an image", "value": {"image": RED_PNG}},
    "text": {"summary": "a text", "value": {"text": "I love it"}},
    "instances": {"summary": "several", "value": {"instances": [RED_PNG, RED_PNG]}},
}


def one_of(fields: dict[str, Json], more: dict[str, Json] | None = None) -> Json:
    """A JSON object with exactly one of `fields`."""
    return {
        "type": "object",
        "properties": fields | (more or {}),
        "oneOf": [{"required": [name]} for name in fields],
    }


def form(most: int, required: Json, optional: Json | None = None) -> Json:
    """A form with up to `most` files."""
    about = {"description": "one part a file; the field may be called `file` as well"}
    files = listed(FILE, minItems=1, maxItems=most) | about
    return record({"image": files} | required, optional)


def inputs(most: int, more: dict[str, Json] | None = None) -> Json:
    """The content types of an input, or of up to `most` of them."""
    fields = {
        "image": IMAGE,
        "url": URL,
        "text": TEXT,
        "instances": INSTANCES | {"maxItems": most},
    }
    return {
        "multipart/form-data": {"schema": form(most, {}, more)},
        "image/*": {"schema": FILE},
        **content(one_of(fields, more), examples=_EXAMPLES),
    }


def _predict() -> Json:
    either = {"anyOf": [ref("Predicted"), ref("PredictedMany")]}
    return operation(
        "predict",
        "Predictions",
        "Ask a model",
        {
            "200": success(
                "The predictions, best first.", content(either), SERVER_TIMING
            )
        },
        ASKED,
        description="One input answers `predictions`. `instances`, or more than one "
        "file, always answer `results` in the order sent: 200 when any succeeded.",
        parameters=(MODEL, VERSION, TOP),
        request=body(inputs(64), "A form with files, an image as it is, or JSON."),
    )


def _explain() -> Json:
    return operation(
        "explain",
        "Predictions",
        "Ask why a model says so",
        {"200": success("What made the answer.", content(ref("Explained")))},
        ASKED,
        description="Parts of the input are hidden in turn; each has what the number "
        "loses without it. Explanations wait until no prediction does, one at a time.",
        parameters=(MODEL, VERSION, LABEL),
        request=body(inputs(1, {"label": STRING}), "As for predictions, one input."),
    )


def _texts() -> Json:
    texts = {"type": "object", "additionalProperties": STRING}
    many: Any = texts | {"maxProperties": 10_000}
    answers = content(texts, examples=example({"1": "Positive", "2": "Negative"}))
    return operation(
        "predict_texts",
        "Predictions",
        "Texts by key in, a label for each out",
        {"200": success("The best label of each text.", answers)},
        (*ANY, "404", "422", "502", "504"),
        description="The token in the path lets in; another one is no such page.",
        parameters=(parameter("path", "token", STRING, "one of the text tokens"),),
        request=body(
            content(many, examples=example({"1": "I love it", "2": "I hate it"})),
            "An object of texts.",
        ),
    )


SCHEMAS: Json = {
    "Explained": record(
        {"success": {"const": True}, "model": ref("ModelName"), "id": ref("Id")},
        {
            "label": STRING,
            "heatmap": record(
                {
                    "rows": {"type": "integer", "minimum": 1},
                    "cols": {"type": "integer", "minimum": 1},
                    "values": listed(listed(NUMBER)),
                }
            ),
            "picture": record(
                {
                    "width": {"type": "integer", "minimum": 1},
                    "height": {"type": "integer", "minimum": 1},
                    "box": listed(NUMBER, minItems=4, maxItems=4),
                }
            ),
            "words": listed(
                record(
                    {
                        "text": STRING,
                        "start": {"type": "integer"},
                        "end": {"type": "integer"},
                        "weight": NUMBER,
                    }
                )
            ),
        },
    )
    | {
        "description": "The prediction, with a `heatmap` over the `picture` (its `box` "
        "in fractions of it), or with the `words` of a text.",
    },
}


def paths(*, texts: bool) -> Json:
    """The text route is there where tokens are."""
    given = {"/predict": {"post": _predict()}, "/explain": {"post": _explain()}}
    if texts:
        given["/api/v1/{token}/predict"] = {"post": _texts()}
    return given
