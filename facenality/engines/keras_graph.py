"""What a Keras model's own graph tells: its first operations, and its last activation.

Works on any backend of Keras. With TensorFlow the traced graph tells more, see
`tensorflow.graph_facts`.
"""

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

from ..spec import PixelScale, Preprocess
from . import pixel_scale
from .pixel_scale import FirstSteps

MOST_STEPS = 60  # from the input to the first layer with weights

# Operations and layers that arrange numbers without changing them when they answer.
ARRANGES = frozenset(
    {
        *("InputLayer", "Identity", "Cast", "GetItem", "Stack", "Concatenate", "Flip"),
        *("Transpose", "Permute", "Reshape", "Squeeze", "ExpandDims", "Flatten"),
        *("ZeroPadding2D", "Pad", "Clip", "Dropout", "GaussianNoise", "CenterCrop"),
        *("Cropping2D", "Minimum", "Maximum", "Resize", "Resizing"),
        *("Split", "SpatialDropout2D", "AlphaDropout", "ActivityRegularization"),
    }
)
CHANNELS = frozenset({"GetItem", "Split"})


def first_steps(model: Any) -> FirstSteps:
    """What the model does with its first picture before the first layer of weights."""
    picture = next((t for t in model.inputs if len(t.shape) in (3, 4)), None)
    return FirstSteps() if picture is None else _follow(model, picture, FirstSteps())[0]


def _follow(model: Any, tensor: Any, steps: FirstSteps) -> tuple[FirstSteps, bool]:
    """The steps from `tensor` on, and whether they lead out of `model` again."""
    for _ in range(MOST_STEPS):
        if any(tensor is output for output in model.outputs):
            return steps, True
        nodes = [node for node in _nodes(model) if _reads(node, tensor)]
        sliced = all(type(node.operation).__name__ in CHANNELS for node in nodes)
        if not nodes or (len(nodes) > 1 and not sliced):
            return steps, False
        operation = nodes[0].operation
        if isinstance(operation, keras.Model) and getattr(operation, "inputs", None):
            steps, out = _follow(operation, operation.inputs[0], steps)
            if not out:
                return steps, False
        else:
            taken = _taken(nodes[0], tensor, steps)
            if taken is None:
                return steps, False
            steps = taken
        tensor = nodes[0].outputs[0]
    return steps, False


def _nodes(model: Any) -> Iterator[Any]:
    functional = getattr(model, "_functional", None) or model
    by_depth = getattr(functional, "_nodes_by_depth", {})
    return (n for nodes in by_depth.values() for n in nodes if not n.is_input)


def _reads(node: Any, tensor: Any) -> bool:
    return any(tensor is one for one in node.arguments.keras_tensors)


def _taken(node: Any, tensor: Any, steps: FirstSteps) -> FirstSteps | None:
    """`steps` and this operation; None where it is the first with weights."""
    operation = node.operation
    layers, kind = keras.layers, type(operation).__name__
    if isinstance(operation, layers.Rescaling):
        factor, offset = _mean(operation.scale), _mean(operation.offset)
        return steps.times(factor).plus(offset)
    if isinstance(operation, layers.Normalization) and not operation.invert:
        deviation = np.sqrt(np.maximum(_array(operation.variance), 1e-7))
        return steps.plus(-_mean(operation.mean)).times(1 / _mean(deviation))
    if isinstance(operation, layers.BatchNormalization):
        return _normalized(operation, steps)
    if kind in ARRANGES or kind.startswith("Random"):  # augments in training only
        return steps
    return _arithmetic(kind, node, tensor, steps)


def _normalized(layer: Any, steps: FirstSteps) -> FirstSteps:
    gamma = 1.0 if layer.gamma is None else _mean(layer.gamma)
    beta = 0.0 if layer.beta is None else _mean(layer.beta)
    deviation = np.sqrt(_mean(layer.moving_variance) + layer.epsilon)
    return steps.normalized(_mean(layer.moving_mean), gamma / float(deviation), beta)


def _arithmetic(
    kind: str, node: Any, tensor: Any, steps: FirstSteps
) -> FirstSteps | None:
    given = [*node.arguments.args, *node.arguments.kwargs.values()]
    others = [one for one in given if one is not tensor]
    if len(given) != 2 or len(others) != 1:
        return steps.times(-1) if kind == "Negative" else None
    try:
        number = _mean(others[0])
    except (TypeError, ValueError):  # another tensor of the graph
        return None
    first = given[0] is tensor
    match kind:
        case "Multiply":
            return steps.times(number)
        case "Add":
            return steps.plus(number)
        case "Subtract":
            return steps.plus(-number) if first else steps.times(-1).plus(number)
        case "TrueDivide" | "Divide" if first and number:
            return steps.times(1 / number)
    return None


