"""Convert a model, ask every engine the same, and say which may serve."""

import logging
from collections.abc import Iterator
from dataclasses import replace
from math import isfinite
from pathlib import Path

from .. import golden, processor
from ..engines import Converted, Engine, Precision, batches, conversion
from ..engines.reasons import first_line
from ..errors import FacenalityError
from . import measuring
from .cache import sums
from .cases import Case, case
from .question import Question
from .subjects import Subject, subject
from .verdict import Measured, Verdict

log = logging.getLogger(__name__)


def judge(question: Question) -> Verdict:
    """The verdict; the converted model is left in the question's folder.

    Raises ModelNotLoaded where the model cannot be loaded at all.
    """
    one = subject(question)
    file = question.folder / conversion.NAME
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
    from ..engines.openvino import OpenVINOEngine

    precisions: tuple[Precision, ...] = ("float32",)
    if processor.has_bfloat16():
        precisions += ("bfloat16",)
    sizes = batches.allowed_batch_sizes(question.max_batch_size)
    converted = Converted(file, one.facts, None)
    threads = question.threads
    openvinos = [OpenVINOEngine(converted, sizes, p, threads) for p in precisions]
    return [*([one.engine] if one.engine else []), *openvinos]


def _measured(engines: list[Engine], about: Case) -> Iterator[Measured]:
    """First who answers right, then how fast those are who answer."""
    asked = [(engine, _asked(engine, about)) for engine in engines]
    answering = [engine for engine, one in asked if one.difference is not None]
    times = measuring.race(answering, about.instances[0])
    took = dict(zip(map(id, answering), times, strict=True))
    for engine, one in asked:
        alone, batch = took.get(id(engine), (None, None))
        yield replace(one, ms_alone=alone, ms_batch=batch)


def _asked(engine: Engine, about: Case) -> Measured:
    measured = Measured(engine.name, engine.precision)
    try:
        answered = measuring.answers(engine, about.instances)
        off = measuring.difference(answered, about.expected)
        moved = measuring.company(engine, about.instances, answered)
    except Exception as error:
        log.warning("%s fails", engine.name, exc_info=error)
        return replace(measured, refused=f"it fails: {first_line(error)}")
    refused = _refused(engine, about, off, moved)
    return replace(measured, difference=off if isfinite(off) else None, refused=refused)


def _refused(engine: Engine, about: Case, off: float, moved: float) -> str | None:
    """Why the engine may not serve the model."""
    bound = measuring.FLOAT32
    if engine.precision == "bfloat16":
        bound = about.written.tolerance or golden.TOLERANCE["bfloat16"]
    if off > bound:
        return f"its answers are off by {off:.2g}, and {bound:.2g} is allowed"
    if moved > measuring.COMPANY:
        return f"its answers move by {moved:.2g} with who shares the batch"
    return _golden(engine, about)


def _golden(engine: Engine, about: Case) -> str | None:
    pair = golden.read(about.found)
    if pair is None:
        return None
    tolerance = about.written.tolerance or golden.TOLERANCE[engine.precision]
    try:
        answered = golden.answer(about.task, engine.predict, pair[0])
        golden.check(answered, pair[1], tolerance)
    except FacenalityError as error:
        return str(error)
    return None


def _notes(one: Subject, about: Case) -> tuple[str, ...]:
    notes = [f"{one.note}, on {len(about.instances)} samples"]
    if (differ := measuring.spread(about.expected)) < measuring.FLOAT32:
        notes.append(
            f"the answers to all of them differ by {differ:.1g} only: that the engines "
            "agree proves little"
        )
    return tuple(notes)
