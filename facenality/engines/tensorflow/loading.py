"""A Keras file or a SavedModel folder -> one traced inference function."""

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from ...arrays import Array
from ...errors import ModelLoadFailed
from ...scan import vet
from ...spec import ModelSpec, TensorSpec
from .. import keras_model
from ..load_options import LoadOptions
from .traced import UNKNOWN_ACTIVATION, Traced
from .tracing import positional, trace


def trace_keras_file(file: Path, options: LoadOptions) -> Traced:
    """Load with Keras and trace. Raises ModelLoadFailed."""
    loaded = keras_model.load(file, options)
    specs = [tf.TensorSpec(t.shape, t.dtype) for t in loaded.model.inputs]
    function, fixed = trace(lambda *inputs: loaded.call(list(inputs)), specs)
    facts = replace(loaded.facts, fixed_batch=fixed)
    return Traced(facts, function, loaded.reference, loaded.model)


log = logging.getLogger(__name__)

SIGNATURE = "serving_default"


def trace_saved_model(folder: Path) -> Traced:
    """Load the folder and take its signature. Raises ModelLoadFailed."""
    vet(folder)
    try:
        loaded = tf.saved_model.load(str(folder))
    except (OSError, ValueError, tf.errors.OpError) as error:
        raise ModelLoadFailed(
            f"TensorFlow cannot load {folder.name}: {type(error).__name__}"
        ) from error
    signature = _signature(loaded)
    specs = signature.structured_input_signature[1]
    outputs = signature.structured_outputs
    facts = ModelSpec(
        tuple(_tensor(name, spec) for name, spec in specs.items()),
        tuple(_tensor(name, spec) for name, spec in outputs.items()),
        UNKNOWN_ACTIVATION,
        rescales=False,
    )
    function, fixed = positional(signature, list(specs.items()), list(outputs))
    facts = replace(facts, fixed_batch=fixed)
    return Traced(facts, function, lambda xs: _arrays(function(*xs)), loaded)


def _signature(loaded: Any) -> Any:
    """The default signature, or the only one, whatever its name."""
    signatures = loaded.signatures
    if SIGNATURE in signatures:
        return signatures[SIGNATURE]
    if len(signatures) == 1:
        return next(iter(signatures.values()))
    names = ", ".join(signatures) or "none"
    raise ModelLoadFailed(
        f"saved_model has no {SIGNATURE}; its signatures: {names}. Export it again "
        "with one of them as serving_default"
    )


def _tensor(name: str, spec: Any) -> TensorSpec:
    if spec.shape.rank is None:
        raise ModelLoadFailed(f"{name} of saved_model has no known rank")
    dtype = "string" if spec.dtype == tf.string else spec.dtype.name
    return TensorSpec(name, tuple(spec.shape.as_list()[1:]), dtype)


def _arrays(outputs: Any) -> list[Array]:
    return [np.asarray(output) for output in outputs]
