"""A graph that Keras handed to OpenVINO -> the same graph with fewer transposes.

Theory of operation. Keras keeps channels last, and OpenVINO computes with channels
first; so Keras's backend turns a tensor before each convolution, normalisation and
pooling, and back again after it. OpenVINO's own passes join a convolution with what
follows it directly, and find a transpose there: such a network takes two to three times
as long. Here each transpose sinks below what computes every number by itself, or along
axes that can be renamed, until it meets the next one: two become one, or none. What is
not known here keeps its transposes, and its answers.

An order has the axes of what goes in, in the order in which they come out: axis a of
the tensor that was turned is axis order[a] of its source.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from openvino.passes import ConstantFolding, Manager

from . import openvino

ops = openvino.opset13

# One number in, one number out; Convert is there since Keras names each result's dtype.
EACH = (
    "Abs Add Ceiling Clamp Convert Divide Elu Erf Exp Floor Gelu HSigmoid HSwish "
    "HardSigmoid LeakyRelu Log Maximum Mish Minimum Multiply Negative Power Relu "
    "Sigmoid Sign SoftPlus SoftSign Sqrt SquaredDifference Subtract Swish Tanh"
)
REDUCING = "ReduceMean ReduceMax ReduceMin ReduceSum"


def rewrite(model: Any) -> None:
    """Let the transposes of `model` sink, in place."""
    folding = Manager()
    folding.register_pass(ConstantFolding())  # weights are turned once, here
    folding.run_passes(model)
    for node in model.get_ordered_ops():
        if rule := _RULES.get(node.get_type_name()):
            rule(node)
    model.validate_nodes_and_infer_types()


def _meet(transpose: Any) -> None:
    """Two transposes in a row are one, or none."""
    outer, turned = _order(transpose), transpose.input_value(0)
    inner = _order(turned.get_node())
    if outer is None or inner is None:
        return
    source = turned.get_node().input_value(0)
    both = [inner[axis] for axis in outer]
    in_place = both == sorted(both)
    transpose.output(0).replace(source if in_place else _transposed(source, both))


def _each(node: Any) -> None:
    orders = [order for one in node.input_values() if (order := _order(one.get_node()))]
    if not orders or len(orders[0]) != _rank(node.output(0)):
        return
    sources = [_source(value, orders[0]) for value in node.input_values()]
    if None not in sources:
        _compute(node, sources, orders[0])


def _normalise(node: Any) -> None:
    """Its channels are axis 1, wherever the others are."""
    order = _order(node.input_value(0).get_node())
    if order and order[1] == 1:
        source = node.input_value(0).get_node().input_value(0)
        _compute(node, [source, *node.input_values()[1:]], order)


def _pad(node: Any) -> None:
    data, begin, end, *value = node.input_values()
    order = _order(data.get_node())
    if order is None or not (_is_constant(begin) and _is_constant(end)):
        return
    back = np.argsort(order)
    moved = [_constant(width.get_node().data[back]) for width in (begin, end)]
    _compute(node, [data.get_node().input_value(0), *moved, *value], order)


def _concat(node: Any) -> None:
    order = _order(node.input_value(0).get_node())
    if order is None:
        return
    sources = [_source(value, order) for value in node.input_values()]
    if None not in sources:
        node.set_attribute("axis", order[node.get_attributes()["axis"]])
        _compute(node, sources, order)


def _reduce(node: Any) -> None:
    data, axes = node.input_values()
    order = _order(data.get_node())
    if order is None or not _is_constant(axes):
        return
    gone = sorted({order[axis] for axis in np.atleast_1d(axes.get_node().data)})
    kept = node.get_attributes()["keep_dims"]
    left = [axis for axis in order if axis not in gone]
    if kept or left == sorted(left):  # else what is left would be in another order
        inputs = [data.get_node().input_value(0), _constant(np.array(gone))]
        _compute(node, inputs, order if kept else None)


def _compute(node: Any, inputs: list[Any], order: list[int] | None) -> None:
    """Let `node` compute from the sources; who reads it is handed what it was."""
    readers = node.output(0).get_target_inputs()
    node.set_arguments(inputs)
    node.validate_and_infer_types()
    if order:
        turned = _transposed(node.output(0), order)
        for reader in readers:
            reader.replace_source_output(turned)


def _source(value: Any, order: list[int]) -> Any | None:
    """What gives `value` when it is turned by `order`; None where that would cost."""
    if _order(value.get_node()) == order:
        return value.get_node().input_value(0)
    back, rank = list(map(int, np.argsort(order))), len(order)
    if _is_constant(value):
        data = value.get_node().data
        if data.size == 1:
            return value
        whole = data.reshape([1] * (rank - data.ndim) + list(data.shape))
        return _constant(np.ascontiguousarray(whole.transpose(back)))
    sizes = [one.get_length() if one.is_static else 0 for one in _shape(value)]
    if len(sizes) == rank and sum(size != 1 for size in sizes[1:]) <= 1:
        return _transposed(value, back)  # a number a channel
    return None


def _order(node: Any) -> list[int] | None:
    """That of a Transpose, where it is known."""
    if node.get_type_name() != "Transpose" or not _is_constant(node.input_value(1)):
        return None
    return list(map(int, node.input_value(1).get_node().data)) or None


def _transposed(value: Any, order: list[int]) -> Any:
    return ops.transpose(value, _constant(np.array(order))).output(0)


def _is_constant(value: Any) -> bool:
    return bool(value.get_node().get_type_name() == "Constant")


def _constant(data: Any) -> Any:
    return ops.constant(data).output(0)


def _shape(value: Any) -> list[Any]:
    return list(value.get_partial_shape())


def _rank(value: Any) -> int:
    return len(_shape(value))


_RULES: dict[str, Callable[[Any], None]] = (
    {
        "Transpose": _meet,
        "BatchNormInference": _normalise,
        "Pad": _pad,
        "Concat": _concat,
    }
    | dict.fromkeys(EACH.split(), _each)
    | dict.fromkeys(REDUCING.split(), _reduce)
)
