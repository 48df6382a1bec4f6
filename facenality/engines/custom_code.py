"""The `custom.py` beside a model: the layers and functions that its file names.

A name is found whether custom.py registers it with Keras or only defines it. Each model
gets its own: two models may use one name for different layers.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from ..scan.formats import SUFFIXES
from . import python_model

NAME = "custom.py"


def script_of(file: Path) -> Path | None:
    """The custom.py that belongs to a model file, or to a version's folder above it.

    None in a folder of several models, such as models/: it could belong to any of them.
    """
    others = (f for f in file.parent.iterdir() if f.suffix.lower() in SUFFIXES)
    if file.stem != "model" and any(other != file for other in others):
        return None
    folders = [file.parent]
    if file.parent.name.isdigit():  # a version; its model's folder may hold the script
        folders.append(file.parent.parent)
    scripts = (folder / NAME for folder in folders)
    return next((script for script in scripts if script.is_file()), None)


def custom_objects(script: Path | None, registry: dict[str, Any]) -> dict[str, Any]:
    """Run `script` and return what a model file may name, by name.

    `registry` is the dict of Keras's registered classes, for the whole process: what
    the script itself registers there is taken out again, what a library that it
    imports registers stays, since an import registers once. Raises ModelLoadFailed.
    """
    if script is None:
        return {}
    before = dict(registry)
    with _neighbours(script.parent) as neighbours:
        module = python_model.run(script)
        own = {module.__name__, *neighbours()}
    defined = {
        name: value
        for name, value in vars(module).items()
        if getattr(value, "__module__", None) in own and not name.startswith("_")
    }
    registered = {
        name: value
        for name, value in registry.items()
        if before.get(name) is not value and value.__module__ in own
    }
    for name in registered:
        if name in before:
            registry[name] = before[name]
        else:
            del registry[name]
    return defined | registered


@contextmanager
def _neighbours(folder: Path) -> Iterator[Any]:
    """Let a script import the files beside it; other models' of one name do not meet.

    Yields a function that gives the names of those imported so far.
    """
    before = set(sys.modules)

    def imported() -> list[str]:
        new = [(name, sys.modules[name]) for name in set(sys.modules) - before]
        return [name for name, module in new if _lies_in(module, folder)]

    sys.path.insert(0, str(folder))
    try:
        yield imported
    finally:
        sys.path.remove(str(folder))
        for name in imported():
            del sys.modules[name]


def _lies_in(module: ModuleType, folder: Path) -> bool:
    file = getattr(module, "__file__", None)
    return file is not None and Path(file).is_relative_to(folder)
