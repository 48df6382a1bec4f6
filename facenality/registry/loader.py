"""Loads one version of a model, warms it up and verifies its golden sample.

Runs in the model's own thread: import, load, freeze, warm and verify take seconds.
"""

import time
from dataclasses import dataclass, replace

from .. import tasks
from ..engines.engine import Engine, ProgressCallback, RemoteEngine
from ..engines.open import open_engine
from ..settings import Settings
from ..spec import ModelConfig
from ..tasks import EVERY_LABEL
from . import card, infer_config, samples
from .card import Card
from .repository import ModelFiles, sha256
from .selection import cache
from .selection.choose import Choice, chosen, wish
from .warmup import _batch_size, example, warm_up


@dataclass(frozen=True)
class Model:
    """A loaded model. Everything but `task` belongs to its threads."""

    found: ModelFiles
    sha256: str
    recipe: ModelConfig
    task: tasks.Task
    engine: Engine
    batch_seconds: dict[int, float]  # a warm prediction of each batch size tried
    batch_size: int  # of those that share a call, at most
    choice: Choice  # of the engine, and why
    golden_difference: float | None  # None: it has no golden sample
    load_seconds: float
    examples: dict[str, samples.Example]


def load(
    found: ModelFiles,
    settings: Settings,
    on_progress: ProgressCallback,
    *,
    decide: bool = False,
    write_expected: bool = False,
) -> Model:
    """Load, warm and verify `found`. Raises ModelLoadFailed.

    `on_progress` is called with each stage as it begins. With `decide` engines that
    were not compared yet are compared first; with `write_expected` the answer to the
    golden sample becomes the expected one first.
    """
    started = time.monotonic()
    written = card.read(found.beside("model.toml"))
    asked = wish(found, written, settings)
    with chosen(asked, on_progress, decide=decide) as choice:
        size = asked.max_batch_size
        how = replace(choice.how, options=written.load_options)
        engine = open_engine(found.file, size, on_progress, how)
    try:
        model = _made(
            found, written, engine, choice, on_progress, write_expected, started
        )
        if asked.cache and choice.keep_as:
            on_progress("keeping its graph")
            cache.keep(asked.cache, choice.keep_as, found, engine)
        return model
    except BaseException:
        close(engine)
        raise


def close(engine: Engine) -> None:
    """Let go what an engine holds beyond memory."""
    if isinstance(engine, RemoteEngine):
        engine.close()


def _made(
    found: ModelFiles,
    written: Card,
    engine: Engine,
    choice: Choice,
    on_progress: ProgressCallback,
    write_expected: bool,
    started: float,
) -> Model:
    """The model that `engine` is, once it is warm and has been verified."""
    settled = infer_config.complete(written, engine.facts, found.labels_folder())
    task = tasks.make(settled, engine.facts)
    seconds = warm_up(engine, example(found, task, engine), on_progress)
    if write_expected and (sample := found.sample()):
        samples.write(
            sample, answer(task, engine, samples.payload(sample), samples.TOP)
        )
    difference = verify(found, written, task, engine, on_progress)
    return Model(
        found,
        sha256(found.file),
        settled,
        task,
        engine,
        seconds,
        _batch_size(engine, seconds),
        choice,
        difference,
        time.monotonic() - started,
        samples.read_examples(found),
    )


def verify(
    found: ModelFiles,
    written: Card,
    task: tasks.Task,
    engine: Engine,
    on_progress: ProgressCallback,
) -> float | None:
    """How far the golden sample's answer is off; None where there is no sample."""
    pair = samples.read(found)
    if pair is None:
        return None
    on_progress("verifying the golden sample")
    sample, expected = pair
    tolerance = written.tolerance or samples.TOLERANCE[engine.precision]
    return samples.check(answer(task, engine, sample), expected, tolerance)


def answer(
    task: tasks.Task,
    engine: Engine,
    sample: tasks.Payload,
    top: int = EVERY_LABEL,
) -> list[tasks.Prediction]:
    """The predictions for one sample, without batcher or HTTP."""
    return samples.answer(task, engine.predict, sample, top)
