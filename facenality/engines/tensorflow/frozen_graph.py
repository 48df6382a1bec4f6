"""A traced function -> a graph whose weights are constants; to a file, and back again.

The file is a MetaGraphDef: the graph, and which of its tensors go in and come out, in
the facts' order. Who opens it needs neither Keras nor the model's own file.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import (
    convert_variables_to_constants_v2,
)

from ...errors import ModelLoadFailed

SIGNATURE = "serving_default"

# Constants are copied some fifteen times on their way into a graph: 355 MB of
# ConvNeXtBase became 5 GB, and were no faster than variables.
MAX_BYTES = 256 * 1024 * 1024

IN_PYTHON = frozenset({"PyFunc", "PyFuncStateless", "EagerPyFunc"})  # ends with us


def frozen(function: Any) -> Any:
    """`function` with constants for variables, except where it has tables of strings.

    A table cannot be a constant: then the function stays as it is.
    """
    if any("Table" in op for op in operations(function.graph.as_graph_def())):
        return function
    return convert_variables_to_constants_v2(function)


def weight_bytes(function: Any) -> int:
    """Bytes of its variables."""
    return sum(one.shape.num_elements() * one.dtype.size for one in function.variables)


def operations(graph: Any) -> Iterator[str]:
    """The operations of a GraphDef, those of its functions too."""
    yield from (node.op for node in graph.node)
    yield from (node.op for one in graph.library.function for node in one.node_def)


def write(graph: Any, file: Path) -> bool:
    """Whether the frozen `graph` was written: what calls Python back cannot be.

    Raises ModelLoadFailed where it cannot be opened again.
    """
    written = tf.compat.v1.MetaGraphDef()
    written.graph_def.CopyFrom(graph.graph.as_graph_def())
    if graph.captured_inputs or IN_PYTHON.intersection(operations(written.graph_def)):
        return False
    signature = written.signature_def[SIGNATURE]
    for place, tensor in enumerate(graph.inputs):
        signature.inputs[str(place)].name = tensor.name
    for place, tensor in enumerate(graph.outputs):
        signature.outputs[str(place)].name = tensor.name
    file.write_bytes(written.SerializeToString())
    read(file)
    return True


def read(file: Path) -> Any:
    """The graph in `file`, to be called with positional tensors.

    Raises ModelLoadFailed.
    """
    kept = tf.compat.v1.MetaGraphDef()
    try:
        kept.ParseFromString(file.read_bytes())
        signature = kept.signature_def[SIGNATURE]
        ends = [_in_order(named) for named in (signature.inputs, signature.outputs)]
        whole = tf.compat.v1.wrap_function(
            lambda: tf.graph_util.import_graph_def(kept.graph_def, name=""), []
        )
        feeds, fetches = ([whole.graph.get_tensor_by_name(n) for n in e] for e in ends)
        return whole.prune(feeds, fetches)
    except Exception as error:  # of many kinds: protobuf's, ValueError, KeyError
        raise ModelLoadFailed("TensorFlow cannot open its frozen graph") from error


def _in_order(named: Any) -> list[str]:
    return [named[str(place)].name for place in range(len(named))]
