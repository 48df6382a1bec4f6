"""A Keras model -> one traced inference function of TensorFlow."""

from pathlib import Path
from typing import Any

import tensorflow as tf

from . import keras_model
from .keras_model import Loaded
from .traced import Traced


def trace(file: Path) -> Traced:
    """Load with Keras and trace. Raises ModelNotLoaded."""
    loaded = keras_model.load(file)
    return Traced(loaded.facts, _function(loaded), loaded.reference, loaded.model)


def _function(loaded: Loaded) -> Any:
    def infer(*inputs: Any) -> list[Any]:
        return loaded.call(list(inputs))

    inputs = loaded.model.inputs
    specs = [tf.TensorSpec((None, *t.shape[1:]), t.dtype) for t in inputs]
    # autograph would not enter Keras's code anyway, but leaves files in /tmp.
    return tf.function(infer, autograph=False).get_concrete_function(*specs)
