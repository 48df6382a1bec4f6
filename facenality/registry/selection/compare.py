"""Convert a model, ask every engine the same, and say which may serve.

What every engine is asked about one model, and what it should answer.

The model on trial: loaded by its own library, with the means to convert it.

With TensorFlow installed that is Keras on TensorFlow, or TensorFlow itself; without it,
Keras on its OpenVINO backend. Both vet the file first.
"""

import logging
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from math import isfinite
from pathlib import Path

import numpy as np

from ... import cpu, tasks
from ...arrays import Array, Arrays
from ...engines import padding
from ...engines.engine import Converted, Engine, Precision
from ...engines.load_options import LoadOptions
from ...engines.openvino import convert
from ...engines.padding import allowed_batch_sizes
from ...errors import FacenalityError, ModelLoadFailed, first_line
from ...scan import saved_by
from ...spec import ModelSpec
from .. import card, infer_config, samples
from ..repository import ModelFiles
from . import measure
from .cache import installed, sums
from .child_process import Question
from .measure import Answers
from .report import Measured, Verdict
from .sample_inputs import make_sample_inputs


@dataclass(frozen=True)
class Subject:
    """`reference` takes batches in the facts' order; `engine` is TensorFlow's."""

    facts: ModelSpec
    reference: Callable[[list[Array]], list[Array]]
    convert: Callable[[Path], None]
    engine: Engine | None
    note: str


def subject(question: Question) -> Subject:
    """Vet and load. Raises ModelLoadFailed."""
    if installed("tensorflow"):
        return _on_tensorflow(question)
    if question.file.is_dir():
        raise ModelLoadFailed(
            "a SavedModel needs TensorFlow, which is not installed: install it, or "
            "save the model with model.save('model.keras')"
        )
    return _on_openvino(question)


def _on_tensorflow(question: Question) -> Subject:
    from ...engines.tensorflow import runtime

    runtime.set_up("float32", question.threads)
    from ...engines.tensorflow import engine as tensorflow

    traced = tensorflow.trace(question.file, _options(question))
    sizes = allowed_batch_sizes(question.max_batch_size)
    engine = tensorflow.of_traced(traced, sizes)
    return Subject(
        engine.facts,
        traced.reference,
        lambda file: convert.from_graph(engine.graph, file),
        engine,
        "compared with Keras on TensorFlow",
    )


def _options(question: Question) -> LoadOptions:
    return card.read(question.found.beside("model.toml")).load_options


KERAS_2 = (
    "was saved by Keras 2, which TensorFlow and tf-keras open: install them (pip "
    "install tensorflow-cpu; pip install --no-deps tf-keras); or serve it once where "
    "they are, on a processor of this kind, and copy its cache_dir here"
)


def _on_openvino(question: Question) -> Subject:
    os.environ["KERAS_BACKEND"] = "openvino"
    # Before Keras, which would import it with its telemetry.
    from ...engines import keras_model, openvino

    assert openvino.openvino  # noqa: S101  # imported for its order only
    try:
        loaded = keras_model.load(question.file, _options(question))
    except ModelLoadFailed as error:
        if saved_by.is_keras_2(question.file):
            raise ModelLoadFailed(f"{question.file.name} {KERAS_2}") from error
        raise
    return Subject(
        loaded.facts,
        loaded.reference,
        lambda file: convert.from_keras(loaded, file),
        None,
        "compared with Keras on OpenVINO, since TensorFlow is not installed",
    )


log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Case:
    """`expected` is what the model's own library answers to each instance alone."""

    found: ModelFiles
    written: card.Card
    task: tasks.Task
    instances: list[Arrays]
    expected: Answers


def case(question: Question, subject: Subject) -> Case:
    """Raises ModelLoadFailed where card and model contradict each other."""
    written = card.read(question.found.beside("model.toml"))
    labels = question.found.labels_folder()
    settled = infer_config.complete(written, subject.facts, labels)
    task = tasks.make(settled, subject.facts)
    asked = [
        (instance, answered)
        for instance in make_sample_inputs(question.found, task, settled, subject.facts)
        if (answered := answer(subject, instance)) is not None
    ]
    parts = zip(*(answered for _, answered in asked), strict=True)
    expected = [np.concatenate(one) for one in parts]
    instances = [instance for instance, _ in asked]
    return Case(question.found, written, task, instances, expected)


