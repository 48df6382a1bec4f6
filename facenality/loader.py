"""One version in the folder -> a model that is warm, verified and ready to answer.

Runs in the model's own thread: import, load, freeze, warm and verify take seconds.
"""

import time
from dataclasses import dataclass

import numpy as np

from . import card, engines, golden, tasks
from .engines import Engine, Tell
from .folder import Found, sha256
from .settings import Settings

EVERY_LABEL = 1 << 30


@dataclass(frozen=True)
class Model:
    """A loaded model. Everything but `task` belongs to its thread."""

    found: Found
    sha256: str
    recipe: card.Recipe
    task: tasks.Task
    engine: Engine
    batch_seconds: dict[int, float]  # a warm prediction of each allowed batch size
    golden_difference: float | None  # None: it has no golden sample
    load_seconds: float


def load(
    found: Found, settings: Settings, tell: Tell, *, write_expected: bool = False
) -> Model:
    """Load, warm and verify `found`. Raises ModelNotLoaded.

    `tell` is called with each stage as it begins. With `write_expected` the answer to
    the golden sample becomes the expected one first.
    """
    started = time.monotonic()
    written = card.read(
        found.beside("model.toml") or found.file.with_name("model.toml")
    )
    engine = engines.open_engine(
        found.file,
        written.max_batch_size or settings.max_batch_size,
        tell,
    )
    labels = found.beside("labels.txt") or found.file
    recipe = card.complete(written, engine.facts, labels.parent)
    task = tasks.make(recipe, engine.facts)
    seconds = warm_up(engine, tell)
    if write_expected and (sample := found.sample()):
        golden.write(sample, answer(task, engine, sample.read_bytes(), golden.TOP))
    difference = verify(found, task, engine, recipe.tolerance, tell)
    return Model(
        found,
        sha256(found.file),
        recipe,
        task,
        engine,
        seconds,
        difference,
        time.monotonic() - started,
    )


def warm_up(engine: Engine, tell: Tell) -> dict[int, float]:
    """Predict every allowed batch size twice; seconds of the second time, by size."""
    facts = engine.facts
    shape = tuple(n or 8 for n in facts.input_shape)
    seconds = {}
    for size in engine.batch_sizes:
        tell(f"warming up, batch {size}")
        batch = np.zeros((size, *shape), facts.input_dtype)
        engine.predict(batch)
        started = time.monotonic()
        engine.predict(batch)
        seconds[size] = time.monotonic() - started
    return seconds


def verify(
    found: Found, task: tasks.Task, engine: Engine, tolerance: float, tell: Tell
) -> float | None:
    """How far the golden sample's answer is off; None where there is no sample."""
    pair = golden.read(found)
    if pair is None:
        return None
    tell("verifying the golden sample")
    sample, expected = pair
    return golden.check(answer(task, engine, sample), expected, tolerance)


def answer(
    task: tasks.Task, engine: Engine, sample: bytes, top: int = EVERY_LABEL
) -> list[tasks.Prediction]:
    """The predictions for one encoded sample, without batcher or HTTP."""
    instance = task.decode(sample)
    return task.describe(engine.predict(instance[np.newaxis])[0], top)
