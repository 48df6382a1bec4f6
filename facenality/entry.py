"""One version of one model in the catalog, from waiting to retired."""

import gc
import logging
from dataclasses import dataclass, field

import gevent

from .batcher import Batcher
from .errors import FacenalityError
from .folder import Found
from .loader import Model, load
from .settings import Settings
from .threads import Threads

log = logging.getLogger(__name__)

STAGES = 11  # that the load of a model passes, about


@dataclass(eq=False)
class Entry:
    """`stage` and `percent` are written by its thread while it loads."""

    found: Found
    thread: Threads = field(default_factory=lambda: Threads(1))
    stage: str = "waiting"
    percent: float = 0
    error: str | None = None
    model: Model | None = None
    batcher: Batcher | None = None
    users: int = 0
    retired: bool = False

    def tell(self, stage: str) -> None:
        """Enter the next stage of loading."""
        log.info("%s %d: %s", self.found.name, self.found.version, stage)
        self.stage = stage
        self.percent = min(99, self.percent + 100 / STAGES)

    def load(self, settings: Settings) -> bool:
        """Load in the entry's own thread and begin to serve; else say why not."""
        try:
            model = self.thread.run(load, self.found, settings, self.tell)
        except Exception as error:
            self._give_up(error)
            return False
        self.batcher = Batcher(
            model.engine.predict,
            self.thread,
            max_batch_size=model.engine.batch_sizes[-1],
            max_batch_wait=settings.max_batch_wait_ms / 1000,
            max_queue_wait=settings.max_queue_wait_s,
            warm_seconds=model.batch_seconds,
        )
        self.model, self.stage, self.percent = model, "ready", 100
        # What has been loaded stays: a full collection that walks all of TensorFlow's
        # objects takes 130 ms, and the hub stands still meanwhile.
        gc.freeze()
        _announce(model)
        return True

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

    def retire(self) -> None:
        """Free the model, after its last request."""
        self.retired = True
        if not self.users:
            gevent.spawn(self._free)

    def _free(self) -> None:
        if self.batcher:
            self.batcher.close()
            log.info("%s %d: retired", self.found.name, self.found.version)
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


def _announce(model: Model) -> None:
    name, version = model.found.name, model.found.version
    for note in model.recipe.inferred:
        log.info("%s %d: inferred %s", name, version, note)
    log.info(
        "%s %d: ready in %.1f s on %s, sha256 %s",
        name,
        version,
        model.load_seconds,
        model.engine.name,
        model.sha256,
    )