def answer(subject: Subject, instance: Arrays) -> list[Array] | None:
    """The reference's, to one alone; None where the model takes no such numbers."""
    arrays = padding.inputs(instance, subject.facts)
    try:
        return subject.reference([array[np.newaxis] for array in arrays])
    except Exception as error:
        log.debug("a sample is left out", exc_info=error)
        return None


def judge(question: Question) -> Verdict:
    """The verdict; the converted model is left in the question's folder.

    Raises ModelLoadFailed where the model cannot be loaded at all.
    """
    one = subject(question)
    file = question.folder / convert.NAME
    try:
        one.convert(file)
    except FacenalityError as error:
        log.debug("no conversion", exc_info=error)
        refused = Measured("openvino", "float32", refused=str(error))
        return Verdict(one.facts, (refused,))
    about = case(question, one)
    if not about.instances:
        nothing = "the model takes none of the samples: there is nothing to compare"
        return Verdict(one.facts, (Measured("openvino", "float32", refused=nothing),))
    return Verdict(
        one.facts,
        tuple(_measured(_engines(question, one, file), about)),
        _notes(one, about),
        sums(file, file.with_suffix(".bin")),
    )


def _engines(question: Question, one: Subject, file: Path) -> list[Engine]:
    from ...engines.openvino.engine import OpenVINOEngine

    precisions: tuple[Precision, ...] = ("float32",)
    if cpu.has_bfloat16():
        precisions += ("bfloat16",)
    sizes = padding.allowed_batch_sizes(question.max_batch_size)
    converted = Converted(file, one.facts, None)
    threads = question.threads
    openvinos = [OpenVINOEngine(converted, sizes, p, threads) for p in precisions]
    return [*([one.engine] if one.engine else []), *openvinos]


def _measured(engines: list[Engine], about: Case) -> Iterator[Measured]:
    """First who answers right, then how fast those are who answer."""
    asked = [(engine, _asked(engine, about)) for engine in engines]
    answering = [engine for engine, one in asked if one.difference is not None]
    times = measure.race(answering, about.instances[0])
    took = dict(zip(map(id, answering), times, strict=True))
    for engine, one in asked:
        alone, batch = took.get(id(engine), (None, None))
        yield replace(one, ms_alone=alone, ms_batch=batch)


def _asked(engine: Engine, about: Case) -> Measured:
    measured = Measured(engine.name, engine.precision)
    try:
        answered = measure.answers(engine, about.instances)
        off = measure.difference(answered, about.expected)
        moved = measure.company(engine, about.instances, answered)
    except Exception as error:
        log.warning("%s fails", engine.name, exc_info=error)
        return replace(measured, refused=f"it fails: {first_line(error)}")
    refused = _refused(engine, about, off, moved)
    return replace(measured, difference=off if isfinite(off) else None, refused=refused)


def _refused(engine: Engine, about: Case, off: float, moved: float) -> str | None:
    """Why the engine may not serve the model."""
    bound = measure.FLOAT32
    if engine.precision == "bfloat16":
        bound = about.written.tolerance or samples.TOLERANCE["bfloat16"]
    if off > bound:
        return f"its answers are off by {off:.2g}, and {bound:.2g} is allowed"
    if moved > measure.COMPANY:
        return f"its answers move by {moved:.2g} with who shares the batch"
    return _golden(engine, about)


def _golden(engine: Engine, about: Case) -> str | None:
    pair = samples.read(about.found)
    if pair is None:
        return None
    tolerance = about.written.tolerance or samples.TOLERANCE[engine.precision]
    try:
        answered = samples.answer(about.task, engine.predict, pair[0])
        samples.check(answered, pair[1], tolerance)
    except FacenalityError as error:
        return str(error)
    return None


def _notes(one: Subject, about: Case) -> tuple[str, ...]:
    notes = [f"{one.note}, on {len(about.instances)} samples"]
    if (differ := measure.spread(about.expected)) < measure.FLOAT32:
        notes.append(
            f"the answers to all of them differ by {differ:.1g} only: that the engines "
            "agree proves little"
        )
    return tuple(notes)
