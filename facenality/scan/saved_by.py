"""Which Keras saved a file: it stands in the file itself.

model.keras              metadata.json
model.h5                 its attribute `keras_version`
model.json + weights     "keras_version" beside "config"
"""

import json
import zipfile
from pathlib import Path
from typing import Any

from .formats import is_hdf5
from .isolated import run_isolated

MAX_BYTES = 64 << 10  # of metadata.json, which has three lines


def keras_version(file: Path) -> str | None:
    """The version of Keras that saved a `.keras` or HDF5 file, such as "2.12.0".

    None where the file does not say. HDF5 is read by a child process: see `isolated`.
    """
    if is_hdf5(file):
        return run_isolated([str(file), "--version"]).strip() or None
    try:
        with zipfile.ZipFile(file) as archive, archive.open("metadata.json") as member:
            metadata = json.loads(member.read(MAX_BYTES))
    except (OSError, ValueError, KeyError, zipfile.BadZipFile, RuntimeError):
        return None  # whoever vets the file says what is wrong with it
    return version_in(metadata)


def is_keras_2(file: Path) -> bool:
    """Whether the file says that Keras 1 or 2 saved it."""
    version = keras_version(file)
    return version is not None and version.split(".")[0] in ("1", "2")


def version_in(written: Any) -> str | None:
    """What the metadata or configuration `written` says."""
    version = written.get("keras_version") if isinstance(written, dict) else None
    return version if isinstance(version, str) else None
