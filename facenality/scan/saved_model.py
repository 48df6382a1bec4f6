"""A SavedModel is a folder of a few known files around one graph."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from .graph import vet_graph
from .isolated import Refused, shown

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
