"""What a traced graph does first with a picture, and what it makes its output with.

Reads graphs of any origin: of Keras 3 and 2, SavedModels, and frozen graphs.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import tensorflow as tf

from ...arrays import Array
from ...spec import ModelSpec, TensorSpec
from .. import pixel_scale
from ..pixel_scale import FirstSteps

MOST_STEPS = 60  # from the input to the first layer with weights

# What tells the shape, or arranges numbers without changing them.
LOOKS_ON = frozenset({"Shape", "ShapeN", "Rank", "Size", "Assert", "NoOp"})
SLICES = frozenset({"StridedSlice", "Slice", "Split", "SplitV", "Unpack", "GatherV2"})
ARRANGES = SLICES | {
    *("Identity", "IdentityN", "Snapshot", "StopGradient", "PreventGradient"),
    *("Cast", "EnsureShape", "CheckNumerics", "PlaceholderWithDefault"),
    *("Reshape", "ExpandDims", "Squeeze", "Transpose", "ReverseV2"),
    *("Pad", "PadV2", "MirrorPad", "Pack", "ConcatV2"),
    *("Minimum", "Maximum", "ClipByValue", "ScaleAndTranslate"),
    *("ResizeBilinear", "ResizeNearestNeighbor", "ResizeBicubic", "ResizeArea"),
}
DECODES = frozenset(
    {
        *("DecodeJpeg", "DecodePng", "DecodeImage", "DecodeBmp", "DecodeGif"),
        "DecodeAndCropJpeg",
    }
)
Number = float | None


def told_by(function: Any, facts: ModelSpec) -> ModelSpec:
    """`facts` with what the graph of `function` tells of the pictures that it takes.

    `function` is a ConcreteFunction whose inputs are those of `facts`, in their order.
    """
    facts = replace(facts, outputs=_outputs(function, facts))
    if any(one.dtype == "string" for one in facts.inputs):
        return replace(facts, decodes_pictures=_decodes(function))
    place = next((i for i, one in enumerate(facts.inputs) if one.is_picture()), None)
    if place is None:
        return facts
    steps = first_steps(function, function.inputs[place])
    rescales, wanted = pixel_scale.read(steps, layer_names(function))
    if wanted is None or wanted.guess:  # the library may have told more
        wanted = facts.pixel_scale or wanted
    return replace(facts, rescales=rescales, pixel_scale=wanted)


# What may stand between the activation and the output.
AFTER = frozenset(
    {
        *("Identity", "IdentityN", "Cast", "Reshape", "Squeeze", "ExpandDims"),
        *("Transpose", "StridedSlice", "StopGradient", "Placeholder"),
    }
)
ACTIVATIONS = {"Softmax": "softmax", "Sigmoid": "sigmoid", "Relu": "relu"}
ACTIVATIONS |= {"Relu6": "relu6", "Tanh": "tanh", "Elu": "elu", "Selu": "selu"}
ACTIVATIONS |= {"Softplus": "softplus", "LogSoftmax": "log_softmax"}
LINEAR = frozenset({"MatMul", "BatchMatMulV2", "BatchMatMul", "Einsum", "Conv2D"})
SUMS = frozenset({"Add", "AddV2", "BiasAdd"})


def last_activation(function: Any) -> str:
    """What makes the first output: "softmax", "sigmoid", "linear", ..., or "custom".

    Only what lies on the way to that output counts.
    """
    operation = function.outputs[0].op
    while operation.type in AFTER:
        if not operation.inputs:  # the input, as it is
            return "linear"
        operation = operation.inputs[0].op
    if operation.type == "RealDiv" and _is_softmax(operation):
        return "softmax"
    if operation.type in SUMS:  # of a product and its bias
        makers = {one.op.type for one in operation.inputs}
        makers |= {
            one.op.inputs[0].op.type
            for one in operation.inputs
            if one.op.type in AFTER and one.op.inputs
        }
        return "linear" if makers & LINEAR else "custom"
    if operation.type in LINEAR:
        return "linear"
    return ACTIVATIONS.get(operation.type, "custom")


def _is_softmax(division: Any) -> bool:
    """exp(x) / sum(exp(x)), which Keras 2 writes for more than two axes."""
    above, below = (one.op for one in division.inputs)
    return above.type == "Exp" and below.type == "Sum" and below.inputs[0].op is above


def _outputs(function: Any, facts: ModelSpec) -> tuple[TensorSpec, ...]:
    """With the dtypes that the graph has: Keras takes its strings for numbers."""
    return tuple(
        replace(one, dtype="string") if tensor.dtype == tf.string else one
        for one, tensor in zip(facts.outputs, function.outputs, strict=True)
    )


def layer_names(function: Any) -> set[str]:
    """The parts of the operations' names: Keras names their scopes after its layers."""
    names = (operation.name for operation in function.graph.get_operations())
    return {part for name in names for part in name.split("/")}


