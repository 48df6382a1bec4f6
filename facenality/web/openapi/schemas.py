"""What replies and requests look like; the contract's shapes."""

from .errors import TOKEN
from .pieces import Json, listed, record, ref

STRING: Json = {"type": "string"}
NUMBER: Json = {"type": "number"}
COUNT: Json = {"type": "integer", "minimum": 0}
PROBABILITY: Json = {"type": "number", "minimum": 0, "maximum": 1}
STRINGS = listed(STRING)
TRUE: Json = {"const": True}
VERSION: Json = {"type": "string", "pattern": "^[0-9]+$"}

# A length that the model leaves open is null.
SHAPE: Json = {"type": ["array", "null"], "items": {"type": ["integer", "null"]}}

IMAGE: Json = {
    "type": "string",
    "format": "byte",
    "contentEncoding": "base64",
    "contentMediaType": "image/*",
    "description": "JPEG, PNG, WebP, GIF or BMP in base64, or as a data: URL",
}
FILE: Json = {
    "type": "string",
    "format": "binary",
    "contentMediaType": "image/*",
    "description": "JPEG, PNG, WebP, GIF or BMP",
}

_ABOUT: Json = {"model": ref("ModelName"), "id": ref("Id")}

_PREDICTION: Json = {
    "description": "A label with its number (as the model's card has it, and as "
    "/models tells under `output`), or the numbers of a plain tensor model.",
    "anyOf": [
        record({"label": STRING, "probability": PROBABILITY}),
        record({"label": STRING, "score": NUMBER}),
        record({"label": STRING, "value": NUMBER}),
        record({"values": ref("Values")}),
    ],
}

_VALUES: Json = {
    "description": "A number or nested lists of them, by name where the model has "
    "several outputs.",
    "type": ["number", "array", "object"],
}

_TENSOR: Json = record({"name": STRING, "shape": SHAPE, "dtype": STRING})

_FAILED: Json = record({"name": STRING, "version": VERSION, "error": STRING})

_SPEC: Json = record(
    {
        "mode": {"enum": ["RGB", "L"]},
        "height": COUNT,
        "width": COUNT,
        "resize": STRING,
        "fit": {"enum": ["stretch", "crop", "pad"]},
        "preprocess": STRING,
        "channels_first": {"type": "boolean"},
    }
)

_MEASURED: Json = record(
    {
        "engine": STRING,
        "precision": STRING,
        "ms_alone": {"type": ["number", "null"]},
        "ms_batch": {"type": ["number", "null"]},
        "difference": {"type": ["number", "null"]},
        "refused": {"type": ["string", "null"]},
        "chosen": {"type": "boolean"},
    }
)

_MODEL: Json = record(
    {
        "name": STRING,
        "version": VERSION,
        "versions": listed(VERSION),
        "default": {"type": "boolean"},
        "task": STRING,
        "output": STRING,
        "multi_label": {"type": "boolean"},
        "labels": STRINGS,
        "input": {
            "anyOf": [
                {
                    "allOf": [
                        ref("Tensor"),
                        record({"image": {"anyOf": [_SPEC, {"type": "null"}]}}),
                    ]
                },
                {"type": "null"},
            ]
        },
        "inputs": listed(ref("Tensor")),
        "outputs": listed(ref("Tensor")),
        "engine": STRING,
        "precision": STRING,
        "batch_sizes": listed(COUNT),
        "agreement": {"type": ["number", "null"]},
        "engines": listed(_MEASURED),
        "engine_notes": STRINGS,
        "inferred": STRINGS,
        "examples": STRINGS,
        "sha256": STRING,
        "load_seconds": NUMBER,
    }
)

SCHEMAS: Json = {
    "Id": TOKEN | {"description": "the server's own name for this request"},
    "ModelName": record({"name": STRING, "version": VERSION}),
    "Prediction": _PREDICTION,
    "Values": _VALUES,
    "Result": {
        "description": "Of one input among several; one bad input never spoils its "
        "neighbours.",
        "anyOf": [
            record({"predictions": listed(ref("Prediction"))}),
            record({"error": STRING, "code": STRING}),
        ],
    },
    "Predicted": record(
        {"success": TRUE, "predictions": listed(ref("Prediction")), **_ABOUT}
    ),
    "PredictedMany": record(
        {"success": TRUE, "results": listed(ref("Result"), minItems=1), **_ABOUT}
    ),
    "Tensor": _TENSOR,
    "Failed": _FAILED,
    "Model": _MODEL,
    "Models": record(
        {
            "default": {"type": ["string", "null"]},
            "models": listed(ref("Model")),
            "loading": listed(
                record(
                    {
                        "name": STRING,
                        "version": VERSION,
                        "stage": STRING,
                        "percent": COUNT,
                    }
                )
            ),
            "failed": listed(ref("Failed")),
            "keep_uploads": {"enum": ["none", "flagged", "all"]},
            "uploads_max_age_days": NUMBER,
        }
    ),
}
