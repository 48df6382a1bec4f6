"""What TensorFlow would run of a SavedModel's graph: only operations that compute.

TensorFlow operations read and write files, start servers and call Python. A graph is
judged by what runs when it is loaded and served: what its signatures lead to, what sets
up its tables and variables, and what restores its weights. Anything else in the file,
such as what saves the model or reads a data set, is never run.

The field numbers are those of TensorFlow's saved_model.proto, meta_graph.proto,
saved_object_graph.proto, graph.proto, saver.proto, function.proto, node_def.proto and
attr_value.proto.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from .isolated import Refused, shown
from .operations import OUTSIDE, is_allowed
from .protobuf import fields, messages, text, texts

RESOURCE, VARIANT = 20, 21  # DataType: constants that are pointers


@dataclass
class Node:
    """One operation, and the functions that its attributes name."""

    name: str
    op: str
    inputs: list[str]
    calls: list[str] = field(default_factory=list)


def read_function(message: memoryview) -> tuple[str, list[Node]]:
    """The name and the body of a FunctionDef."""
    (signature,) = messages(message, 1)
    return text(signature, 1), [read_node(node) for node in messages(message, 3)]


def read_node(message: memoryview) -> Node:
    """A NodeDef."""
    node = Node(text(message, 1), text(message, 2), texts(message, 3))
    for value in messages(message, 5, 2):
        node.calls += _called(value)
    return node


def _called(value: memoryview) -> Iterator[str]:
    """The functions that an AttrValue names, also in lists and in their own ones."""
    for number, inner in fields(value):
        if isinstance(inner, int):
            continue
        if number == 10:
            yield from _function_names(inner)
        elif number == 1:
            for function in messages(inner, 9):
                yield from _function_names(function)
        elif number == 8 and any(
            one == 1 and kind in (RESOURCE, VARIANT) for one, kind in fields(inner)
        ):
            raise Refused("has a constant that is a handle: export the model again")


def _function_names(function: memoryview) -> Iterator[str]:
    yield from filter(None, texts(function, 1))
    for value in messages(function, 2, 2):
        yield from _called(value)


RESTORING = "RestoreV2"
LIKE_AN_OP = re.compile(r"_*[A-Z][A-Za-z0-9>]*")
AT_START = ("saved_model_main_op", "legacy_init_op")
OF_RESOURCES = ("_create_resource", "_initialize", "_destroy_resource")
SIGNATURES = "signatures"


def vet_graph(saved_model: bytes) -> None:
    """Refuse what runs more than computing. Raises ValueError where it is damaged."""
    graphs = list(messages(memoryview(saved_model), 2))
    if not graphs:
        raise Refused("has no graph in it: export it again")
    for graph in graphs:
        _vet_meta_graph(graph)


def _vet_meta_graph(meta: memoryview) -> None:
    graph = _Graph(meta)
    for name in graph.functions:
        if LIKE_AN_OP.fullmatch(name):
            raise Refused(f"calls a function {shown(name)}, like an operation")
    for function, nodes in (("", graph.top.values()), *graph.functions.items()):
        for node in nodes:
            for called in (node.op, *node.calls):
                if called not in graph.functions and OUTSIDE.search(called):
                    raise _refused(called, function)
    functions = {*_called_by_objects(meta), *_gradients(meta)}
    for function, node in graph.reached(_served(meta), functions):
        for called in (node.op, *node.calls):
            if called not in graph.functions and not is_allowed(called):
                raise _refused(called, function)
    for saver in messages(meta, 3):
        _vet_restoring(graph, saver)
    for file in texts(meta, 6, 2):
        if file.startswith("/") or ".." in file.split("/") or ":" in file:
            raise Refused(f"has the asset {shown(file)} outside its folder")


def _refused(operation: str, function: str) -> Refused:
    where = f" (in {shown(function)})" if function else ""
    return Refused(
        f"runs the operation {shown(operation)}{where}, which does more than compute: "
        "export the model without it"
    )


class _Graph:
    """The nodes of a graph by name, and its functions by name."""

    def __init__(self, meta: memoryview) -> None:
        nodes = [read_node(node) for node in messages(meta, 2, 1)]
        self.top = {node.name: node for node in nodes}
        library = [read_function(one) for one in messages(meta, 2, 2, 1)]
        self.functions = dict(library)
        if len(self.top) < len(nodes) or len(self.functions) < len(library):
            raise ValueError("two nodes or functions have one name")

    def reached(
        self, tensors: Iterable[str], functions: Iterable[str] = ()
    ) -> Iterator[tuple[str, Node]]:
        """Every node that these lead to, with the function that it is in."""
        waiting = {_node_of(tensor) for tensor in tensors}
        seen: set[str] = set()
        called = set(functions)
        while waiting:
            name = waiting.pop()
            seen.add(name)
            if node := self.top.get(name):
                yield "", node
                called |= {node.op, *node.calls}
                waiting |= {_node_of(tensor) for tensor in node.inputs} - seen
        entered: set[str] = set()
        while fresh := called & self.functions.keys() - entered:
            entered |= fresh
            for name in fresh:
                for node in self.functions[name]:
                    yield name, node
                    called |= {node.op, *node.calls}


def _vet_restoring(graph: _Graph, saver: memoryview) -> None:
    """Weights must come from the file that the loader names, no other."""
    file = _node_of(text(saver, 1))
    for function, node in graph.reached([text(saver, 3)]):
        for called in (node.op, *node.calls):
            if called == RESTORING:
                source = node.inputs[0]
                # In a function, a name without a colon is one of its arguments.
                if ":" in source if function else _node_of(source) != file:
                    raise _refused(called, function)
            elif called not in graph.functions and not is_allowed(called):
                raise _refused(called, function)


def _served(meta: memoryview) -> Iterator[str]:
    """The tensors of all signatures, and what is run at the start."""
    for signature in messages(meta, 5, 2):
        yield from texts(signature, 1, 2, 1)
        yield from texts(signature, 2, 2, 1)
    for collection in messages(meta, 4):
        if text(collection, 1) in AT_START:
            yield from texts(collection, 2, 1, 1)


def _called_by_objects(meta: memoryview) -> Iterator[str]:
    """Functions that loading and serving call by the graph of objects.

    Those are the signatures, what sets up tables, and what restores an object.
    """
    objects = list(messages(meta, 7, 1))
    run: set[int] = set()
    for one in objects:
        for edge in messages(one, 1):
            if (name := text(edge, 2)) in OF_RESOURCES:
                run.add(_number(edge, 1))
            elif name == SIGNATURES and _number(edge, 1) < len(objects):
                held = messages(objects[_number(edge, 1)], 1)
                run |= {_number(signature, 1) for signature in held}
        run |= {_number(saveable, 3) for saveable in messages(one, 11, 2)}
    for index in run:
        if index < len(objects):
            yield from texts(objects[index], 6, 1)
            yield from texts(objects[index], 8, 1)


def _gradients(meta: memoryview) -> Iterator[str]:
    """Functions that are called to explain an answer."""
    yield from texts(meta, 2, 2, 2, 2)
    yield from texts(meta, 2, 2, 3, 1)


def _number(message: memoryview, wanted: int) -> int:
    values = [value for number, value in fields(message) if number == wanted]
    if not all(isinstance(value, int) for value in values):
        raise ValueError(f"field {wanted} is no number")
    return int(values[-1]) if values else 0


def _node_of(tensor: str) -> str:
    """`^node` and `node:0` are both about `node`."""
    return tensor.lstrip("^").partition(":")[0]
