"""A SavedModel folder -> the inference function of its signature, and its facts."""

from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from ..arrays import Array
from ..errors import ModelNotLoaded
from ..facts import Facts, TensorFacts
from ..vetting import vet
from .traced import UNKNOWN_ACTIVATION, Traced

SIGNATURE = "serving_default"


def trace(folder: Path) -> Traced:
    """Load the folder and take its signature. Raises ModelNotLoaded."""
    vet(folder)
    try:
        loaded = tf.saved_model.load(str(folder))
    except (OSError, ValueError, tf.errors.OpError) as error:
        raise ModelNotLoaded(
            f"TensorFlow cannot load {folder.name}: {type(error).__name__}"
        ) from error
    signature = loaded.signatures.get(SIGNATURE)
    if signature is None:
        names = ", ".join(loaded.signatures) or "none"
        raise ModelNotLoaded(f"saved_model has no {SIGNATURE}; its signatures: {names}")
    specs = signature.structured_input_signature[1]
    outputs = signature.structured_outputs
    facts = Facts(
        tuple(_tensor(name, spec) for name, spec in specs.items()),
        tuple(_tensor(name, spec) for name, spec in outputs.items()),
        UNKNOWN_ACTIVATION,
        rescales=False,
    )
    function = _positional(signature, list(specs.items()), list(outputs))
    return Traced(facts, function, lambda xs: _arrays(function(*xs)), loaded)


def _tensor(name: str, spec: Any) -> TensorFacts:
    if spec.shape.rank is None:
        raise ModelNotLoaded(f"{name} of saved_model has no known rank")
    dtype = "string" if spec.dtype == tf.string else spec.dtype.name
    return TensorFacts(name, tuple(spec.shape.as_list()[1:]), dtype)


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
