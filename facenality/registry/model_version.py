"""One version of one model in the catalog, from waiting to retired.

What is served is what was vetted and hashed: a version whose files change while it is
loaded is loaded again. If they then change once more, a model.py is taken to write them
itself; anything else is refused until its files have come to rest.

Memory that a load leaves behind, given back to the system.
"""

import ctypes
import gc
import logging
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path

import gevent

from ..engines.engine import Engine, RemoteEngine
from ..errors import FacenalityError, ModelLoadFailed, ModelServerUnavailable
from ..scheduling.batcher import Batcher, Observe, no_observer
from ..scheduling.executor import Executor, RemoteExecutor, ThreadExecutor
from ..scheduling.thread_pool import ThreadPool
from ..settings import Settings
from .loader import Model, close, load
from .repository import ModelFiles
from .selection.choose import Choice, compared


def release_memory() -> None:
    """Collect garbage, and have the C library return what it keeps for later.

    A model's weights pass through memory several times while it is loaded; glibc holds
    on to that (780 MB after ResNet50). Source: malloc_trim(3).
    """
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:  # other C libraries have none, and need none
        trim(0)


log = logging.getLogger(__name__)

STAGES = 12  # that the load of a model passes, about


@dataclass(eq=False)
class ModelVersion:
    """`stage` and `percent` are written by its thread while it loads."""

    found: ModelFiles
    thread: ThreadPool = field(default_factory=lambda: ThreadPool(1))
    stage: str = "waiting"
    percent: float = 0
    error: str | None = None
    away: str | None = None  # why the server that it lives on does not answer now
    model: Model | None = None
    batcher: Batcher | None = None
    users: int = 0
    retired: bool = False

    def tell(self, stage: str) -> None:
        """Enter the next stage of loading."""
        level = logging.DEBUG if self.away else logging.INFO  # it is asked for ever
        log.log(level, "%s %d: %s", self.found.name, self.found.version, stage)
        self.stage = stage
        self.percent = min(99, self.percent + 100 / STAGES)

    def load(self, settings: Settings, observe: Observe = no_observer) -> bool:
        """Load in the entry's own thread and begin to serve; else say why not."""
        try:
            model = self.thread.run(self._load, settings)
        except Exception as error:
            if self._may_be_mended_elsewhere(error):
                self._is_away(error)
            else:
                self._give_up(error)
            return False
        self.away = None
        # What loading left behind goes now: frozen below, 100 MB of Keras would stay.
        self.thread.run(release_memory)
        self.batcher = _batcher(model, self.thread, settings, observe)
        self.model, self.stage, self.percent = model, "ready", 100
        # What has been loaded stays: a full collection that walks all of TensorFlow's
        # objects takes 130 ms, and the hub stands still meanwhile.
        gc.freeze()
        _announce(model)
        gevent.spawn(self._prepare, model.engine, self.batcher.max_batch_size)
        return True

    def _prepare(self, engine: Engine, max_batch_size: int) -> None:
        """Requests that come meanwhile are answered one batch at a time."""
        if self.retired:
            return
        name, at_once = (
            f"{self.found.name} {self.found.version}",
            engine.max_concurrency,
        )
        try:
            self.thread.run(_prepared, engine, max_batch_size)
        except Exception as error:
            log.error("%s: computes one batch at a time", name, exc_info=error)
        else:
            log.info("%s: takes up to %d batches at once", name, at_once)

    def _load(self, settings: Settings) -> Model:
        """Load, and once more where the files changed meanwhile. In its thread."""
        self.found = self.found.looked_at_again()
        model = self._tried(settings)
        if not self._changed():
            return _or_raise(model)
        del model  # one copy in memory is enough
        self.tell("loading again, its files changed meanwhile")
        before, model = self.found, self._tried(settings)
        if changed := self._changed():
            if self.found.file.suffix != ".py":
                self.found = before  # so that what is there later is tried
                raise ModelLoadFailed(
                    "its files changed twice while it was loaded; copy them under "
                    "another name, then rename"
                )
            self.found = self.found.without(self.found.own | changed)
        return _or_raise(model)

    def _tried(self, settings: Settings) -> Model | BaseException:
        try:
            return load(self.found, settings, self.tell)
        except (Exception, SystemExit) as error:
            return error

    def _changed(self) -> frozenset[str]:
        """The files that are no longer what they were; from now on they count so."""
        before, self.found = self.found, self.found.looked_at_again()
        marks = before.fingerprint ^ self.found.fingerprint
        return frozenset(path for path, _, _ in marks)

    def _give_up(self, error: Exception) -> None:
        """Only our own sentences reach clients; anything else stays in the log."""
        name = self.found.name
        if isinstance(error, FacenalityError):
            self.error = str(error)
            # Its cause is the operator's: it may name paths and secrets.
            cause = error.__cause__
            log.error(
                "%s %d is not served: %s",
                name,
                self.found.version,
                error,
                exc_info=cause,
            )
        else:
            kind = type(error).__name__
            self.error = f"{kind} while {self.stage}; the log has the rest"
            log.error("%s is not served", name, exc_info=error)
        self.stage, self.percent = "failed", 100
        self.retire()

    def compare(self, thread: ThreadPool) -> bool:
        """Compare engines in a child process; whether another one is to take over."""
        if self.model is None or self.model.choice.undecided is None:
            return False
        choice = thread.run(_compared, self.model.choice)
        if self.model:  # it may have been retired meanwhile
            self.model = replace(self.model, choice=choice)
            if choice.how.converted is None:
                _announce_choice(self.model)
        return choice.how.converted is not None

    def look(self) -> bool:
        """Ask the server that it lives on; False where it has become another model."""
        engine = self.model.engine if self.model else None
        if not isinstance(engine, RemoteEngine):
            return True
        try:
            same = self.thread.run(engine.health_check)
        except ModelServerUnavailable as error:
            self._is_away(error)
            return True
        except FacenalityError:
            return False
        if self.away:
            log.info("%s %d: there again", self.found.name, self.found.version)
        self.away = None
        return same

    def _may_be_mended_elsewhere(self, error: Exception) -> bool:
        known = isinstance(error, FacenalityError)
        return isinstance(error, ModelServerUnavailable) or (
            known and self.found.is_card
        )

    def _is_away(self, error: Exception) -> None:
        """Said once: it is asked again every few seconds."""
        if self.away != str(error):
            log.error("%s %d: %s", self.found.name, self.found.version, error)
        self.away = str(error)
        self.stage = "waiting for its server"

    def retire(self) -> None:
        """Free the model, after its last request."""
        self.retired = True
        if not self.users:
            gevent.spawn(self._free)

    def _free(self) -> None:
        if self.batcher:
            self.batcher.close()
            log.info("%s %d: retired", self.found.name, self.found.version)
        if self.model:
            close(self.model.engine)
        self.model = self.batcher = None
        self.thread.kill()
        gc.unfreeze()
        gc.collect()
        gc.freeze()

    def __enter__(self) -> None:
        """A request begins to use the model: it stays until the last one has ended."""
        self.users += 1

    def __exit__(self, *_: object) -> None:
        self.users -= 1
        if self.retired and not self.users:
            gevent.spawn(self._free)


