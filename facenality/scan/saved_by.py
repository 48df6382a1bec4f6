"""Which Keras saved a file: it stands in the file itself.

model.keras              metadata.json
model.h5                 its attribute `keras_version`
model.json + weights     "keras_version" beside "config"
"""

import json
import zipfile
from pathlib import Path
from typing import Any

import h5py  # type: ignore[import-untyped]  # it ships none

from .formats import configuration_beside, is_hdf5
from .isolated import run_isolated

MAX_BYTES = 64 << 10  # of metadata.json, which has three lines
BEFORE_VERSIONS = "2"  # HDF5 without a version is of Keras 2.0 or older


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
    return _version_in(metadata)


def is_keras_2(file: Path) -> bool:
    """Whether the file says that Keras 1 or 2 saved it."""
    version = keras_version(file)
    return version is not None and version.split(".")[0] in ("1", "2")


def version_of_hdf5(file: Path) -> str | None:
    """As `keras_version`, in this process."""
    with h5py.File(file, "r") as opened:
        whole = "model_config" in opened.attrs
        version = opened.attrs.get("keras_version")
    if not whole and (beside := configuration_beside(file)):
        return _version_in(json.loads(beside.read_bytes()))
    if whole and version is None:
        return BEFORE_VERSIONS
    return version.decode() if isinstance(version, bytes) else version


def _version_in(written: Any) -> str | None:
    version = written.get("keras_version") if isinstance(written, dict) else None
    return version if isinstance(version, str) else None
