"""What the Open Inference Protocol's clients send and hear."""

from ...protocols.datatypes import DTYPES
from .pieces import Json, listed, record
from .schemas import STRING, STRINGS, TRUE, VERSION

_PARAMETERS: Json = {"type": "object"}
_DATATYPE: Json = {"enum": list(DTYPES)}

_TENSOR: Json = record(
    {
        "name": STRING,
        "datatype": STRING,
        "shape": listed({"type": "integer"}),
    },
    {"parameters": _PARAMETERS},
)

_INFER: Json = record(
    {
        "inputs": listed(
            record(
                {
                    "name": STRING,
                    "datatype": _DATATYPE,
                    "shape": listed(
                        {"type": "integer", "minimum": 1, "maximum": 2**31 - 1},
                        minItems=1,
                        maxItems=32,
                    ),
                },
                {
                    "data": {"type": "array", "description": "flat, or nested"},
                    "parameters": _PARAMETERS,
                },
            ),
            minItems=1,
        )
    },
    {
        "id": {"type": ["string", "null"], "maxLength": 256},
        "parameters": _PARAMETERS,
        "outputs": listed(record({"name": STRING}, {"parameters": _PARAMETERS})),
    },
)

SCHEMAS: Json = {
    "V2Infer": _INFER,
    "V2Inferred": record(
        {
            "model_name": STRING,
            "model_version": VERSION,
            "outputs": listed(
                record(
                    {
                        "name": STRING,
                        "datatype": STRING,
                        "shape": listed({"type": "integer"}),
                    },
                    {"data": {"type": "array"}, "parameters": _PARAMETERS},
                )
            ),
        },
        {"id": STRING},
    ),
    "V2Server": record({"name": STRING, "version": STRING, "extensions": STRINGS}),
    "V2Live": record({"live": TRUE}),
    "V2Ready": record({"ready": TRUE}, {"name": STRING}),
    "V2Index": listed(
        record(
            {
                "name": STRING,
                "version": VERSION,
                "state": {"enum": ["READY", "UNAVAILABLE", "LOADING"]},
                "reason": STRING,
            }
        )
    ),
    "V2Model": record(
        {
            "name": STRING,
            "versions": listed(VERSION),
            "platform": STRING,
            "inputs": listed(_TENSOR),
            "outputs": listed(_TENSOR),
        }
    ),
    "V2Config": record(
        {
            "name": STRING,
            "platform": STRING,
            "max_batch_size": {"type": "integer", "minimum": 1},
            "input": listed({"type": "object"}),
            "output": listed({"type": "object"}),
        }
    ),
}