def _batcher(
    model: Model, thread: ThreadPool, settings: Settings, observe: Observe
) -> Batcher:
    """As many batches at once as the engine takes, and a thread for each of them."""
    engine = model.engine
    if isinstance(engine, RemoteEngine):
        execute: Executor = RemoteExecutor(engine.ask)
    else:
        thread.grow(engine.max_concurrency)
        execute = ThreadExecutor(engine.predict, thread)
    return Batcher(
        execute,
        max_batch_size=engine.concurrent_batch_size(model.batch_size),
        slots=engine.max_concurrency,
        max_batch_wait=settings.max_batch_wait_ms / 1000,
        max_queue_wait=settings.max_queue_wait_s,
        observe=observe,
        warm_seconds=model.batch_seconds,
    )


def _prepared(engine: Engine, max_batch_size: int) -> None:
    engine.prepare(max_batch_size)
    release_memory()


def _or_raise(outcome: Model | BaseException) -> Model:
    if isinstance(outcome, BaseException):
        raise outcome
    return outcome


def _compared(choice: Choice) -> Choice:
    """Any failure leaves the engine that serves, and its reason in the log."""
    assert choice.undecided  # noqa: S101  it was asked before
    try:
        with tempfile.TemporaryDirectory() as aside:
            return compared(choice.undecided, Path(aside))
    except Exception as error:
        log.error("engines could not be compared", exc_info=error)
        return replace(choice, undecided=None)


def _announce(model: Model) -> None:
    name, version = model.found.name, model.found.version
    for note in model.recipe.inferred:
        log.info("%s %d: inferred %s", name, version, note)
    _announce_choice(model)
    log.info(
        "%s %d: ready in %.1f s on %s in %s, sha256 %s",
        name,
        version,
        model.load_seconds,
        model.engine.name,
        model.engine.precision,
        model.sha256,
    )


def _announce_choice(model: Model) -> None:
    for line in (*map(str, model.choice.measured), *model.choice.notes):
        log.info("%s %d: %s", model.found.name, model.found.version, line)
