"""OUT/VERSION, made aside and published by one rename.

TensorFlow Serving looks at OUT every few seconds and takes each folder whose name is a
number: so a version must be whole when it gets its name, and it must stay as it is.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .request import ExportFailed

GRAPH = "saved_model.pb"


def refuse(target: Path, *, force: bool) -> None:
    """Raise ExportFailed where `target` is there and may not be replaced."""
    if target.parent.is_file():
        raise ExportFailed(f"{target.parent} is a file: name a folder as OUT.")
    if not os.path.lexists(target):
        return
    if not force:
        raise ExportFailed(
            f"{target} is there already: --as-version N writes another version, "
            "--force replaces this one."
        )
    if not (target / GRAPH).is_file():
        raise ExportFailed(
            f"{target} is no SavedModel, and --force replaces nothing else: choose "
            "another OUT."
        )


@contextmanager
def made_aside(target: Path) -> Iterator[Path]:
    """A folder beside `target` to write to; gone afterwards, unless published."""
    aside = _beside(target, "exporting")
    first = not target.parent.exists()
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(aside, ignore_errors=True)  # a killed run's
    try:
        aside.mkdir()
        yield aside
    finally:
        shutil.rmtree(aside, ignore_errors=True)
        if first:
            with suppress(OSError):
                target.parent.rmdir()  # only where it is empty


def publish(aside: Path, target: Path) -> None:
    """Give `aside` the name `target`; what had it is removed. Raises OSError."""
    for file in aside.rglob("*"):
        if file.is_file():
            _write_through(file)
    replaced = _beside(target, "replaced")
    shutil.rmtree(replaced, ignore_errors=True)
    if target.exists():
        target.rename(replaced)
    aside.rename(target)
    shutil.rmtree(replaced, ignore_errors=True)


def _beside(target: Path, why: str) -> Path:
    return target.with_name(f".{target.name}.{why}")


def _write_through(file: Path) -> None:
    """To the disk: after a power cut a published version must not be hollow."""
    with file.open("rb") as stream:
        os.fsync(stream.fileno())
