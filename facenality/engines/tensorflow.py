"""The reference engine: one frozen TensorFlow graph, shared by all requests.

The Keras model is traced once into an inference function, its variables are frozen into
constants, and the Keras objects are let go: one copy of the weights. Batches are padded
to a few allowed sizes that are warmed before serving, so nothing is traced or compiled
while requests wait. keras.Model.predict is not used: it is not safe to share between
threads, retraces, and costs several times as much a call.
"""

import os
import zipfile
from bisect import bisect_left
from pathlib import Path
from typing import Any

import numpy as np

# Its C++ log would drown ours; errors still pass. Read once, at the import below.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import keras
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import (
    convert_variables_to_constants_v2,
)

from ..card import Facts
from ..errors import ModelNotLoaded
from . import Array, Tell


class TensorFlowEngine:
    """See the protocol `Engine`."""

    name = "tensorflow"
    precision = "float32"

    def __init__(self, file: Path, batch_sizes: tuple[int, ...], tell: Tell) -> None:
        self.batch_sizes = batch_sizes
        tell("loading the file")
        model = _load(file)
        self.facts = _facts(model)
        tell("freezing the graph")
        self._graph = _freeze(model, self.facts)
        tell("comparing with Keras")
        self.agreement = _compare(model, self, self.facts)

    def predict(self, batch: Array) -> Array:
        """Scores[N, …] for batch[N, …]; N is padded up to an allowed size."""
        count = len(batch)
        size = self.batch_sizes[bisect_left(self.batch_sizes, count)]
        if size > count:
            # The last instance again: zeros may be far outside what a model was made
            # for.
            batch = np.concatenate([batch, np.repeat(batch[-1:], size - count, 0)])
        (scores,) = self._graph(tf.constant(batch))
        return scores.numpy()[:count]  # type: ignore[no-any-return]  # untyped library


def _load(file: Path) -> keras.Model:
    try:
        return keras.saving.load_model(file, compile=False, safe_mode=True)
    except (ValueError, TypeError, OSError, KeyError, zipfile.BadZipFile) as error:
        # Its folder is the host's business, and this sentence reaches clients.
        reason = str(error).replace(f"{file.parent}{os.sep}", "")
        raise ModelNotLoaded(f"Keras cannot load {file.name}: {reason}") from error


def _facts(model: keras.Model) -> Facts:
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        raise ModelNotLoaded(
            f"the model has {len(model.inputs)} inputs and {len(model.outputs)} "
            "outputs; one of each can be served"
        )
    return Facts(
        input_shape=tuple(model.inputs[0].shape[1:]),
        input_dtype=model.inputs[0].dtype,
        output_shape=tuple(model.outputs[0].shape[1:]),
        activation=_last_activation(model),
        rescales=any(map(_is_rescaling, _layers(model))),
    )


def _layers(model: keras.Model) -> list[Any]:
    """All layers, those of nested models too."""
    return model._flatten_layers(include_self=False)  # type: ignore[no-any-return]


def _is_rescaling(layer: Any) -> bool:
    return isinstance(layer, keras.layers.Rescaling | keras.layers.Normalization)


def _last_activation(model: keras.Model) -> str:
    """The name of what makes the output; "linear" where no layer says."""
    for layer in reversed(_layers(model)):
        if isinstance(layer, keras.layers.Softmax):
            return "softmax"
        if activation := getattr(layer, "activation", None):
            return str(getattr(activation, "__name__", "custom"))
    return "linear"


def _freeze(model: keras.Model, facts: Facts) -> Any:
    spec = tf.TensorSpec((None, *facts.input_shape), facts.input_dtype)
    # autograph would not enter Keras's code anyway, but leaves files in /tmp.
    infer = tf.function(lambda x: model(x, training=False), autograph=False)
    traced = infer.get_concrete_function(spec)
    return convert_variables_to_constants_v2(traced)


def _compare(model: keras.Model, engine: TensorFlowEngine, facts: Facts) -> float:
    """Largest difference between the frozen graph and Keras itself, on noise."""
    shape = (
        2 if engine.batch_sizes[-1] > 1 else 1,
        *(n or 8 for n in facts.input_shape),
    )
    noise = np.random.default_rng(0).random(shape).astype(facts.input_dtype)
    expected = keras.ops.convert_to_numpy(model(noise, training=False))
    return float(np.abs(engine.predict(noise) - expected).max(initial=0))
