"""One version in the folder -> a model that is warm, verified and ready to answer.

Runs in the model's own thread: import, load, freeze, warm and verify take seconds.
"""

import time
from dataclasses import dataclass

import numpy as np

from . import batch_size, card, engines, examples, golden, recipe, tasks
from .arrays import Array, Arrays, rows, stack
from .card import Card
from .engines import Engine, RemoteEngine, Tell
from .errors import FacenalityError, ModelNotLoaded
from .facts import TensorFacts
from .folder import Found, sha256
from .settings import Settings
from .trials import graphs
from .trials.choosing import Choice, chosen, wish

# Warm predictions of a size that are timed, and after how long two of them are enough.
TIMED, TIMED_SECONDS = 3, 0.05


@dataclass(frozen=True)
class Model:
    """A loaded model. Everything but `task` belongs to its threads."""

    found: Found
    sha256: str
    recipe: recipe.Recipe
    task: tasks.Task
    engine: Engine
    batch_seconds: dict[int, float]  # a warm prediction of each batch size tried
    batch_size: int  # of those that share a call, at most
    choice: Choice  # of the engine, and why
    golden_difference: float | None  # None: it has no golden sample
    load_seconds: float
    examples: dict[str, examples.Example]


def load(
    found: Found,
    settings: Settings,
    tell: Tell,
    *,
    decide: bool = False,
    write_expected: bool = False,
) -> Model:
    """Load, warm and verify `found`. Raises ModelNotLoaded.

    `tell` is called with each stage as it begins. With `decide` engines that were not
    compared yet are compared first; with `write_expected` the answer to the golden
    sample becomes the expected one first.
    """
    started = time.monotonic()
    written = card.read(found.beside("model.toml"))
    asked = wish(found, written, settings)
    with chosen(asked, tell, decide=decide) as choice:
        size = asked.max_batch_size
        engine = engines.open_engine(found.file, size, tell, choice.how)
    try:
        model = _made(found, written, engine, choice, tell, write_expected, started)
        if asked.cache and choice.keep_as:
            tell("keeping its graph")
            graphs.keep(asked.cache, choice.keep_as, found, engine)
        return model
    except BaseException:
        close(engine)
        raise


def close(engine: Engine) -> None:
    """Let go what an engine holds beyond memory."""
    if isinstance(engine, RemoteEngine):
        engine.close()


def _made(
    found: Found,
    written: Card,
    engine: Engine,
    choice: Choice,
    tell: Tell,
    write_expected: bool,
    started: float,
) -> Model:
    """The model that `engine` is, once it is warm and has been verified."""
    settled = recipe.complete(written, engine.facts, found.labels_folder())
    task = tasks.make(settled, engine.facts)
    seconds = warm_up(engine, example(found, task, engine), tell)
    if write_expected and (sample := found.sample()):
        golden.write(sample, answer(task, engine, golden.payload(sample), golden.TOP))
    difference = verify(found, written, task, engine, tell)
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
        examples.read(found),
    )


def example(found: Found, task: tasks.Task, engine: Engine) -> Arrays | None:
    """An instance to warm with: the golden sample, else zeros or empty texts.

    None where nothing is known that fits: a model.py without a sample.
    """
    if sample := found.sample():
        return task.decode(golden.payload(sample))
    inputs = engine.facts.inputs
    if any(one.shape is None for one in inputs):
        return None
    blanks = {one.name: _blank(one) for one in inputs}
    return blanks if len(inputs) > 1 else next(iter(blanks.values()))


def _blank(tensor: TensorFacts) -> Array:
    if tensor.dtype == "string":
        return np.full(tensor.example_shape(), "", dtype=object)
    return np.zeros(tensor.example_shape(), tensor.dtype)


def _batch_size(engine: Engine, seconds: dict[int, float]) -> int:
    """As it pays here; a model elsewhere knows better what pays there."""
    if not seconds or isinstance(engine, RemoteEngine):
        return engine.batch_sizes[-1]
    return batch_size.best(seconds, engine.name)


def warm_up(engine: Engine, example: Arrays | None, tell: Tell) -> dict[int, float]:
    """Predict the allowed batch sizes, as far as larger ones pay; seconds by size."""
    seconds: dict[int, float] = {}
    for size in engine.batch_sizes if example is not None else ():
        tell(f"warming up, batch {size}")
        batch = stack([example] * size)  # type: ignore[list-item]  # not None here
        try:
            answered = rows(engine.predict(batch))
            smaller = max(seconds, default=0)
            seconds[size] = _timed(engine, batch)
            if smaller >= batch_size.AT_LEAST and not batch_size.pays_no_more(
                seconds, engine.name
            ):
                # Perhaps it pays only because the machine was busier before.
                again = _timed(engine, stack([example] * smaller))  # type: ignore[list-item]
                seconds[smaller] = min(seconds[smaller], again)
        except FacenalityError:
            raise
        except Exception as error:
            raise ModelNotLoaded(
                f"its first prediction raised {type(error).__name__}; the log says more"
            ) from error
        if len(answered) != size:
            raise ModelNotLoaded(
                f"it answers {len(answered)} rows for a batch of {size}: the first "
                "axis of its output must be the batch"
            )
        if batch_size.pays_no_more(seconds, engine.name):
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


def verify(
    found: Found, written: Card, task: tasks.Task, engine: Engine, tell: Tell
) -> float | None:
    """How far the golden sample's answer is off; None where there is no sample."""
    pair = golden.read(found)
    if pair is None:
        return None
    tell("verifying the golden sample")
    sample, expected = pair
    tolerance = written.tolerance or golden.TOLERANCE[engine.precision]
    return golden.check(answer(task, engine, sample), expected, tolerance)


def answer(
    task: tasks.Task,
    engine: Engine,
    sample: tasks.Payload,
    top: int = golden.EVERY_LABEL,
) -> list[tasks.Prediction]:
    """The predictions for one sample, without batcher or HTTP."""
    return golden.answer(task, engine.predict, sample, top)
