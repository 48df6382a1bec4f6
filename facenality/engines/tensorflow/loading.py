"""A Keras file or a SavedModel folder -> one traced inference function."""

from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from ...arrays import Array
from ...errors import ModelLoadFailed
from ...scan import vet
from ...spec import ModelSpec, TensorSpec
from .. import keras_model
from ..keras_model import Loaded
from ..load_options import LoadOptions
from .traced import UNKNOWN_ACTIVATION, Traced


def trace_keras_file(file: Path, options: LoadOptions) -> Traced:
    """Load with Keras and trace. Raises ModelLoadFailed."""
    loaded = keras_model.load(file, options)
    return Traced(loaded.facts, _function(loaded), loaded.reference, loaded.model)


def _function(loaded: Loaded) -> Any:
    def infer(*inputs: Any) -> list[Any]:
        return loaded.call(list(inputs))

    inputs = loaded.model.inputs
    specs = [tf.TensorSpec((None, *t.shape[1:]), t.dtype) for t in inputs]
    # autograph would not enter Keras's code anyway, but leaves files in /tmp.
    return tf.function(infer, autograph=False).get_concrete_function(*specs)


SIGNATURE = "serving_default"


def trace_saved_model(folder: Path) -> Traced:
    """Load the folder and take its signature. Raises ModelNotLoaded."""
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
    function = _positional(signature, list(specs.items()), list(outputs))
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


def _positional(
    signature: Any, specs: list[tuple[str, Any]], outputs: list[str]
) -> Any:
    """The signature with its inputs and outputs in the facts' order."""

    def infer(*inputs: Any) -> list[Any]:
        named = {name: x for (name, _), x in zip(specs, inputs, strict=True)}
        answered = signature(**named)
        return [answered[name] for name in outputs]

    shapes = [tf.TensorSpec((None, *s.shape[1:]), s.dtype) for _, s in specs]
    return tf.function(infer, autograph=False).get_concrete_function(*shapes)


def _arrays(outputs: Any) -> list[Array]:
    return [np.asarray(output) for output in outputs]
