"""The nodes of a graph and its functions, as far as judging them takes.

The field numbers are those of TensorFlow's function.proto, node_def.proto and
attr_value.proto.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from .refusal import Refused
from .wire import fields, messages, text, texts

RESOURCE, VARIANT = 20, 21  # DataType: constants that are pointers


@dataclass
class Node:
    """One operation, and the functions that its attributes name."""

    name: str
    op: str
    inputs: list[str]
    calls: list[str] = field(default_factory=list)


@dataclass
class Function:
    """A body of nodes; the graph around all functions is called ""."""

    name: str
    nodes: list[Node]


def read_function(message: memoryview) -> Function:
    """A FunctionDef."""
    (signature,) = messages(message, 1)
    return Function(
        text(signature, 1), [read_node(node) for node in messages(message, 3)]
    )


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
