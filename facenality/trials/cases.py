"""What every engine is asked about one model, and what it should answer."""

import logging
from dataclasses import dataclass

import numpy as np

from .. import card, recipe, tasks
from ..arrays import Array, Arrays
from ..engines import batches
from ..folder import Found
from .measuring import Answers
from .question import Question
from .samples import samples
from .subjects import Subject

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Case:
    """`expected` is what the model's own library answers to each instance alone."""

    found: Found
    written: card.Card
    task: tasks.Task
    instances: list[Arrays]
    expected: Answers


def case(question: Question, subject: Subject) -> Case:
    """Raises ModelNotLoaded where card and model contradict each other."""
    written = card.read(question.found.beside("model.toml"))
    labels = question.found.labels_folder()
    settled = recipe.complete(written, subject.facts, labels)
    task = tasks.make(settled, subject.facts)
    asked = [
        (instance, answered)
        for instance in samples(question.found, task, settled, subject.facts)
        if (answered := answer(subject, instance)) is not None
    ]
    parts = zip(*(answered for _, answered in asked), strict=True)
    expected = [np.concatenate(one) for one in parts]
    instances = [instance for instance, _ in asked]
    return Case(question.found, written, task, instances, expected)


def answer(subject: Subject, instance: Arrays) -> list[Array] | None:
    """The reference's, to one alone; None where the model takes no such numbers."""
    arrays = batches.inputs(instance, subject.facts)
    try:
        return subject.reference([array[np.newaxis] for array in arrays])
    except Exception as error:
        log.debug("a sample is left out", exc_info=error)
        return None
