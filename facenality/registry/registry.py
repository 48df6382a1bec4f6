"""Finds the models in models/, and loads, replaces and retires them at run time.

Theory of operation. A scan lists the folder every few seconds, in a thread of its own.
A version is taken when two scans in a row found the same files, so a folder that is
still being copied is left alone. It is loaded, warmed and verified beside the old one,
takes its place in one step, and the old one is freed after its last request. A version
that fails leaves the old one serving, and is tried again when its files change. A
version that is gone from two scans is retired; the next highest then answers.

Where it is not known yet which engine is fastest, TensorFlow serves at once. A child
process compares them meanwhile, one model after the other, and what it finds faster
takes over as a new version would: loaded beside the old, verified, swapped in one step.

A model that lives on another server is asked every few seconds whether it is there, and
still the one that was loaded; while it is not, nobody is sent there.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import gevent
from gevent.event import Event

from ..errors import (
    InvalidSetting,
    Loading,
    Malformed,
    ModelLoadFailed,
    ModelServerUnavailable,
    NoSuchModel,
)
from ..observability.metrics import Metrics
from ..scheduling.batcher import Batcher
from ..scheduling.thread_pool import ThreadPool
from ..settings import Settings
from . import repository
from .loader import Model
from .model_version import ModelVersion, State
from .repository import Fingerprint, ModelFiles

log = logging.getLogger(__name__)

BUNDLED = ("digits", "sentiment")  # ours; a user's own model goes before them

AWAY_SECONDS = 3.0  # until a model's server that does not answer is asked again

Key = tuple[str, int]  # name and version


@dataclass(frozen=True)
class LoadedModel:
    """What a request needs of a ready model."""

    model: Model
    batcher: Batcher


class Registry:
    """The models of one folder; for greenlets of one hub."""

    def __init__(self, settings: Settings, metrics: Metrics | None = None) -> None:
        self.draining = False
        self.loaded = False  # every model that was there at the start has been tried
        self._settings = settings
        self._metrics = metrics or Metrics()
        self._disk = ThreadPool(1)
        self._trials = ThreadPool(1)  # waits for the child that compares engines
        self._wake = Event()
        self._compared: list[ModelVersion] = []  # another engine is to take over
        self._scanned: dict[Key, Fingerprint] = {}
        self._refused: dict[Key, tuple[ModelFiles, str]] = {}
        self.ignored: dict[str, str] = {}  # what is not served, each with its fix
        self._versions = {
            _key(files): ModelVersion(files) for files in self._first_scan()
        }
        self._check_setting()

    def run(self) -> None:
        """Load what is there, then watch the folder for as long as the server runs."""
        for version in self.versions:
            self._load(version)
        self.loaded = True
        comparing = gevent.spawn(self._compare)
        while True:
            self._wake.wait(self._settings.scan_interval_s)
            self._wake.clear()
            self.refresh()
            self.check_servers()
            self._exchange_engines()
            if comparing.dead:
                comparing = gevent.spawn(self._compare)

    def rescan(self) -> None:
        """Look at the folder now; for SIGHUP."""
        self._wake.set()

    def refresh(self) -> None:
        """Scan once: load what has settled, retire what is gone."""
        try:
            scanned = self._disk.run(self._scan)
        except OSError as error:
            log.warning("the models folder cannot be read: %s", error.strerror)
            return
        present = {_key(one): one.without(self._own(_key(one))) for one in scanned}
        for key in [k for k in self._versions if k not in present | self._scanned]:
            self._retire(key)
        for key, files in present.items():
            settled = self._scanned.get(key) == files.fingerprint
            if settled and not self._known(key, files.fingerprint):
                self._take(key, files)
        self._scanned = {key: files.fingerprint for key, files in present.items()}

    def _own(self, key: Key) -> frozenset[str]:
        """The files that the model writes itself, as far as a load has shown it."""
        version, refused = self._versions.get(key), self._refused.get(key)
        served = version.files.own if version else frozenset()
        return served | (refused[0].own if refused else frozenset())

    def _known(self, key: Key, fingerprint: Fingerprint) -> bool:
        """Whether these very files are served, or were tried and refused."""
        version = self._versions.get(key)
        if version is not None and version.files.fingerprint == fingerprint:
            self._refused.pop(key, None)  # rolled back: what was refused is gone
            return True
        refused = self._refused.get(key)
        return refused is not None and refused[0].fingerprint == fingerprint

    def _take(self, key: Key, files: ModelFiles) -> None:
        """Load beside the old one, then swap in one step."""
        old, new = self._versions.get(key), ModelVersion(files)
        if old is None or old.model is None:
            self._versions[key] = new  # nothing to keep: show how it comes along
            if old is not None:
                old.retire()
        if self._load(new):
            self._refused.pop(key, None)
            self._versions[key] = new
            if old is not None:
                old.retire()
        elif self._versions.get(key) is not new:
            self._refused[key] = (new.files, new.reason or "")
            new.retire()

    def _load(self, version: ModelVersion) -> bool:
        observe = partial(self._metrics.predicted, version.files.name)
        return version.load(self._settings, observe)

    def _compare(self) -> None:
        """Find out which engines are faster, one model after the other."""
        for version in self.versions:
            if version.compare(self._trials):
                self._compared.append(version)
                self._wake.set()

    def _exchange_engines(self) -> None:
        """What is faster takes over as a new version would."""
        for version in self._compared:
            if self._versions.get(version.key) is version:
                self._take(version.key, version.files)
        self._compared.clear()

    def check_servers(self) -> None:
        """Ask the servers of remote models: they return, go, or change the model."""
        gevent.joinall(
            [gevent.spawn(self._check_server, version) for version in self.versions]
        )

    def _check_server(self, version: ModelVersion) -> None:
        if version.model is None and version.state is State.UNREACHABLE:
            self._load(version)
        elif not version.check_server():
            self._take(version.key, version.files)

    def _retire(self, key: Key) -> None:
        self._refused.pop(key, None)
        self._versions.pop(key).retire()

    @property
    def versions(self) -> list[ModelVersion]:
        """Of all models, by name and version."""
        return [self._versions[key] for key in sorted(self._versions)]

    def ready_versions(self, name: str) -> list[ModelVersion]:
        """The versions of model `name` that serve, the lowest first."""
        return [v for v in self.versions if v.files.name == name and v.ready]

    @property
    def refused(self) -> list[tuple[str, int, str]]:
        """Updates that failed, so that the old goes on: name, version, why."""
        return [(*key, why) for key, (_, why) in sorted(self._refused.items())]

    @property
    def names(self) -> list[str]:
        """Of all models, also of those that could not be loaded."""
        return sorted({name for name, _ in self._versions})

    @property
    def default(self) -> str | None:
        """The `model` setting; else the only one of the user's own; else digits."""
        if self._settings.model:
            return self._settings.model
        own = [name for name in self.names if name not in BUNDLED]
        candidates = own or [name for name in BUNDLED if name in self.names][:1]
        return candidates[0] if len(candidates) == 1 else None

    @contextmanager
    def use(self, name: str | None, version: int | None) -> Iterator[LoadedModel]:
        """The ready model that a request means; it stays until the block ends.

        Raises Malformed (it must name one), NoSuchModel, Loading, ModelLoadFailed,
        ModelServerUnavailable.
        """
        current = self.current(name, version)
        served = _served(current)
        with current:
            yield served

    def current(self, name: str | None, version: int | None = None) -> ModelVersion:
        """The version asked for; else the highest that serves; else the highest.

        Before one that failed goes one whose server may return.
        """
        name = name or self.default
        if name is None:
            raise self._ambiguous()
        versions = [one for one in self.versions if one.files.name == name]
        if not versions:
            raise NoSuchModel(
                f"There is no model {name[:80]!r}; there are: {', '.join(self.names)}."
            )
        if version is None:
            return max(versions, key=_preference)
        asked = self._versions.get((name, version))
        if asked is None:
            numbers = ", ".join(str(one.files.version) for one in versions)
            raise NoSuchModel(
                f"Model {name} has no version {version}; it has: {numbers}.",
                code="no_such_version",
            )
        return asked

    def _scan(self) -> list[ModelFiles]:
        settings = self._settings
        found, ignored = repository.scan_all(
            settings.models_dir, cards=settings.models_elsewhere
        )
        for name, why in ignored.items() - self.ignored.items():  # each is told once
            log.warning("%s %s", name, why)
        self.ignored = ignored
        return found

    def _first_scan(self) -> list[ModelFiles]:
        try:
            found = self._scan()
        except OSError as error:
            raise InvalidSetting(
                f"--models-dir (FACENALITY_MODELS_DIR) is "
                f"{str(self._settings.models_dir)!r}: {error.strerror}"
            ) from None
        self._scanned = {_key(one): one.fingerprint for one in found}
        return found

    def _check_setting(self) -> None:
        name = self._settings.model
        if name and name not in self.names:
            raise InvalidSetting(
                f"--model (FACENALITY_MODEL) is {name!r}: "
                f"it should be one of {', '.join(self.names)}"
            )

    def _ambiguous(self) -> NoSuchModel | Malformed:
        if not self.names:
            return NoSuchModel(
                f"There is no model in {self._settings.models_dir.name}; put a .keras "
                "file there, and it is served a few seconds later."
            )
        return Malformed(
            f"Several models are served; name one with ?model=: "
            f"{', '.join(self.names)}.",
            code="which_model",
        )


def _preference(version: ModelVersion) -> tuple[bool, bool, int]:
    """The greatest one answers a request that names no version."""
    returning = version.state is State.UNREACHABLE and version.model is not None
    return version.ready, returning, version.files.version


def _served(version: ModelVersion) -> LoadedModel:
    """Model and batcher. Raises ModelServerUnavailable, ModelLoadFailed, Loading."""
    name = version.files.name
    if version.state is State.UNREACHABLE:
        raise ModelServerUnavailable(
            f"Model {name} cannot be asked: {version.reason}",
            retry_after=AWAY_SECONDS,
        )
    if version.state is State.FAILED:
        raise ModelLoadFailed(f"Model {name} could not be loaded: {version.reason}")
    if version.model is None or version.batcher is None:
        raise Loading(f"Model {name} is loading ({version.stage}); try again soon.")
    return LoadedModel(version.model, version.batcher)


def _key(files: ModelFiles) -> Key:
    return files.name, files.version
