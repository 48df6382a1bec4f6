"""models/ -> named, versioned models, and how far each has come.

The hub goes on answering while models load in threads of their own; a model that cannot
be loaded says why and leaves the others serving.
"""

import logging
from dataclasses import dataclass, field

from . import folder
from .batcher import Batcher
from .errors import (
    FacenalityError,
    Loading,
    Malformed,
    ModelNotLoaded,
    NoSuchModel,
    WrongSetting,
)
from .folder import Found
from .loader import Model, load
from .settings import Settings
from .threads import Threads

log = logging.getLogger(__name__)

BUNDLED = ("digits", "sentiment")  # ours; a user's own model goes before them
STAGES = 11  # that the load of a model passes, about


@dataclass
class Entry:
    """One version of one model.

    `stage` and `percent` are written by its thread while it loads, and read by the hub.
    """

    found: Found
    thread: Threads = field(default_factory=lambda: Threads(1))
    stage: str = "waiting"
    percent: float = 0
    error: str | None = None
    model: Model | None = None
    batcher: Batcher | None = None

    def tell(self, stage: str) -> None:
        """Enter the next stage of loading."""
        log.info("%s %d: %s", self.found.name, self.found.version, stage)
        self.stage = stage
        self.percent = min(99, self.percent + 100 / STAGES)


@dataclass(frozen=True)
class Served:
    """What a request needs of a ready model."""

    model: Model
    batcher: Batcher


class Catalog:
    """The models of one folder; for greenlets of one hub."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.draining = False
        self.entries = [Entry(found) for found in _find(settings)]
        self._names = sorted({entry.found.name for entry in self.entries})
        self.default = self._default_name()

    def load(self) -> None:
        """Load every entry, one after the other, and begin to serve it."""
        for entry in self.entries:
            try:
                model = entry.thread.run(load, entry.found, self._settings, entry.tell)
                self._serve(entry, model)
            except Exception as error:
                _give_up(entry, error)

    def _serve(self, entry: Entry, model: Model) -> None:
        entry.batcher = Batcher(
            model.engine.predict,
            entry.thread,
            max_batch_size=model.engine.batch_sizes[-1],
            max_batch_wait=self._settings.max_batch_wait_ms / 1000,
            max_queue_wait=self._settings.max_queue_wait_s,
        )
        entry.model, entry.stage, entry.percent = model, "ready", 100
        _announce(model)

    def get(self, name: str | None, version: int | None) -> Served:
        """The ready model that a request means.

        Raises Malformed (it must name one), NoSuchModel, Loading, ModelNotLoaded.
        """
        name = name or self.default
        if name is None:
            raise self._ambiguous()
        entry = self._entry(name, version)
        if entry.error:
            raise ModelNotLoaded(f"Model {name} could not be loaded: {entry.error}")
        if entry.model is None or entry.batcher is None:
            raise Loading(f"Model {name} is loading ({entry.stage}); try again soon.")
        return Served(entry.model, entry.batcher)

    def _entry(self, name: str, version: int | None) -> Entry:
        versions = [entry for entry in self.entries if entry.found.name == name]
        if not versions:
            raise NoSuchModel(
                f"There is no model {name!r}; there are: {', '.join(self._names)}."
            )
        if version is None:
            return versions[-1]
        for entry in versions:
            if entry.found.version == version:
                return entry
        numbers = ", ".join(str(entry.found.version) for entry in versions)
        raise NoSuchModel(
            f"Model {name} has no version {version}; it has: {numbers}.",
            code="no_such_version",
        )

    def _default_name(self) -> str | None:
        """The `model` setting; else the only one of the user's own; else digits."""
        if self._settings.model:
            if self._settings.model not in self._names:
                raise WrongSetting(
                    f"--model (FACENALITY_MODEL) is {self._settings.model!r}: "
                    f"it should be one of {', '.join(self._names)}"
                )
            return self._settings.model
        own = [name for name in self._names if name not in BUNDLED]
        candidates = own or [n for n in BUNDLED if n in self._names][:1]
        return candidates[0] if len(candidates) == 1 else None

    def _ambiguous(self) -> FacenalityError:
        if not self._names:
            return NoSuchModel(
                f"There is no model in {self._settings.models_dir}; put a .keras file "
                "there and start again."
            )
        return Malformed(
            f"Several models are served; name one with ?model=: "
            f"{', '.join(self._names)}.",
            code="which_model",
        )


def _find(settings: Settings) -> list[Found]:
    try:
        return folder.find(settings.models_dir)
    except OSError as error:
        raise WrongSetting(
            f"--models-dir (FACENALITY_MODELS_DIR) is {str(settings.models_dir)!r}: "
            f"{error.strerror}"
        ) from None


def _give_up(entry: Entry, error: Exception) -> None:
    """Only our own sentences reach clients; anything else stays in the log."""
    if isinstance(error, FacenalityError):
        entry.error = str(error)
        log.error("%s is not served: %s", entry.found.name, error)
    else:
        entry.error = (
            f"{type(error).__name__} while {entry.stage}; the log has the rest"
        )
        log.error("%s is not served", entry.found.name, exc_info=error)
    entry.stage, entry.percent = "failed", 100


def _announce(model: Model) -> None:
    name, version = model.found.name, model.found.version
    for note in model.recipe.inferred:
        log.info("%s %d: inferred %s", name, version, note)
    log.info(
        "%s %d: ready in %.1f s on %s", name, version, model.load_seconds,
        model.engine.name,
    )  # fmt: skip
