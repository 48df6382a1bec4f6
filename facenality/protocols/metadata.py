"""A model's signature in the format of each protocol, with -1 as the batch axis."""

from typing import Any

from ..spec import TensorSpec
from .signature import MAX_INSTANCES, Signature, names_of
from .v1 import SIGNATURE
from .v2_request import batched

IMAGES = "an encoded image (JPEG, PNG, WebP, GIF, BMP) for each instance, shape [-1]"


def signature_def(signature: Signature) -> dict[str, Any]:
    """TensorFlow Serving's `signature_def`: protobuf's JSON of a SignatureDefMap."""
    inputs = {one.name: _tensor_info(one) for one in signature.inputs}
    outputs = {one.name: _tensor_info(one) for one in signature.outputs}
    method = "tensorflow/serving/predict"
    one = {"inputs": inputs, "outputs": outputs, "method_name": method}
    return {"signature_def": {SIGNATURE: one}}


def _tensor_info(facts: TensorSpec) -> dict[str, Any]:
    unknown = facts.shape is None
    sizes = [] if unknown else [str(length) for length in batched(facts)]
    return {
        "dtype": names_of(facts.dtype).tensorflow,
        "tensor_shape": {
            "dim": [{"size": size, "name": ""} for size in sizes],
            "unknown_rank": unknown,
        },
        "name": facts.name,
    }


def v2_inputs(signature: Signature) -> list[dict[str, Any]]:
    """The inputs of V2 metadata; those of image models mention BYTES as well."""
    more = {"parameters": {"BYTES": IMAGES}} if signature.images else {}
    return [_tensor(one) | more for one in signature.inputs]


def v2_outputs(signature: Signature) -> list[dict[str, Any]]:
    """The outputs of V2 metadata."""
    return [_tensor(one) for one in signature.outputs]


def _tensor(facts: TensorSpec) -> dict[str, Any]:
    return {
        "name": facts.name,
        "datatype": names_of(facts.dtype).v2,
        "shape": batched(facts),
    }


def v2_config(signature: Signature) -> dict[str, Any]:
    """The fields of Triton's ModelConfig that apply; `dims` exclude the batch axis."""
    return {
        "max_batch_size": MAX_INSTANCES,
        "input": [_config(one) for one in signature.inputs],
        "output": [_config(one) for one in signature.outputs],
    }


def _config(facts: TensorSpec) -> dict[str, Any]:
    datatype = names_of(facts.dtype).v2
    kind = "TYPE_STRING" if datatype == "BYTES" else f"TYPE_{datatype}"
    return {"name": facts.name, "data_type": kind, "dims": batched(facts)[1:]}
