"""models/ on disk -> what is there to be served.

models/NAME.keras | NAME.h5                      one file: model NAME, version 1
models/NAME/model.keras | model.h5               the same with room for its card
models/NAME/VERSION/model.keras | model.h5       whole-number versions
"""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

SUFFIXES = (".keras", ".h5")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_VERSION = re.compile(r"[1-9][0-9]*")


@dataclass(frozen=True, order=True)
class Found:
    """A model file, its name and version, and the folders its card may lie in."""

    name: str
    version: int
    file: Path
    folders: tuple[Path, ...]  # the nearest first

    def beside(self, name: str) -> Path | None:
        """The file called `name` in the nearest folder that has it."""
        return next((f / name for f in self.folders if (f / name).is_file()), None)

    def sample(self) -> Path | None:
        """The golden sample, sample.*, in the nearest folder that has one."""
        samples = (s for f in self.folders for s in sorted(f.glob("sample.*")))
        return next(samples, None)


def find(models_dir: Path) -> list[Found]:
    """Every version of every model in the folder, by name and version."""
    found: list[Found] = []
    for entry in models_dir.iterdir():
        name = entry.name if entry.is_dir() else entry.stem
        if not _NAME.fullmatch(name):
            continue
        if entry.is_dir():
            found += _versions(entry)
        elif entry.suffix in SUFFIXES:
            found.append(Found(name, 1, entry, ()))
    return sorted(found)


def _versions(folder: Path) -> list[Found]:
    file = _model_file(folder)
    if file:
        return [Found(folder.name, 1, file, (folder,))]
    return [
        Found(folder.name, int(sub.name), file, (sub, folder))
        for sub in folder.iterdir()
        if _VERSION.fullmatch(sub.name) and (file := _model_file(sub))
    ]


def _model_file(folder: Path) -> Path | None:
    files = (folder / f"model{suffix}" for suffix in SUFFIXES)
    return next((file for file in files if file.is_file()), None)


def sha256(file: Path) -> str:
    """The content hash that names this model in logs and replies."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