def _decodes(function: Any) -> bool:
    graph = function.graph.as_graph_def()
    nodes = [*graph.node, *(n for f in graph.library.function for n in f.node_def)]
    return any(node.op in DECODES for node in nodes)


def first_steps(function: Any, tensor: Any) -> FirstSteps:
    """Follow `tensor` as far as it is only multiplied, moved, resized or arranged."""
    steps, constants = FirstSteps(), _Constants(function)
    for _ in range(MOST_STEPS):
        readers = [one for one in tensor.consumers() if one.type not in LOOKS_ON]
        sliced = {one.type for one in readers} <= SLICES
        if not readers or (len(readers) > 1 and not sliced):
            break
        operation = readers[0]
        if operation.type not in ARRANGES:
            taken = _arithmetic(operation, tensor, steps, constants)
            if taken is None:
                break
            steps = taken
        tensor = operation.outputs[0]
    return steps


def _arithmetic(
    operation: Any, tensor: Any, steps: FirstSteps, constants: "_Constants"
) -> FirstSteps | None:
    """`steps` and this operation, where it is one with constants."""
    if operation.type in ("FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3"):
        return _normalized(operation, steps, constants)
    if len(operation.inputs) != 2:
        return steps.times(-1) if operation.type == "Neg" else None
    first = operation.inputs[0] is tensor
    number = constants.mean(operation.inputs[1 if first else 0])
    if number is None:
        return None
    match operation.type:
        case "Mul":
            return steps.times(number)
        case "Add" | "AddV2" | "BiasAdd":
            return steps.plus(number)
        case "Sub":
            return steps.plus(-number) if first else steps.times(-1).plus(number)
        case "RealDiv" | "Div" | "DivNoNan" if first and number:
            return steps.times(1 / number)
    return None


def _normalized(
    operation: Any, steps: FirstSteps, constants: "_Constants"
) -> FirstSteps | None:
    """A BatchNormalization that comes first knows mean and variance of the pixels."""
    numbers = [constants.mean(one) for one in list(operation.inputs)[1:5]]
    if any(number is None for number in numbers):
        return None
    scale, offset, mean, variance = (float(n or 0) for n in numbers)
    factor = scale / np.sqrt(variance + operation.get_attr("epsilon"))
    return steps.normalized(mean, float(factor), offset)


_OF_ONE: dict[str, Callable[[Array], Array]] = {
    "Identity": np.asarray,
    "Cast": np.asarray,
    "Reshape": np.asarray,
    "ExpandDims": np.asarray,
    "Squeeze": np.asarray,
    "BroadcastTo": np.asarray,
    "ReadVariableOp": np.asarray,
    "Sqrt": np.sqrt,
    "Rsqrt": lambda x: 1 / np.sqrt(x),
    "Neg": np.negative,
    "Reciprocal": np.reciprocal,
    "Square": np.square,
}
_OF_TWO: dict[str, Callable[[Array, Array], Array]] = {
    "Maximum": np.maximum,
    "Minimum": np.minimum,
    "Add": np.add,
    "AddV2": np.add,
    "Sub": np.subtract,
    "Mul": np.multiply,
    "RealDiv": np.divide,
}
LARGEST = 10_000  # numbers in a constant: a picture's mean, no weights


class _Constants:
    """The values in a graph that do not depend on its inputs."""

    def __init__(self, function: Any) -> None:
        held = {id(v.handle): v for v in getattr(function, "variables", ())}
        self._captured = {
            id(inner): held.get(id(outer), outer)
            for outer, inner in getattr(function.graph, "captures", ())
        }

    def mean(self, tensor: Any) -> Number:
        """The mean of a constant; None for what is none."""
        value = self.of(tensor)
        if value is None or not value.size or value.dtype.kind not in "fiu":
            return None
        number = float(np.mean(value, dtype=np.float64))
        return number if np.isfinite(number) else None

    def of(self, tensor: Any, depth: int = 12) -> Array | None:
        """The value of a small constant, or of what is computed from some."""
        operation = tensor.op
        if operation.type == "Const":
            size = tensor.shape.num_elements()
            large = size is None or size > LARGEST
            return None if large else tf.make_ndarray(operation.get_attr("value"))
        if id(tensor) in self._captured:
            return self._of_captured(self._captured[id(tensor)])
        if depth == 0:
            return None
        if compute := _OF_ONE.get(operation.type):
            value = self.of(operation.inputs[0], depth - 1)
            return None if value is None else compute(value)
        if combine := _OF_TWO.get(operation.type):
            one, other = (self.of(part, depth - 1) for part in operation.inputs)
            return None if one is None or other is None else combine(one, other)
        return None

    @staticmethod
    def _of_captured(held: Any) -> Array | None:
        if held.dtype in (tf.resource, tf.variant, tf.string):
            return None
        size = held.shape.num_elements()
        return None if size is None or size > LARGEST else np.asarray(held)
