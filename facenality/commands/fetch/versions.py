"""A new version of a model: made aside, published by one rename, never over another.

While it is made it lies in `models/.NAME.fetching`, a name that no scan of the folder
takes for a model.
"""

import fcntl
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ...errors import FetchFailed
from ...registry import repository

_NUMBER = re.compile(r"[0-9]+")


@contextmanager
def locked(directory: Path) -> Iterator[int]:
    """One fetch at a time in `directory`, which is made if it is missing.

    The lock goes with the processes that hold the file descriptor, which it yields,
    however they end. Raises FetchFailed.
    """
    directory.mkdir(parents=True, exist_ok=True)
    handle = os.open(directory, os.O_RDONLY)
    try:
        # Some network file systems cannot lock a directory: then nothing is locked.
        with suppress(OSError):
            _lock(handle, directory)
        yield handle
    finally:
        os.close(handle)


def _lock(handle: int, directory: Path) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise FetchFailed(
            f"Another fetch is at work in {directory}; run this one after it."
        ) from None


@contextmanager
def made_aside(models_dir: Path, name: str) -> Iterator[Path]:
    """An empty folder to make a version of `name` in; gone afterwards."""
    aside = models_dir / f".{name}.fetching"
    shutil.rmtree(aside, ignore_errors=True)  # a killed run's
    aside.mkdir()
    try:
        yield aside
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def published(aside: Path, models_dir: Path, name: str) -> Path:
    """Make `aside` the next version of `name`; its folder. Raises FetchFailed."""
    for file in aside.iterdir():
        _write_through(file)
    parent = models_dir / name
    target = parent / str(_next(models_dir, name))
    try:
        parent.mkdir(exist_ok=True)
        aside.rename(target)
    except OSError as error:
        with suppress(OSError):
            parent.rmdir()  # only where it is empty
        raise FetchFailed(f"{target} could not be made: {error.strerror}.") from None
    return target


def _next(models_dir: Path, name: str) -> int:
    """One more than any version there, of any kind, also of folders without a model."""
    numbers = [f.version for f in repository.scan(models_dir) if f.name == name]
    with suppress(FileNotFoundError, NotADirectoryError):
        entries = (models_dir / name).iterdir()
        numbers += [int(e.name) for e in entries if _NUMBER.fullmatch(e.name)]
    return max(numbers, default=0) + 1


def refuse_unversioned(models_dir: Path, name: str) -> None:
    """Versions beside `NAME/model.keras` would never be served. Raises FetchFailed."""
    for found in repository.scan(models_dir):
        if found.name == name and found.file.parent == models_dir / name:
            raise FetchFailed(
                f"{found.file} is a model without a version; move it and its card to "
                f"{models_dir / name / '1'} first."
            )


def _write_through(file: Path) -> None:
    """To the disk: after a power cut a published version must not be hollow."""
    with file.open("rb") as stream:
        os.fsync(stream.fileno())
