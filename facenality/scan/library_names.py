"""The classes and functions that an installed library defines, read off its source.

Nothing is imported: Keras takes a second to import, and TensorFlow more. Whoever asks
gives a name as a model file does, by a module that exports or defines it.
"""

import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path

MAX_EXPORTS = 5  # one module exports what another one exports, and so on
MOVED = {"keras._legacy.layers": "keras.src.legacy.layers"}  # Keras's name for it


def defining_module(module: str, name: str, kind: str = "class") -> str | None:
    """The module whose source defines `name`, looked up in `module`.

    `kind` is "class" or "def". None where `module` is not installed, or leads to
    nothing of that kind.
    """
    found = _definition(module, name, kind)
    return found[0] if found else None


def defined_name(module: str, name: str) -> str | None:
    """The name that a class has in its own source; `module` may export another."""
    found = _definition(module, name, "class")
    return found[1] if found else None


def exists(module: str) -> bool:
    """Whether the source of a module is installed."""
    return bool(_source(module))


def _definition(module: str, name: str, kind: str) -> tuple[str, str] | None:
    module = MOVED.get(module, module)
    for _ in range(MAX_EXPORTS):
        source = _source(module)
        if not source or not name.isidentifier():
            return None
        if re.search(rf"^{kind} {name}\b", source, re.MULTILINE):
            return module, name
        exported = re.search(
            rf"^from ([\w.]+) import \(?\s*(\w+) as {name}\b", source, re.MULTILINE
        )
        if not exported:
            return None
        module, name = exported[1], exported[2]
    return None


@cache
def _source(module: str) -> str:
    """A module's source; "" where it is not installed."""
    top, *inner = module.split(".")
    if not all(part.isidentifier() for part in (top, *inner)):
        return ""
    spec = find_spec(top)  # of a package at the top, which imports nothing
    if spec is None or not spec.submodule_search_locations:
        return ""
    place = Path(spec.submodule_search_locations[0], *inner)
    for file in (place / "__init__.py", place.with_suffix(".py")):
        if file.is_file():
            return file.read_text(encoding="utf-8")
    return ""
