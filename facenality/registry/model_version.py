"""One version of one model, from waiting to retired, and the memory that it leaves.

What is served is what was scanned and hashed: a version whose files change while it is
loaded is loaded again. If they then change once more, a model.py is taken to write them
itself; anything else is refused until its files have come to rest.
"""

import ctypes
import gc
import logging
import tempfile
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path

import gevent

from ..engines.engine import Engine, RemoteEngine
from ..errors import FacenalityError, ModelLoadFailed, ModelServerUnavailable
from ..scheduling.batcher import Batcher, Observe, no_observer
from ..scheduling.executor import Executor, RemoteExecutor, ThreadExecutor
from ..scheduling.thread_pool import ThreadPool
from ..settings import Settings
from .infer_config import GUESS
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


class State(Enum):
    """Where a version is in its life."""

    WAITING = "waiting"  # to be loaded
    LOADING = "loading"
    READY = "ready"
    UNREACHABLE = "unreachable"  # its model server does not answer; asked again
    FAILED = "failed"  # it could not be loaded
    RETIRED = "retired"  # gone or replaced; freed after its last request


@dataclass(eq=False)
class ModelVersion:
    """`stage` and `percent` are written by its thread while it loads."""

    files: ModelFiles
    thread: ThreadPool = field(default_factory=lambda: ThreadPool(1))
    state: State = State.WAITING
    stage: str = "waiting"
    percent: float = 0
    reason: str | None = None  # why it has failed or cannot be reached: a sentence
    model: Model | None = None  # kept while its server cannot be reached
    batcher: Batcher | None = None
    users: int = 0  # requests that use it now
    _loading: bool = False  # its thread is at it: not to be freed before it ends

    @property
    def key(self) -> tuple[str, int]:
        """Its name and version."""
        return self.files.name, self.files.version

    @property
    def ready(self) -> bool:
        """Whether requests may be sent to it."""
        return self.state is State.READY

    def on_progress(self, stage: str) -> None:
        """Enter the next stage of loading."""
        retried = self.state is State.UNREACHABLE  # every few seconds, for ever
        level = logging.DEBUG if retried else logging.INFO
        log.log(level, "%s %d: %s", *self.key, stage)
        self.stage = stage
        self.percent = min(99, self.percent + 100 / STAGES)

    def load(self, settings: Settings, observe: Observe = no_observer) -> bool:
        """Load in the version's own thread and serve; False if that failed.

        `state` and `reason` then say why. A version that was retired meanwhile is
        freed, and does not serve.
        """
        if self.state is State.WAITING:
            self.state = State.LOADING
        self._loading = True
        try:
            model = self.thread.run(self._load, settings)
            # Before the freeze below, which would keep 100 MB of Keras's leavings.
            self.thread.run(release_memory)
        except Exception as error:
            self._loading = False
            self._load_failed(error)
            return False
        self._loading = False
        if self.state is State.RETIRED:
            self.model = model
            gevent.spawn(self._free)
            return False
        self.batcher = _batcher(model, self.thread, settings, observe)
        self.model, self.stage, self.percent = model, "ready", 100
        self.state, self.reason = State.READY, None
        # What has been loaded stays: a full collection that walks all of TensorFlow's
        # objects takes 130 ms, and the hub stands still meanwhile.
        gc.freeze()
        _announce(model)
        gevent.spawn(self._prepare, model.engine, self.batcher.max_batch_size)
        return True

    def _load_failed(self, error: Exception) -> None:
        if self.state is State.RETIRED:
            gevent.spawn(self._free)
        elif self._may_be_mended_elsewhere(error):
            self._unreachable(error)
        else:
            self._give_up(error)

    def _prepare(self, engine: Engine, max_batch_size: int) -> None:
        """Requests that come meanwhile are answered one batch at a time."""
        if self.state is State.RETIRED:
            return
        name, at_once = (
            f"{self.files.name} {self.files.version}",
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
        self.files = self.files.looked_at_again()
        outcome = self._tried(settings)
        if not self._changed():
            return _or_raise(outcome)
        _discard(outcome)
        del outcome  # one copy in memory is enough
        self.on_progress("loading again, its files changed meanwhile")
        before, outcome = self.files, self._tried(settings)
        if changed := self._changed():
            if self.files.file.suffix != ".py":
                _discard(outcome)
                self.files = before  # so that what is there later is tried
                raise ModelLoadFailed(
                    "its files changed twice while it was loaded; copy them under "
                    "another name, then rename"
                )
            self.files = self.files.without(self.files.own | changed)
        return _or_raise(outcome)

    def _tried(self, settings: Settings) -> Model | BaseException:
        try:
            return load(self.files, settings, self.on_progress)
        except (Exception, SystemExit) as error:
            return error

    def _changed(self) -> frozenset[str]:
        """The files that are no longer what they were; from now on they count so."""
        before, self.files = self.files, self.files.looked_at_again()
        marks = before.fingerprint ^ self.files.fingerprint
        return frozenset(path for path, _, _ in marks)

    def _give_up(self, error: Exception) -> None:
        """Only our own sentences reach clients; anything else stays in the log."""
        if isinstance(error, FacenalityError):
            self.reason = str(error)
            # Its cause is the operator's: it may name paths and secrets.
            cause = error.__cause__
            log.error("%s %d is not served: %s", *self.key, error, exc_info=cause)
        else:
            kind = type(error).__name__
            self.reason = f"{kind} while {self.stage}; the log has the rest"
            log.error("%s is not served", self.files.name, exc_info=error)
        self.state, self.stage, self.percent = State.FAILED, "failed", 100
        gevent.spawn(self._free)

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

    def check_server(self) -> bool:
        """Ask the server that it lives on; False if that has another model now."""
        engine = self.model.engine if self.model else None
        if not isinstance(engine, RemoteEngine):
            return True
        try:
            same = self.thread.run(engine.health_check)
        except ModelServerUnavailable as error:
            self._unreachable(error)
            return True
        except FacenalityError:
            return False
        if self.state is State.UNREACHABLE:
            log.info("%s %d: there again", *self.key)
            self.state, self.stage, self.reason = State.READY, "ready", None
        return same

    def _may_be_mended_elsewhere(self, error: Exception) -> bool:
        known = isinstance(error, FacenalityError)
        return isinstance(error, ModelServerUnavailable) or (
            known and self.files.is_card
        )

    def _unreachable(self, error: Exception) -> None:
        """Logged once: it is asked again every few seconds."""
        if self.state is State.RETIRED:
            return
        if self.reason != str(error):
            log.error("%s %d: %s", *self.key, error)
        self.state, self.reason = State.UNREACHABLE, str(error)
        self.stage = "waiting for its server"

    def retire(self) -> None:
        """Serve no new request, and free the model after the last one. Idempotent."""
        if self.state in (State.RETIRED, State.FAILED):
            return
        self.state = State.RETIRED
        if not self.users and not self._loading:
            gevent.spawn(self._free)

    def _free(self) -> None:
        """Close what the model holds; its memory is collected in its thread."""
        if self.batcher:
            self.batcher.close()
            log.info("%s %d: retired", *self.key)
        if self.model:
            close(self.model.engine)
        self.model = self.batcher = None
        try:
            self.thread.run(_collect_frozen)
        finally:
            self.thread.kill()

    def __enter__(self) -> None:
        """A request begins to use the model: it stays until the last one has ended."""
        self.users += 1

    def __exit__(self, *_: object) -> None:
        self.users -= 1
        if self.state is State.RETIRED and not self.users:
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


def _collect_frozen() -> None:
    """Free what a retired model leaves, which `gc.freeze` keeps from collection.

    Without it each swap of a TensorFlow model of 48 MB left 360 MB. A collection holds
    the interpreter's lock, 0.2 s with TensorFlow, and cannot be done in parts.
    """
    gc.unfreeze()
    release_memory()
    gc.freeze()


def _discard(outcome: Model | BaseException) -> None:
    """Close a model that is not going to serve."""
    if not isinstance(outcome, BaseException):
        close(outcome.engine)


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
        level = logging.WARNING if GUESS in note else logging.INFO
        log.log(level, "%s %d: inferred %s", name, version, note)
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
