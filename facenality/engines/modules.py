"""The operator's own Python beside a model: `model.py`, `custom.py` with its layers."""

import importlib.util
import itertools
from pathlib import Path
from types import ModuleType

from ..errors import ModelNotLoaded

_numbers = itertools.count(1)


def run(file: Path) -> ModuleType:
    """Execute `file` as a module of its own; each load gets a fresh one.

    It is not put on sys.path or into sys.modules, so two models' files of one name do
    not meet. Raises ModelNotLoaded.
    """
    name = f"facenality_operator_{file.stem}_{next(_numbers)}"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ModelNotLoaded(f"{file.name} cannot be read as Python")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise ModelNotLoaded(
            f"{file.name} raised {type(error).__name__}; the log says more"
        ) from error
    return module
