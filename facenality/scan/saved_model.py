"""A SavedModel is a folder of a few known files around one graph.

What a SavedModel's graph would run: only operations that compute.

TensorFlow operations read and write files, start servers and call Python; those of
`graph_ops` do not. Saving and restoring is left to the two functions that the SaverDef
names, as long as nothing else in the file leads to them.

The field numbers are those of TensorFlow's saved_model.proto, meta_graph.proto,
graph.proto and saver.proto.

The nodes of a graph and its functions, as far as judging them takes.

The field numbers are those of TensorFlow's function.proto, node_def.proto and
attr_value.proto.
"""

import os
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from .allowlists import OPS
from .isolated import Refused, shown
from .protobuf import fields, messages, text, texts

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


GRAPH = "saved_model.pb"
KNOWN = re.compile(
    r"saved_model\.pb|fingerprint\.pb|keras_metadata\.pb|variables/variables\.index"
    r"|variables/variables\.data-\d{5}-of-\d{5}|assets/.+|assets\.extra/.+"
)
MAX_FILES = 1000
EXPORT_AGAIN = "export it again with model.export()"


def vet_saved_model(folder: Path) -> None:
    """Vet the files of a SavedModel, then what its graph would run."""
    found: set[str] = set()
    for name, file in _files(folder, ""):
        if len(found) == MAX_FILES:
            raise Refused(f"has more than {MAX_FILES} files: {EXPORT_AGAIN}")
        if file.is_symlink():
            raise Refused(f"has {shown(name)} as a link: copy the file itself there")
        if file.is_file() and "/" not in name and not KNOWN.fullmatch(name):
            continue  # labels.txt, README.md: TensorFlow does not look at them
        if not file.is_file() or not KNOWN.fullmatch(name):
            raise Refused(
                f"has {shown(name)}, which TensorFlow never writes: {EXPORT_AGAIN}"
            )
        found.add(name)
    if GRAPH not in found:
        raise Refused(f"has no {GRAPH}: {EXPORT_AGAIN}")
    vet_graph((folder / GRAPH).read_bytes())


def _files(folder: Path, above: str) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """All that is no folder, with its path below the first one; links stay links."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from _files(Path(entry), f"{above}{entry.name}/")
            else:
                yield f"{above}{entry.name}", entry
