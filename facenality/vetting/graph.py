"""What a SavedModel's graph would run: only operations that compute.

TensorFlow operations read and write files, start servers and call Python; those of
`graph_ops` do not. Saving and restoring is left to the two functions that the SaverDef
names, as long as nothing else in the file leads to them.

The field numbers are those of TensorFlow's saved_model.proto, meta_graph.proto,
graph.proto and saver.proto.
"""

import re
from collections import Counter
from itertools import chain

from .graph_ops import OPS
from .nodes import Function, Node, read_function, read_node
from .refusal import Refused, shown
from .wire import messages, text, texts

SAVING = frozenset({"SaveV2", "MergeV2Checkpoints"})
RESTORING = frozenset({"RestoreV2"})
LIKE_AN_OP = re.compile(r"_*[A-Z][A-Za-z0-9>]*")


def vet_graph(saved_model: bytes) -> None:
    """Refuse what runs anything but listed operations. Raises ValueError if damaged."""
    graphs = list(messages(memoryview(saved_model), 2))
    if not graphs:
        raise Refused("has no graph in it: export it again")
    for graph in graphs:
        _vet_meta_graph(graph)


def _vet_meta_graph(meta: memoryview) -> None:
    top = Function("", [read_node(node) for node in messages(meta, 2, 1)])
    library = [read_function(one) for one in messages(meta, 2, 2, 1)]
    names = {function.name for function in library}
    for name in names:
        if LIKE_AN_OP.fullmatch(name):
            raise Refused(f"calls a function {shown(name)}, like an operation")
    granted = _saver(meta, top, library)
    for function in (top, *library):
        for node in function.nodes:
            if not _is_granted(node, granted.get(function.name, frozenset())):
                _vet_node(node, function.name, names)
    for file in texts(meta, 6, 2):
        if file.startswith("/") or ".." in file.split("/") or ":" in file:
            raise Refused(f"has the asset {shown(file)} outside its folder")


def _is_granted(node: Node, granted: frozenset[str]) -> bool:
    """Restoring must be from the files that the function is given, no others."""
    given = node.op not in RESTORING or ":" not in node.inputs[0]
    return node.op in granted and given


def _vet_node(node: Node, function: str, library: set[str]) -> None:
    for called in (node.op, *node.calls):
        if called not in OPS and called not in library:
            where = f" (in {shown(function)})" if function else ""
            raise Refused(
                f"runs the operation {shown(called)}{where}, which is not known to do "
                "nothing but compute: export the model without it"
            )


def _saver(
    meta: memoryview, top: Function, library: list[Function]
) -> dict[str, frozenset[str]]:
    """What the functions of the SaverDef may do, if only the SaverDef leads to them."""
    entries = {
        _node_of(text(saver, number)): operations
        for saver in messages(meta, 3)
        for number, operations in ((2, SAVING), (3, RESTORING))
    }
    # Who else may lead there: the object graph, other nodes, signatures, start-up.
    uses = Counter(texts(meta, 7, 2, 1))
    for function in (top, *library):
        for node in function.nodes:
            uses.update({node.op, *node.calls})
    led_to = chain(
        (name for node in top.nodes for name in node.inputs),
        texts(meta, 5, 2, 2, 2, 1),
        texts(meta, 4, 2, 1, 1),
    )
    alone = entries.keys() - set(map(_node_of, led_to)) - {""}
    return {
        function: entries[node.name]
        for node in top.nodes
        if node.name in alone
        for function in node.calls
        if uses[function] == 1
    }


def _node_of(tensor: str) -> str:
    """`^node` and `node:0` are both about `node`."""
    return tensor.lstrip("^").partition(":")[0]
