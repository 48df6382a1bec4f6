"""models/ -> named, versioned models that come and go while the server runs.

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
from .model_version import ModelVersion
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
        self.ignored: dict[
            str, str
        ] = {}  # entries that are no model, each with its fix
        self._entries = {
            _key(found): ModelVersion(found) for found in self._first_scan()
        }
        self._check_setting()

    def run(self) -> None:
        """Load what is there, then watch the folder for as long as the server runs."""
        for entry in self.entries:
            self._load(entry)
        self.loaded = True
        comparing = gevent.spawn(self._compare)
        while True:
            self._wake.wait(self._settings.scan_interval_s)
            self._wake.clear()
            self.refresh()
            self._look_elsewhere()
            self._exchange_engines()
            if comparing.dead:
                comparing = gevent.spawn(self._compare)

    def rescan(self) -> None:
        """Look at the folder now; for SIGHUP."""
        self._wake.set()

    def refresh(self) -> None:
        """Take what has settled, retire what is gone."""
        try:
            found = self._disk.run(self._find)
        except OSError as error:
            log.warning("the models folder cannot be read: %s", error.strerror)
            return
        present = {_key(one): one.without(self._own(_key(one))) for one in found}
        for key in [k for k in self._entries if k not in present | self._scanned]:
            self._retire(key)
        for key, one in present.items():
            settled = self._scanned.get(key) == one.fingerprint
            if settled and not self._known(key, one.fingerprint):
                self._take(key, one)
        self._scanned = {key: one.fingerprint for key, one in present.items()}

    def _own(self, key: Key) -> frozenset[str]:
        """The files that the model writes itself, as far as a load has shown it."""
        entry, refused = self._entries.get(key), self._refused.get(key)
        served = entry.found.own if entry else frozenset()
        return served | (refused[0].own if refused else frozenset())

    def _known(self, key: Key, fingerprint: Fingerprint) -> bool:
        """Whether these very files are served, or were tried and refused."""
        entry = self._entries.get(key)
        if entry is not None and entry.found.fingerprint == fingerprint:
            self._refused.pop(key, None)  # rolled back: what was refused is gone
            return True
        refused = self._refused.get(key)
        return refused is not None and refused[0].fingerprint == fingerprint

    def _take(self, key: Key, found: ModelFiles) -> None:
        """Load beside the old one, then swap in one step."""
        old, new = self._entries.get(key), ModelVersion(found)
        if old is None or old.model is None:
            self._entries[key] = new  # nothing to keep: show how it comes along
        if self._load(new):
            self._refused.pop(key, None)
            self._entries[key] = new
            if old is not None:
                old.retire()
        elif self._entries[key] is not new:
            self._refused[key] = (new.found, new.error or "")

    def _load(self, entry: ModelVersion) -> bool:
        observe = partial(self._metrics.predicted, entry.found.name)
        return entry.load(self._settings, observe)

    def _compare(self) -> None:
        """Find out which engines are faster, one model after the other."""
        for entry in self.entries:
            if entry.compare(self._trials):
                self._compared.append(entry)
                self._wake.set()

    def _exchange_engines(self) -> None:
        """What is faster takes over as a new version would."""
        for entry in self._compared:
            if self._entries.get(_key(entry.found)) is entry:
                self._take(_key(entry.found), entry.found)
        self._compared.clear()

    def _look_elsewhere(self) -> None:
        """Models on other servers: come back, gone, or become another."""
        gevent.joinall([gevent.spawn(self._look, entry) for entry in self.entries])

    def _look(self, entry: ModelVersion) -> None:
        if entry.model is None and entry.away:
            self._load(entry)
        elif not entry.look():
            self._take(_key(entry.found), entry.found)

    def _retire(self, key: Key) -> None:
        self._refused.pop(key, None)
        self._entries.pop(key).retire()

    @property
    def entries(self) -> list[ModelVersion]:
        """By name and version."""
        return [self._entries[key] for key in sorted(self._entries)]

    @property
    def refused(self) -> list[tuple[str, int, str]]:
        """Updates that failed, so that the old goes on: name, version, why."""
        return [(*key, why) for key, (_, why) in sorted(self._refused.items())]

    @property
    def names(self) -> list[str]:
        """Of all models, also of those that could not be loaded."""
        return sorted({name for name, _ in self._entries})

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

        Raises Malformed (it must name one), NoSuchModel, Loading, ModelNotLoaded.
        """
        entry = self.current(name, version)
        served = _served(entry)
        with entry:
            yield served

    def current(self, name: str | None, version: int | None = None) -> ModelVersion:
        """The version asked for; else the highest that serves; else the highest."""
        name = name or self.default
        if name is None:
            raise self._ambiguous()
        versions = [entry for entry in self.entries if entry.found.name == name]
        if not versions:
            raise NoSuchModel(
                f"There is no model {name[:80]!r}; there are: {', '.join(self.names)}."
            )
        if version is None:
            return next((e for e in reversed(versions) if e.model), versions[-1])
        entry = self._entries.get((name, version))
        if entry is None:
            numbers = ", ".join(str(entry.found.version) for entry in versions)
            raise NoSuchModel(
                f"Model {name} has no version {version}; it has: {numbers}.",
                code="no_such_version",
            )
        return entry

    def _find(self) -> list[ModelFiles]:
        knobs = self._settings
        found, ignored = repository.scan_all(
            knobs.models_dir, cards=knobs.models_elsewhere
        )
        for entry, why in ignored.items() - self.ignored.items():  # each is told once
            log.warning("%s %s", entry, why)
        self.ignored = ignored
        return found

    def _first_scan(self) -> list[ModelFiles]:
        try:
            found = self._find()
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


def _served(entry: ModelVersion) -> LoadedModel:
    """What `entry` serves. Raises ModelServerUnavailable, ModelNotLoaded, Loading."""
    name = entry.found.name
    if entry.away:
        raise ModelServerUnavailable(
            f"Model {name} cannot be asked: {entry.away}", retry_after=AWAY_SECONDS
        )
    if entry.error:
        raise ModelLoadFailed(f"Model {name} could not be loaded: {entry.error}")
    if entry.model is None or entry.batcher is None:
        raise Loading(f"Model {name} is loading ({entry.stage}); try again soon.")
    return LoadedModel(entry.model, entry.batcher)


def _key(found: ModelFiles) -> Key:
    return found.name, found.version
