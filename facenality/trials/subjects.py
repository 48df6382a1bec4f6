"""The model on trial: loaded by its own library, with the means to convert it.

With TensorFlow installed that is Keras on TensorFlow, or TensorFlow itself; without it,
Keras on its OpenVINO backend. Both vet the file first.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..arrays import Array
from ..engines import Engine, allowed_batch_sizes, conversion
from ..errors import ModelNotLoaded
from ..facts import Facts
from .cache import installed
from .question import Question


@dataclass(frozen=True)
class Subject:
    """`reference` takes batches in the facts' order; `engine` is TensorFlow's."""

    facts: Facts
    reference: Callable[[list[Array]], list[Array]]
    convert: Callable[[Path], None]
    engine: Engine | None
    note: str


def subject(question: Question) -> Subject:
    """Vet and load. Raises ModelNotLoaded."""
    if installed("tensorflow"):
        return _on_tensorflow(question)
    if question.file.suffix not in (".keras", ".h5"):
        raise ModelNotLoaded(
            "a SavedModel needs TensorFlow, which is not installed: install it, or "
            "save the model with model.save('model.keras')"
        )
    return _on_openvino(question)


def _on_tensorflow(question: Question) -> Subject:
    from ..engines import tensorflow_process

    tensorflow_process.set_up("float32", question.threads)
    from ..engines import tensorflow

    traced = tensorflow.trace(question.file)
    sizes = allowed_batch_sizes(question.max_batch_size)
    engine = tensorflow.of_traced(traced, sizes)
    return Subject(
        engine.facts,
        traced.reference,
        lambda file: conversion.from_graph(engine.graph, file),
        engine,
        "compared with Keras on TensorFlow",
    )


def _on_openvino(question: Question) -> Subject:
    os.environ["KERAS_BACKEND"] = "openvino"
    # Before Keras, which would import it with its telemetry.
    from ..engines import keras_model, openvino_library

    assert openvino_library.openvino  # noqa: S101  # imported for its order only
    loaded = keras_model.load(question.file)
    return Subject(
        loaded.facts,
        loaded.reference,
        lambda file: conversion.from_keras(loaded, file),
        None,
        "compared with Keras on OpenVINO, since TensorFlow is not installed",
    )
