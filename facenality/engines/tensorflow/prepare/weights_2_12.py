"""Weights of TensorFlow 2.12, which named their groups otherwise than tf-keras today.

What later versions call `layers` was `_layer_checkpoint_dependencies`, in `.keras`
files and in `.weights.h5` files alike.
"""

import io
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py  # type: ignore[import-untyped]  # it ships none

from ....scan.formats import configuration_beside, is_hdf5

OLD, NEW = "_layer_checkpoint_dependencies", "layers"
WEIGHTS = "model.weights.h5"  # in a .keras file


@contextmanager
def with_todays_names(file: Path) -> Iterator[Path]:
    """Yield `file`, or a copy of it where its groups have the names of 2.12."""
    if not _has_old_names(file):
        yield file
        return
    with tempfile.TemporaryDirectory(prefix="facenality-") as folder:
        copy = Path(folder, file.name)
        if is_hdf5(file):
            shutil.copyfile(file, copy)
            with h5py.File(copy, "r+") as weights:
                _rename(weights)
        else:
            _copy_archive(file, copy)
        if beside := configuration_beside(file):
            shutil.copyfile(beside, copy.with_name(beside.name))
        yield copy


def _has_old_names(file: Path) -> bool:
    if is_hdf5(file):
        with h5py.File(file, "r") as weights:
            return OLD in weights
    with zipfile.ZipFile(file) as archive:
        content = io.BytesIO(archive.read(WEIGHTS))
    with h5py.File(content, "r") as weights:
        return OLD in weights


def _copy_archive(file: Path, copy: Path) -> None:
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(copy, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == WEIGHTS:
                stream = io.BytesIO(content)
                with h5py.File(stream, "r+") as weights:
                    _rename(weights)
                content = stream.getvalue()
            new.writestr(name, content)


def _rename(group: Any) -> None:
    if OLD in group:
        group.move(OLD, NEW)
    for inner in group.values():
        if isinstance(inner, h5py.Group):
            _rename(inner)
