"""How many instances should share one call of the model: as many as it pays.

Beyond some size a batch falls out of the processor's caches, and each instance costs
more again: MobileNetV2 in OpenVINO, float32, took 5.0 core-milliseconds an instance in
batches of 4 and 7 in batches of 16.
"""

import base64
import time
from collections.abc import Mapping

import numpy as np

from .. import tasks
from ..arrays import Array, Arrays, rows, stack
from ..engines.engine import Engine, ProgressCallback, RemoteEngine
from ..errors import FacenalityError, ModelLoadFailed
from ..spec import TensorSpec
from . import samples
from .repository import ModelFiles

# Seconds that a call costs around the model: threads change hands, rows are shared out.
AROUND = 0.0005

# What costs so little more is as good: a smaller batch waits less. TensorFlow keeps as
# much memory as its largest one has needed (MobileNetV2: 15 MB an instance).
AS_GOOD = 1.04
AS_GOOD_ON = {"tensorflow": 1.15}

# So many share a call without further question: one of four costs hardly less alone,
# and what a busy machine makes of a single measurement is no reason to go without.
AT_LEAST = 4


def best(seconds: Mapping[int, float], engine: str) -> int:
    """The smallest size where an instance costs about the least; `seconds` by size."""
    as_good = AS_GOOD_ON.get(engine, AS_GOOD)
    costs = {size: (took + AROUND) / size for size, took in seconds.items()}
    asked = {size: c for size, c in costs.items() if size >= AT_LEAST} or costs
    least = min(asked.values())
    return min(size for size, cost in asked.items() if cost <= as_good * least)


def pays_no_more(seconds: Mapping[int, float], engine: str) -> bool:
    """Whether the largest size so far brings nothing over smaller ones."""
    largest = max(seconds)
    return largest > AT_LEAST and best(seconds, engine) < largest


# Warm predictions of a size that are timed, and after how long two of them are enough.
TIMED, TIMED_SECONDS = 3, 0.05


def example(found: ModelFiles, task: tasks.Task, engine: Engine) -> Arrays | None:
    """An instance to warm with: the golden sample, else zeros or empty texts.

    None where nothing is known that fits: a model.py without a sample.
    """
    if sample := found.sample():
        return task.decode(samples.payload(sample))
    inputs = engine.facts.inputs
    if any(one.shape is None for one in inputs):
        return None
    if inputs[0].dtype == "string" and "image" in task.fields:
        return task.decode(SMALL_PNG)  # an empty string is no picture
    blanks = {one.name: _blank(one) for one in inputs}
    return blanks if len(inputs) > 1 else next(iter(blanks.values()))


# 8 x 8 grey pixels.
SMALL_PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAFUlEQVR42mNsaGhgwAaYGHCAwSkB"
    "ADAXAZDUexXGAAAAAElFTkSuQmCC"
)


def _blank(tensor: TensorSpec) -> Array:
    if tensor.dtype == "string":
        return np.full(tensor.example_shape(), "", dtype=object)
    return np.zeros(tensor.example_shape(), tensor.dtype)


def _batch_size(engine: Engine, seconds: dict[int, float]) -> int:
    """As it pays here; a model elsewhere knows better what pays there."""
    if not seconds or isinstance(engine, RemoteEngine):
        return engine.batch_sizes[-1]
    return best(seconds, engine.name)


def warm_up(
    engine: Engine, example: Arrays | None, on_progress: ProgressCallback
) -> dict[int, float]:
    """Predict the allowed batch sizes, as far as larger ones pay; seconds by size."""
    seconds: dict[int, float] = {}
    for size in engine.batch_sizes if example is not None else ():
        on_progress(f"warming up, batch {size}")
        batch = stack([example] * size)  # type: ignore[list-item]  # not None here
        try:
            answered = rows(engine.predict(batch))
            smaller = max(seconds, default=0)
            seconds[size] = _timed(engine, batch)
            if smaller >= AT_LEAST and not pays_no_more(seconds, engine.name):
                # Perhaps it pays only because the machine was busier before.
                again = _timed(engine, stack([example] * smaller))  # type: ignore[list-item]
                seconds[smaller] = min(seconds[smaller], again)
        except FacenalityError:
            raise
        except Exception as error:
            raise ModelLoadFailed(
                f"its first prediction raised {type(error).__name__}; the log says more"
            ) from error
        if len(answered) != size:
            raise ModelLoadFailed(
                f"it answers {len(answered)} rows for a batch of {size}: the first "
                "axis of its output must be the batch"
            )
        if pays_no_more(seconds, engine.name):
            break
    return seconds


def _timed(engine: Engine, batch: Arrays) -> float:
    """Seconds of a prediction: the least of two, of more where that takes no time."""
    took: list[float] = []
    while len(took) < 2 or (len(took) < TIMED and sum(took) < TIMED_SECONDS):
        started = time.monotonic()
        engine.predict(batch)
        took.append(time.monotonic() - started)
    return min(took)
