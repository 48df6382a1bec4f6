"""Publishes a new version of a model by one rename, never over another version.

Meanwhile it is in `models/.NAME.fetching`, which scans of the models folder ignore.
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
    """Allow one fetch at a time in `directory`, which is created if missing.

    Yields the file descriptor. The lock is released when no process holds it any more,
    however they end. Raises FetchFailed.
    """
    directory.mkdir(parents=True, exist_ok=True)
    handle = os.open(directory, os.O_RDONLY)
    try:
        # Some network file systems cannot lock a directory; then there is no lock.
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
            f"Another fetch is running in {directory}; run this one after it."
        ) from None


@contextmanager
def staging_folder(models_dir: Path, name: str) -> Iterator[Path]:
    """An empty folder for a version of `name`; removed afterwards."""
    staging = models_dir / f".{name}.fetching"
    shutil.rmtree(staging, ignore_errors=True)  # from a run that was killed
    staging.mkdir()
    try:
        yield staging
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def publish(staging: Path, models_dir: Path, name: str) -> Path:
    """Rename `staging` to the next version of `name`. Raises FetchFailed."""
    for file in staging.iterdir():
        _sync(file)
    parent = models_dir / name
    target = parent / str(_next(models_dir, name))
    try:
        parent.mkdir(exist_ok=True)
        staging.rename(target)
    except OSError as error:
        with suppress(OSError):
            parent.rmdir()  # fails unless it is empty
        raise FetchFailed(f"{target} could not be created: {error.strerror}.") from None
    return target


def _next(models_dir: Path, name: str) -> int:
    """One more than the highest version, counting also folders without a model."""
    numbers = [f.version for f in repository.scan(models_dir) if f.name == name]
    with suppress(FileNotFoundError, NotADirectoryError):
        entries = (models_dir / name).iterdir()
        numbers += [int(e.name) for e in entries if _NUMBER.fullmatch(e.name)]
    return max(numbers, default=0) + 1


def refuse_unversioned(models_dir: Path, name: str) -> None:
    """Raise FetchFailed for `NAME/model.keras`, beside which no version is served."""
    for found in repository.scan(models_dir):
        if found.name == name and found.file.parent == models_dir / name:
            raise FetchFailed(
                f"{found.file} is a model without a version; move it and its card to "
                f"{models_dir / name / '1'} first."
            )


def _sync(file: Path) -> None:
    """Write `file` to the disk: a published version must survive a power cut."""
    with file.open("rb") as stream:
        os.fsync(stream.fileno())
