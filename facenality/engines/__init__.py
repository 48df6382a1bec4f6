"""Engines are interchangeable behind one small protocol: predict(batch) -> scores.

Each engine's heavy import stays inside its own file, and happens when it is opened.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

from ..arrays import Arrays
from ..facts import Facts
from ..remote import Remote
from .batches import allowed_batch_sizes

__all__ = [
    "Converted",
    "Engine",
    "How",
    "Keepable",
    "Parallel",
    "RemoteEngine",
    "Streaming",
    "Tell",
    "allowed_batch_sizes",
    "open_engine",
]

Tell = Callable[[str], None]  # names the stage of a load, for whoever waits
Precision = Literal["float32", "bfloat16"]


class Engine(Protocol):
    """A loaded model. Everything runs in the model's own thread."""

    name: str
    precision: Precision
    facts: Facts
    batch_sizes: tuple[int, ...]  # to be warmed; the last one is the largest taken
    agreement: float | None  # largest difference to the reference when compared

    def predict(self, batch: Arrays) -> Arrays:
        """Scores[N, …] for batch[N, …], 1 <= N <= batch_sizes[-1]."""


@dataclass(frozen=True)
class Converted:
    """A model in an engine's own form, and what was learnt when it was made."""

    file: Path
    facts: Facts
    agreement: float | None


@runtime_checkable
class Keepable(Engine, Protocol):
    """A model that can be written down in its engine's own form."""

    def keep(self, file: Path) -> bool:
        """Write it to `file`; False where it holds what cannot be written."""


@runtime_checkable
class Parallel(Engine, Protocol):
    """A model that several threads may call at once."""

    streams: int  # batches that it computes at once; one more waits in it, ready-made
    least: int  # instances: in a smaller batch each costs much more


@runtime_checkable
class Streaming(Parallel, Protocol):
    """One that computes a single batch at once until its lanes are opened."""

    def open_lanes(self, lanes: int, most: int) -> None:
        """Prepare for so many calls of up to `most` instances at once.

        Until then a call waits for the one before it.
        """


@runtime_checkable
class RemoteEngine(Engine, Protocol):
    """A model that lives elsewhere: many calls at once, and no thread of ours."""

    in_flight: int

    def ask(self, batch: Arrays, deadline: float) -> Arrays:
        """As `predict`, before a moment of the monotonic clock; for greenlets.

        Raises ModelServerUnavailable, Expired, BadAnswer, ModelFailed. A greenlet that
        is killed meanwhile cancels the call.
        """

    def look(self) -> bool:
        """Whether what it serves is still what was loaded; for a native thread.

        Raises ModelServerUnavailable.
        """

    def close(self) -> None:
        """Let the connections go."""


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


def open_engine(
    file: Path,
    max_batch_size: int,
    tell: Tell,
    how: How = How(),
) -> Engine:
    """Load `file` into an engine. Raises ModelNotLoaded. For the model thread."""
    sizes = allowed_batch_sizes(max_batch_size)
    if file.suffix == ".py":
        from .python import PythonEngine

        return PythonEngine(file, sizes, tell)
    if how.remote:
        tell(f"asking TensorFlow Serving at {how.remote.target}")
        from .tf_serving import open_remote

        return open_remote(how.remote)
    if how.converted:
        tell("importing OpenVINO")
        from . import openvino

        tell("compiling for this processor")
        return openvino.OpenVINOEngine(how.converted, sizes, how.precision, how.threads)
    tell("importing TensorFlow")
    from . import tensorflow_process

    tensorflow_process.set_up(how.precision, how.threads)
    from . import tensorflow

    if how.frozen:
        tell("opening its frozen graph")
        return tensorflow.open_kept(how.frozen, sizes)
    return tensorflow.open_file(file, sizes, tell)
