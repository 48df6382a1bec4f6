"""Converted models and verdicts, kept by the content of all that they depend on.

An entry is a folder: verdict.json, and the model in its engine's own form where there
is one: model.xml with model.bin, or graph.pb. It is made aside and published by one
rename. What does not fit its own hashes is no entry and is made anew. The least
recently used go when all together grow too large.

TensorFlow's frozen graphs, kept beside the verdicts: with one Keras is not needed.

The serving process keeps what it has just loaded, compared and verified itself.
"""

import hashlib
import logging
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cache
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from ...cpu import features
from ...engines.engine import Converted, Engine, Keepable, Precision
from ...errors import ModelLoadFailed
from ..repository import ModelFiles
from . import report as verdicts
from .report import Measured, Verdict

log = logging.getLogger(__name__)

VERDICT = "verdict.json"
MAX_BYTES = 10 << 30
ABANDONED_SECONDS = 86_400.0  # a folder that some killed process was making
ASIDE = ".making-"


@dataclass(frozen=True)
class Kept:
    """An entry: a verdict and the folder that holds the converted model."""

    verdict: Verdict
    folder: Path

    def converted(self, difference: float | None) -> Converted:
        """The converted model, for the engine."""
        file = self.folder / self.verdict.files[0][0]
        return Converted(file, self.verdict.facts, difference)


class Cache:
    """The entries of one folder."""

    def __init__(self, cache_dir: Path) -> None:
        self._folder = cache_dir / "engines"

    def find(self, key: str) -> Kept | None:
        """The entry of `key`, whole and unchanged; None where there is none."""
        folder = self._folder / key
        try:
            kept = Kept(verdicts.read((folder / VERDICT).read_bytes()), folder)
            now = sums(*(folder / name for name, _ in kept.verdict.files))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            log.warning("%s is no entry of the cache: %s", folder, _first_line(error))
            return None
        if now != kept.verdict.files:
            log.warning("%s is no entry of the cache: its files have changed", folder)
            return None
        if not _fits(kept.verdict):
            return None
        with suppress(OSError):  # read-only: nobody counts
            os.utime(folder / VERDICT)
        return kept

    @contextmanager
    def making(self) -> Iterator[Path]:
        """A folder to make an entry in. Raises OSError where nothing can be kept."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryDirectory(
            prefix=ASIDE, dir=self._folder, ignore_cleanup_errors=True
        ) as folder:
            yield Path(folder)

    def keep(self, key: str, made: Path, verdict: Verdict) -> Kept:
        """Publish what was `made` as the entry of `key`; another one gives way."""
        verdict = replace(verdict, made_with=libraries())
        entry = made / "entry"
        entry.mkdir()
        for name, _ in verdict.files:
            (made / name).rename(entry / name)
        (entry / VERDICT).write_text(verdicts.dumped(verdict))
        final = self._folder / key
        if final.exists():
            final.rename(made / "old")
        entry.rename(final)
        self._forget(final)
        return Kept(verdict, final)

    def _forget(self, newest: Path) -> None:
        """Remove the least recently used beyond MAX_BYTES, and what is half made."""
        budget = MAX_BYTES
        for _, folder in sorted(map(_used, self._folder.iterdir()), reverse=True):
            budget -= sum(file.stat().st_size for file in folder.iterdir())
            if folder.name.startswith(ASIDE):
                abandoned = folder.stat().st_mtime < time.time() - ABANDONED_SECONDS
            else:
                abandoned = budget < 0 and folder != newest
            if abandoned:
                shutil.rmtree(folder, ignore_errors=True)


def key(found: ModelFiles) -> str:
    """The content of every file of the version, OpenVINO, and the processor.

    Card and golden sample count too: they say what is compared, and how closely.
    """
    files = found.without_examples()
    lines = [f"{_name(found, file)} {_sha256(file)}" for file in files]
    lines += [f"format {verdicts.FORMAT}", " ".join(features())]
    lines += [f"openvino {installed('openvino')}"]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def sums(*files: Path) -> tuple[tuple[str, str], ...]:
    """Each file's name and sha256, as a verdict has them."""
    return tuple((file.name, _sha256(file)) for file in files)


def _name(found: ModelFiles, path: Path) -> str:
    """Within its folder: the number of a version is not its content."""
    for folder in found.folders:
        if path.is_relative_to(folder):
            return str(path.relative_to(folder))
    return path.suffix


@cache
def libraries() -> tuple[tuple[str, str | None], ...]:
    """Those that load and convert a model, and their versions here."""
    return tuple((name, installed(name)) for name in ("keras", "tensorflow"))


def _fits(verdict: Verdict) -> bool:
    """Whether today's libraries made it. One that is not installed is not asked.

    So an image without TensorFlow may bring entries that were made with it.
    """
    here = {(name, version) for name, version in libraries() if version}
    return here <= set(verdict.made_with)


def installed(name: str) -> str | None:
    """The version of a library that can be imported; None where it cannot."""
    try:
        if find_spec(name) is None:
            return None
    except (ImportError, ValueError):  # hidden
        return None
    for distribution in (name, f"{name}-cpu", f"{name}-intel"):
        with suppress(metadata.PackageNotFoundError):
            return metadata.version(distribution)
    return "unknown"


def _used(folder: Path) -> tuple[float, Path]:
    """When it was last used."""
    try:
        return (folder / VERDICT).stat().st_mtime, folder
    except OSError:
        return 0.0, folder


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]


GRAPH = "graph.pb"


def name(found: ModelFiles, precision: Precision) -> str:
    """Of the entry: the same file computes otherwise in another precision."""
    return f"{key(found)}-tensorflow-{precision}"


def find(cache: Cache, entry: str) -> Converted | None:
    """The graph that is kept as `entry`."""
    kept = cache.find(entry)
    return kept.converted(kept.verdict.measured[0].difference) if kept else None


def keep(cache: Cache, entry: str, found: ModelFiles, engine: Engine) -> None:
    """Keep the graph of `engine`, where it has one and its files are still the same."""
    if not isinstance(engine, Keepable) or name(found, engine.precision) != entry:
        return
    try:
        with cache.making() as folder:
            if engine.keep(folder / GRAPH):
                cache.keep(entry, folder, _verdict(engine, folder / GRAPH))
    except (OSError, ModelLoadFailed) as error:
        log.warning("cache_dir keeps nothing: %s", error)


def _verdict(engine: Engine, file: Path) -> Verdict:
    off = Measured(engine.name, engine.precision, difference=engine.agreement)
    return Verdict(engine.facts, (off,), files=sums(file))
