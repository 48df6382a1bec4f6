"""A frozen graph of channels first -> one that TensorFlow computes on a processor.

TensorFlow has convolutions and pools of channels first for graphics cards only. Each of
them becomes one of channels last between two transposes; its numbers stay the same.
"""

from typing import Any

import tensorflow as tf

# The data is the first input of each, and only its first output is used.
OPERATIONS = frozenset(
    {
        *("Conv2D", "DepthwiseConv2dNative", "MaxPool", "AvgPool"),
        *("FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3"),
    }
)
FIRST, LAST = b"NCHW", b"NHWC"
TO_LAST, TO_FIRST = (0, 2, 3, 1), (0, 3, 1, 2)
# Attributes with so many numbers for each axis.
BY_AXIS = {"strides": 1, "ksize": 1, "dilations": 1, "explicit_paddings": 2}


def rewritten(graph: Any) -> Any:
    """`graph`, a ConcreteFunction without variables, with its channels last."""
    definition = graph.graph.as_graph_def()
    if not any(map(_is_first, definition.node)):
        return graph
    changed = tf.compat.v1.GraphDef()
    changed.versions.CopyFrom(definition.versions)
    changed.library.CopyFrom(definition.library)
    for node in definition.node:
        if _is_first(node):
            _add_last(node, changed)
        else:
            changed.node.add().CopyFrom(node)
    whole = tf.compat.v1.wrap_function(
        lambda: tf.graph_util.import_graph_def(changed, name=""), []
    )
    ends = (graph.inputs, graph.outputs)
    feeds, fetches = (
        [whole.graph.get_tensor_by_name(tensor.name) for tensor in end] for end in ends
    )
    return whole.prune(feeds, fetches)


def _is_first(node: Any) -> bool:
    return node.op in OPERATIONS and node.attr["data_format"].s == FIRST


def _add_last(node: Any, graph: Any) -> None:
    """Add `node` as one of channels last, with a transpose of its name behind it."""
    kind = node.attr["T"].type
    given = _add_transpose(graph, f"{node.name}/last", node.input[0], TO_LAST, kind)
    last = graph.node.add()
    last.CopyFrom(node)
    last.name = f"{node.name}/of_last"
    last.input[0] = given
    last.attr["data_format"].s = LAST
    for name, each in BY_AXIS.items():
        if name in last.attr:  # reading an attribute that is not there would add it
            _reorder(last.attr[name].list.i, each)
    if "_output_shapes" in last.attr:
        del last.attr["_output_shapes"]
    _add_transpose(graph, node.name, last.name, TO_FIRST, kind)


def _reorder(numbers: Any, each: int) -> None:
    """Those of an attribute with `each` numbers for an axis, to channels last."""
    if numbers:
        before = list(numbers)
        numbers[:] = [before[axis * each + i] for axis in TO_LAST for i in range(each)]


def _add_transpose(
    graph: Any, name: str, source: str, order: tuple[int, ...], kind: int
) -> str:
    axes = graph.node.add(name=f"{name}/axes", op="Const")
    axes.attr["dtype"].type = tf.int32.as_datatype_enum
    axes.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(order, tf.int32))
    turned = graph.node.add(name=name, op="Transpose")
    turned.input.extend([source, axes.name])
    turned.attr["T"].type = kind
    turned.attr["Tperm"].type = tf.int32.as_datatype_enum
    return name
