"""Layers that only Keras 2 writes: TensorFlow's functions and operations by name.

`x / 255.` on a Keras tensor became a TFOpLambda of "math.truediv", in older files a
TensorFlowOpLayer around the node of a graph. Keras 2 accepts any public name there;
what only computes is allowed.
"""

import json
import re
from typing import Any

from .isolated import Refused, shown

FUNCTIONS = re.compile(
    r"(math|nn|image|linalg|signal|strings|bitwise|__operators__)(\.[a-z]\w*){1,2}"
)
_BARE_FUNCTIONS = """
    abs acos acosh add argmax argmin argsort as_string asin asinh atan atan2 atanh
    batch_to_space boolean_mask broadcast_to cast clip_by_norm clip_by_value complex
    concat constant convert_to_tensor cos cosh cumsum divide dynamic_partition
    dynamic_stitch edit_distance einsum ensure_shape equal exp expand_dims eye fill
    floor gather gather_nd greater greater_equal histogram_fixed_width identity
    identity_n less less_equal linspace logical_and logical_not logical_or matmul
    maximum meshgrid minimum multiply negative norm not_equal one_hot ones ones_like
    pad pow range rank realdiv reduce_all reduce_any reduce_logsumexp reduce_max
    reduce_mean reduce_min reduce_prod reduce_sum repeat reshape reverse
    reverse_sequence roll round saturate_cast scatter_nd searchsorted sequence_mask
    shape shape_n sigmoid sign sin sinh size slice sort space_to_batch split sqrt
    square squeeze stack stop_gradient strided_slice subtract tan tanh
    tensor_scatter_nd_add tensor_scatter_nd_update tensordot tile transpose truediv
    unique unique_with_counts unstack where zeros zeros_like
"""
BARE_FUNCTIONS = frozenset(_BARE_FUNCTIONS.split())
CLASSES = ("RaggedTensor", "SparseTensor", "sparse.SparseTensor")
PUBLIC = re.compile(r"[a-z]\w*")

_GONE = """
    BatchNormalizationV1 BatchNormalizationV2 CuDNNGRU CuDNNLSTM DenseFeatures GRUV1
    GRUV2 GlorotNormalV2 GlorotUniformV2 HeNormalV2 HeUniformV2 LSTMV1 LSTMV2
    LocallyConnected1D LocallyConnected2D LocallyConnected3D Policy PolicyV1
    SyncBatchNormalization ThresholdedReLU
"""
GONE = frozenset(_GONE.split())
"""Classes of Keras 2 that the installed Keras may not have; they only compute."""

NAMES = frozenset(
    (
        *("ClassMethod", "InstanceMethod", "InstanceProperty", "SlicingOpLambda"),
        *("TFOpLambda", "TensorFlowOpLayer"),
    )
)


def vet_layer(layer: str, config: Any) -> set[str]:
    """Refuse a function that does more than compute; `layer` is one of NAMES.

    Returns the operation that a TensorFlowOpLayer runs, not yet judged.
    """
    if not isinstance(config, dict):
        raise Refused(f"has a {layer} layer without a configuration: save it again")
    if layer == "TensorFlowOpLayer":
        return {_operation(config.get("node_def"))}
    if layer in ("TFOpLambda", "SlicingOpLambda"):
        function = config.get("function")
        if not _computes(function):
            raise Refused(_does_more(layer, config, f"tf.{function}"))
    elif layer == "ClassMethod" and config.get("cls_symbol") not in CLASSES:
        called = f"tf.{config.get('cls_symbol')}.{config.get('method_name')}"
        raise Refused(_does_more(layer, config, called))
    else:
        key = "attr_name" if layer == "InstanceProperty" else "method_name"
        if not PUBLIC.fullmatch(str(config.get(key))):
            raise Refused(_does_more(layer, config, str(config.get(key))))
    return set()


def _computes(function: object) -> bool:
    if not isinstance(function, str):
        return False
    return function in BARE_FUNCTIONS or FUNCTIONS.fullmatch(function) is not None


def _does_more(layer: str, config: dict[str, Any], called: str) -> str:
    return (
        f"has a {layer} layer {shown(config.get('name'))} that calls {shown(called)}, "
        "which is not known to only compute: rewrite it as a layer class in custom.py"
    )


def _operation(node: object) -> str:
    """The operation of a node, which is a JSON object or its text."""
    if isinstance(node, str):
        try:
            node = json.loads(node)
        except ValueError:
            node = None
    operation = node.get("op") if isinstance(node, dict) else None
    if not isinstance(operation, str) or not re.fullmatch(r"[\w>]+", operation):
        raise Refused(
            "has a TensorFlowOpLayer whose operation cannot be read: save the model "
            "again with TensorFlow 2.4 or newer"
        )
    attributes = json.dumps(node)
    if '"func"' in attributes or "DT_RESOURCE" in attributes:
        raise Refused(
            f"has a TensorFlowOpLayer whose operation {shown(operation)} takes a "
            "function or a handle: rewrite it as a layer class in custom.py"
        )
    return operation
