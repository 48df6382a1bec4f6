"""What clients of TensorFlow Serving's REST send and hear."""

from .pieces import Json, listed, record
from .schemas import NUMBER, STRING, STRINGS, VERSION

_SIGNATURE: Json = {"type": ["string", "null"], "description": "serving_default"}

_PREDICT: Json = {
    "type": "object",
    "properties": {
        "instances": {
            "type": "array",
            "minItems": 1,
            "maxItems": 256,
            "items": {},
            "description": "rows: a value each, or an object by the inputs' names; "
            'bytes are {"b64": …}, an encoded image for a model of pictures',
        },
        "inputs": {
            "type": ["array", "object"],
            "description": "columns: a list of values, or one by each input's name",
        },
        "signature_name": _SIGNATURE,
    },
    "oneOf": [{"required": ["instances"]}, {"required": ["inputs"]}],
}

_EXAMPLES: Json = record(
    {
        "examples": listed(
            {"type": "object", "description": "values by the inputs' names"},
            minItems=1,
            maxItems=256,
        )
    },
    {"context": {"type": "object"}, "signature_name": _SIGNATURE},
)

SCHEMAS: Json = {
    "V1Predict": _PREDICT,
    "V1Examples": _EXAMPLES,
    "V1Predicted": {
        "anyOf": [record({"predictions": listed({})}), record({"outputs": {}})]
    },
    "V1Classified": record({"results": listed(listed(listed({}, minItems=2)))}),
    "V1Regressed": record({"results": listed(NUMBER)}),
    "V1Models": record({"models": STRINGS}),
    "V1Status": record(
        {
            "name": STRING,
            "ready": {"type": "boolean"},
            "model_version_status": listed(
                record(
                    {
                        "version": VERSION,
                        "state": {
                            "enum": [
                                "START",
                                "LOADING",
                                "AVAILABLE",
                                "UNLOADING",
                                "END",
                            ]
                        },
                        "status": record(
                            {
                                "error_code": {"enum": ["OK", "UNKNOWN"]},
                                "error_message": STRING,
                            }
                        ),
                    }
                )
            ),
        }
    ),
    "V1Metadata": record(
        {
            "model_spec": record(
                {"name": STRING, "signature_name": STRING, "version": VERSION}
            ),
            "metadata": record({"signature_def": {"type": "object"}}),
        }
    ),
}
