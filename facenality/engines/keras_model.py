"""A `.keras` or `.h5` file -> a Keras model and its facts, on any backend of Keras."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras

from .. import scan
from ..arrays import Array
from ..spec import ModelSpec, TensorSpec, different_names
from . import custom_code, keras_file, keras_graph
from .load_options import DEFAULTS, LoadOptions, import_libraries


@dataclass(frozen=True)
class Loaded:
    """A vetted Keras model that takes and gives lists, in the facts' order."""

    model: keras.Model
    facts: ModelSpec

    def call(self, inputs: list[Any]) -> list[Any]:
        """The outputs for tensors of Keras's backend."""
        answered = self.model(_packed(self.model, inputs), training=False)
        return list(keras.tree.flatten(answered))

    def reference(self, inputs: list[Array]) -> list[Array]:
        """Keras's own answers."""
        return [keras.ops.convert_to_numpy(output) for output in self.call(inputs)]


def load(file: Path, options: LoadOptions = DEFAULTS) -> Loaded:
    """Vet and load. Raises ModelLoadFailed."""
    import_libraries(options.libraries)
    registry = keras.saving.get_custom_objects()
    custom = custom_code.custom_objects(custom_code.script_of(file), registry)
    scan.vet(file, allowed=frozenset(custom), libraries=options.known_libraries)
    model = keras_file.read(keras, file, custom)
    return Loaded(model, _facts(model))


def _facts(model: keras.Model) -> ModelSpec:
    rescales, wanted = keras_graph.rescaling(model)
    return ModelSpec(
        inputs=tuple(_tensor(t.name, t) for t in model.inputs),
        outputs=tuple(map(_tensor, _output_names(model), model.outputs)),
        activation=keras_graph.last_activation(model),
        rescales=rescales,
        pixel_scale=wanted,
    )


def _output_names(model: keras.Model) -> list[str]:
    """As the model was built; a sequential model's output is its last layer's.

    In nested dicts a name is the path to it. Of two that are alike the second has a
    number: one layer may well make several outputs.
    """
    structure = getattr(model, "_outputs_struct", None)
    paths = [path for path, _ in keras.tree.flatten_with_path(structure)]
    if any(isinstance(part, str) for path in paths for part in path):
        return different_names(["/".join(map(str, path)) for path in paths])
    names = getattr(model, "output_names", [model.layers[-1].name])
    return different_names(list(names))


def _tensor(name: str, tensor: Any) -> TensorSpec:
    return TensorSpec(name, tuple(tensor.shape[1:]), tensor.dtype)


def _packed(model: keras.Model, inputs: list[Any]) -> Any:
    """Inputs in the structure that a functional model was built with."""
    structure = getattr(model, "_inputs_struct", None)
    if structure is None:
        return inputs[0]
    return keras.tree.pack_sequence_as(structure, inputs)