def _array(value: Any) -> Any:
    if isinstance(value, keras.KerasTensor):
        raise TypeError("it depends on the input")
    numbers: Any = keras.ops.convert_to_numpy(value)
    return numbers.astype("float64")


def _mean(value: Any) -> float:
    return float(np.mean(_array(value)))


def layer_names(model: Any) -> list[str]:
    """Of all layers, those of nested models too."""
    return [layer.name for layer in model._flatten_layers(include_self=False)]


# What may stand between the activation and the output.
AFTER = frozenset(
    {
        *("Reshape", "Flatten", "Squeeze", "ExpandDims", "Dropout", "Identity", "Cast"),
        *("Transpose", "Permute", "GetItem"),
    }
)
OPERATIONS = {"Softmax": "softmax", "Sigmoid": "sigmoid", "ReLU": "relu"}
LINEAR = frozenset({"Matmul", "Einsum", "Dot", "Normalization", "Rescaling"})
OTHER = "custom"  # neither a known activation nor the lack of one


def last_activation(model: Any) -> str:
    """The name of what makes the first output; "linear" where nothing does.

    Only what lies on the way to that output counts: a gate's sigmoid is no activation
    of the model.
    """
    return _activation(model, model.outputs[0])


def _activation(model: Any, tensor: Any) -> str:
    for _ in range(MOST_STEPS):
        node = next((n for n in _nodes(model) if _makes(n, tensor)), None)
        if node is None:  # the input, as it is
            return "linear"
        operation, kind = node.operation, type(node.operation).__name__
        if isinstance(operation, keras.Model) and getattr(operation, "outputs", None):
            place = next(i for i, t in enumerate(node.outputs) if t is tensor)
            return _activation(operation, operation.outputs[place])
        if kind in OPERATIONS:
            return OPERATIONS[kind]
        if kind not in AFTER:
            return _of_layer(operation, kind)
        tensor = node.arguments.keras_tensors[0]
    return OTHER


def _makes(node: Any, tensor: Any) -> bool:
    return any(tensor is one for one in node.outputs)


def _of_layer(operation: Any, kind: str) -> str:
    activation = getattr(operation, "activation", None)
    if activation is not None:
        return str(getattr(activation, "__name__", OTHER))
    inner = getattr(operation, "layer", None)  # of TimeDistributed and other wrappers
    if isinstance(inner, keras.layers.Layer):
        return _of_layer(inner, type(inner).__name__)
    return "linear" if kind in LINEAR else OTHER


def rescaling(model: Any) -> tuple[bool, PixelScale | None]:
    """Whether it scales pixels of 0..255 itself, or else the scale that it wants."""
    if wanted := _of_keras_hub(model):
        return False, wanted
    return pixel_scale.read(first_steps(model), layer_names(model))


# KerasHub's converters compute `scale` * x + `offset`, here as means of the channels.
CONVERTERS: tuple[tuple[Preprocess, float, float], ...] = (
    ("none", 1, 0),
    ("unit", 1 / 255, 0),
    ("tf", 1 / 127.5, -1),
    ("torch", 1 / 255 / 0.226, -1.988),
)
ALIKE = 0.02  # of an offset; a hundredth of it for a factor


def _of_keras_hub(model: Any) -> PixelScale | None:
    """What the preprocessor of a task of KerasHub does; None for any other model."""
    if not type(model).__module__.startswith("keras_hub."):
        return None
    converter = getattr(getattr(model, "preprocessor", None), "image_converter", None)
    if converter is None:
        reason = "KerasHub saved it without its preprocessor"
        return PixelScale("none", reason, guess=True)
    factor = 1.0 if converter.scale is None else float(np.mean(converter.scale))
    offset = 0.0 if converter.offset is None else float(np.mean(converter.offset))
    for preprocess, its_factor, its_offset in CONVERTERS:
        is_factor = abs(factor - its_factor) < ALIKE / 100
        if is_factor and abs(offset - its_offset) < ALIKE:
            reason = "its image converter in KerasHub does that"
            return PixelScale(preprocess, reason, guess=False)
    reason = f"its image converter makes {factor:.3g} * x {offset:+.3g} of a pixel x"
    return PixelScale("none", reason, guess=True)
