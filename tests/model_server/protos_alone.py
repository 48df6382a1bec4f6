"""The official stubs without TensorFlow's runtime, of which they need the protos only.

`tensorflow/__init__.py` takes seconds and 400 MB; a package of that name that runs no
code finds the protos in the same place.
"""

import importlib.util
import sys
import types
from pathlib import Path


def arrange() -> None:
    """To be called before anything imports the stubs."""
    assert "tensorflow" not in sys.modules, "too late"
    spec = importlib.util.find_spec("tensorflow")
    package = types.ModuleType("tensorflow")
    package.__path__ = [str(Path(spec.origin).parent)]
    sys.modules["tensorflow"] = package
