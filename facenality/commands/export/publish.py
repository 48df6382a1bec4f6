"""Writes OUT/VERSION under a temporary name and publishes it by one rename.

TensorFlow Serving scans OUT every few seconds and loads each folder whose name is a
number. So a version must be complete when it gets its name, and never change later.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .request import ExportFailed

GRAPH = "saved_model.pb"


def refuse(target: Path, *, force: bool) -> None:
    """Raise ExportFailed if `target` exists and may not be replaced."""
    if target.parent.is_file():
        raise ExportFailed(f"{target.parent} is a file: name a folder as OUT.")
    if not os.path.lexists(target):
        return
    if not force:
        raise ExportFailed(
            f"{target} exists already: --as-version N writes another version, "
            "--force replaces this one."
        )
    if not (target / GRAPH).is_file():
        raise ExportFailed(
            f"{target} is not a SavedModel, and --force replaces nothing else: choose "
            "another OUT."
        )


@contextmanager
def staging_folder(target: Path) -> Iterator[Path]:
    """A temporary folder beside `target`; removed afterwards, unless published."""
    staging = _hidden(target, "exporting")
    first = not target.parent.exists()
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(staging, ignore_errors=True)  # from a run that was killed
    try:
        staging.mkdir()
        yield staging
    finally:
        shutil.rmtree(staging, ignore_errors=True)
        if first:
            with suppress(OSError):
                target.parent.rmdir()  # fails unless it is empty


def publish(staging: Path, target: Path) -> None:
    """Rename `staging` to `target`, replacing an existing one. Raises OSError."""
    for file in staging.rglob("*"):
        if file.is_file():
            _sync(file)
    replaced = _hidden(target, "replaced")
    shutil.rmtree(replaced, ignore_errors=True)
    if target.exists():
        target.rename(replaced)
    staging.rename(target)
    shutil.rmtree(replaced, ignore_errors=True)


def _hidden(target: Path, suffix: str) -> Path:
    return target.with_name(f".{target.name}.{suffix}")


def _sync(file: Path) -> None:
    """Write `file` to the disk: a published version must survive a power cut."""
    with file.open("rb") as stream:
        os.fsync(stream.fileno())
