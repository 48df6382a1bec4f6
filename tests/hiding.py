"""An environment in which libraries cannot be imported, as if not installed."""

import os
from pathlib import Path

CODE = """
import sys

class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in NAMES:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Hidden())
"""


def without(folder: Path, *names: str) -> dict[str, str]:
    """Variables for a Python that finds no `names`; its children neither."""
    folder.mkdir(exist_ok=True)
    (folder / "sitecustomize.py").write_text(CODE.replace("NAMES", repr(names)))
    searched = filter(None, (str(folder), os.environ.get("PYTHONPATH")))
    return {"PYTHONPATH": os.pathsep.join(searched)}
