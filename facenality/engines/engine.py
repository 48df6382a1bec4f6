"""What every engine offers: predict(batch) -> scores."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

from ..arrays import Arrays
from ..spec import ModelSpec
from .load_options import DEFAULTS, LoadOptions
from .remote import Remote

ProgressCallback = Callable[[str], None]  # names the stage of a load, for whoever waits
Precision = Literal["float32", "bfloat16"]


class Engine(Protocol):
    """A loaded model. Everything runs in the model's own thread."""

    name: str
    precision: Precision
    facts: ModelSpec
    batch_sizes: tuple[int, ...]  # to be warmed; the last one is the largest taken
    agreement: float | None  # largest difference to the reference when compared
    max_concurrency: int = 1  # calls of `predict` at once: computed, or next in turn

    def predict(self, batch: Arrays) -> Arrays:
        """Scores[N, …] for batch[N, …], 1 <= N <= batch_sizes[-1]."""

    def concurrent_batch_size(self, best: int) -> int:
        """Instances a batch when several are computed at once.

        `best` is the size that pays for a batch alone.
        """
        return best

    def prepare(self, max_batch_size: int) -> None:  # noqa: ARG002  most need nothing
        """Get ready for several batches at once; called when the model serves already.

        Until then a call of `predict` may wait for the one before it.
        """
        return


@dataclass(frozen=True)
class Converted:
    """A model in an engine's own form, and what was learnt when it was made."""

    file: Path
    facts: ModelSpec
    agreement: float | None


@runtime_checkable
class Keepable(Engine, Protocol):
    """A model that can be written down in its engine's own form."""

    def keep(self, file: Path) -> bool:
        """Write it to `file`; False where it holds what cannot be written."""


@runtime_checkable
class RemoteEngine(Engine, Protocol):
    """A model on another server: its calls need no thread of ours."""

    def ask(self, batch: Arrays, deadline: float) -> Arrays:
        """As `predict`, before a moment of the monotonic clock; for greenlets.

        Raises ModelServerUnavailable, Expired, BadGateway, ModelFailed. A greenlet that
        is killed meanwhile cancels the call.
        """

    def health_check(self) -> bool:
        """Whether what it serves is still what was loaded; for a native thread.

        Raises ModelServerUnavailable.
        """

    def close(self) -> None:
        """Let the connections go."""


def share_of_batch(best: int, streams: int, least: int) -> int:
    """Instances for each of `streams` batches at once, not below `least`.

    Together they have the processor's caches, which one batch of `best` pays for.
    """
    return max(min(least, best), best // streams)


@dataclass(frozen=True)
class How:
    """How to run a file: by `remote`, OpenVINO if `converted`, else TensorFlow.

    TensorFlow opens the graph that it has `frozen` before, where there is one.
    """

    precision: Precision = "float32"
    threads: int = 0  # that compute one batch; 0: the library's own choice
    converted: Converted | None = None
    frozen: Converted | None = None
    remote: Remote | None = None
    options: LoadOptions = DEFAULTS  # of the card, for opening the file
