"""A `.keras` or `.h5` file -> a Keras model and its facts, on any backend of Keras."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras

from .. import scan
from ..arrays import Array
from ..errors import ModelLoadFailed
from ..spec import ModelSpec, TensorSpec
from . import custom_code, keras_file
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
    if not getattr(model, "inputs", None) or not getattr(model, "outputs", None):
        raise ModelLoadFailed(
            "the model does not tell its inputs; build it as a functional or "
            "sequential model, or call it once before saving"
        )
    return Loaded(model, _facts(model))


def _facts(model: keras.Model) -> ModelSpec:
    return ModelSpec(
        inputs=tuple(_tensor(t.name, t) for t in model.inputs),
        outputs=tuple(map(_tensor, _output_names(model), model.outputs)),
        activation=_last_activation(model),
        rescales=any(map(_is_rescaling, _layers(model))),
    )


def _output_names(model: keras.Model) -> list[str]:
    """As the model was built; a sequential model's output is its last layer's."""
    structure = getattr(model, "_outputs_struct", None)
    if isinstance(structure, dict):
        return sorted(structure)  # the order in which keras.tree flattens a dict
    names: list[str] = getattr(model, "output_names", [model.layers[-1].name])
    return names


def _tensor(name: str, tensor: Any) -> TensorSpec:
    return TensorSpec(name, tuple(tensor.shape[1:]), tensor.dtype)


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


def _packed(model: keras.Model, inputs: list[Any]) -> Any:
    """Inputs in the structure that a functional model was built with."""
    structure = getattr(model, "_inputs_struct", None)
    if structure is None:
        return inputs[0]
    return keras.tree.pack_sequence_as(structure, inputs)
