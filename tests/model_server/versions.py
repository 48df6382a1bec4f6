"""Which versions of a model are there: a base path with a folder for each.

As TensorFlow Serving: a path is looked at again and again, a new version is loaded
before the old one goes, and the latest is served unless a policy wants all.
"""

import asyncio
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from .refused import INVALID_ARGUMENT, NOT_FOUND, Refused

Load = Callable[[Path], object]


class Model:
    """The versions of one model that are loaded, and why others are not."""

    def __init__(self, base: Path | None = None, labels: Mapping[str, int] = {}):
        self.base, self.labels = base, dict(labels)
        self.loaded: dict[int, object] = {}
        self.failed: dict[int, str] = {}

    async def look(self, load: Load, *, every: bool) -> None:
        """Bring what is loaded up to date with the folders."""
        there = _versions(self.base)
        wanted = set(there) if every else set(sorted(there)[-1:])
        for version in sorted(wanted - {*self.loaded, *self.failed}):
            await self._load(version, load)
        if wanted & set(self.loaded):
            for version in set(self.loaded) - wanted:
                self.loaded.pop(version).close()

    async def _load(self, version: int, load: Load) -> None:
        try:
            folder = self.base / str(version)
            self.loaded[version] = await asyncio.to_thread(load, folder)
        except Exception as error:
            self.failed[version] = str(error)
            print(f"version {version} failed: {error!r}", file=sys.stderr, flush=True)

    def version(self, spec) -> int:
        """The one that `spec` asks for. Raises Refused as server_core.cc."""
        if spec.version_label:
            return self._labelled(spec.version_label)
        wanted = spec.version.value if spec.HasField("version") else None
        if wanted is None and self.loaded:
            return max(self.loaded)
        if wanted not in self.loaded:
            asked = f"Specific({spec.name}, {wanted})" if wanted else _latest(spec)
            raise Refused(NOT_FOUND, f"Servable not found for request: {asked}")
        return wanted

    def _labelled(self, label: str) -> int:
        version = self.labels.get(label)
        if version not in self.loaded:
            sentence = f"Unrecognized servable version label: {label}"
            raise Refused(INVALID_ARGUMENT, sentence)
        return version


def _versions(base: Path) -> list[int]:
    return [
        int(folder.name)
        for folder in base.iterdir()
        if folder.name.isdigit() and (folder / "saved_model.pb").is_file()
    ]


def _latest(spec) -> str:
    return f"Latest({spec.name})"


def find(models: Mapping[str, Model], spec) -> Model:
    """The model that `spec` names. Raises Refused."""
    if not spec.name:
        raise Refused(INVALID_ARGUMENT, "ModelSpec has no name specified.")
    if spec.name not in models:
        sentence = f"Servable not found for request: {_latest(spec)}"
        raise Refused(NOT_FOUND, sentence)
    return models[spec.name]
