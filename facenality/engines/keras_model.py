"""A `.keras` or `.h5` file -> a Keras model and its facts, on any backend of Keras."""

import logging
import os
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path
from typing import Any

import keras

from ..arrays import Array
from ..errors import ModelLoadFailed
from ..scan import vet
from ..scan.formats import format_of
from ..spec import ModelSpec, TensorSpec
from . import keras_errors, keras_graph, python_model

log = logging.getLogger(__name__)

SUFFIXES = (".keras", ".h5", ".hdf5")


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


def load(file: Path) -> Loaded:
    """Vet and load. Raises ModelNotLoaded."""
    custom = _custom_layers(file)
    vet(file, allowed=frozenset(custom))
    model = _load(file, custom)
    if not getattr(model, "inputs", None) or not getattr(model, "outputs", None):
        raise ModelLoadFailed(
            "the model does not tell its inputs; build it as a functional or "
            "sequential model, or call it once before saving"
        )
    _forget_states(model)
    return Loaded(model, _facts(model))


def _custom_layers(file: Path) -> dict[str, Any]:
    """What the `custom.py` beside the model registers with Keras.

    Each model gets its own: two models may use one name for different layers.
    """
    others = (f for f in file.parent.iterdir() if f.suffix.lower() in SUFFIXES)
    if file.stem != "model" and any(other != file for other in others):
        return {}  # a folder of several models, such as models/: whose would it be?
    folders = [file.parent]
    if file.parent.name.isdigit():  # a version; its model's folder may hold the script
        folders.append(file.parent.parent)
    script = next(
        (f / "custom.py" for f in folders if (f / "custom.py").is_file()), None
    )
    if script is None:
        return {}
    registry = keras.saving.get_custom_objects()  # Keras's own, for the whole process
    before = dict(registry)
    try:
        python_model.run(script)
        return {n: one for n, one in registry.items() if before.get(n) is not one}
    finally:
        registry.clear()
        registry.update(before)


def _load(file: Path, custom: dict[str, Any]) -> keras.Model:
    try:
        with _named_by_content(file) as named:
            return keras.saving.load_model(
                named, custom_objects=custom, compile=False, safe_mode=True
            )
    except (
        *(ValueError, TypeError, OSError, KeyError, zipfile.BadZipFile),
        ImportError,  # a layer that needs TensorFlow, where that is not installed
    ) as error:
        # Its folder is the host's business, and this sentence reaches clients.
        said = str(error).replace(f"{file.parent}{os.sep}", "")
        reason = keras_errors.sentence(said, keras_errors.saved_by(file))
        raise ModelLoadFailed(f"Keras cannot load {file.name}: {reason}") from error


@contextmanager
def _named_by_content(file: Path) -> Iterator[Path]:
    """A path whose suffix says what is inside: Keras believes the suffix alone."""
    suffix = ".h5" if format_of(file) == "hdf5" else ".keras"
    if file.suffix == suffix:
        yield file
        return
    with tempfile.TemporaryDirectory() as folder:
        link = Path(folder, f"model{suffix}")
        link.symlink_to(file.absolute())
        yield link


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
        return _different(["/".join(map(str, path)) for path in paths])
    names = getattr(model, "output_names", [model.layers[-1].name])
    return _different(list(names))


def _different(names: list[str]) -> list[str]:
    taken: list[str] = []
    for name in names:
        numbered = (f"{name}_{number}" for number in count(1))
        taken.append(next(n for n in chain([name], numbered) if n not in taken))
    return taken


def _forget_states(model: keras.Model) -> None:
    """Every request starts anew: a state would be one for all clients together."""
    for layer in model._flatten_layers(include_self=False):
        if getattr(layer, "stateful", False):
            layer.stateful = False
            log.warning("%s is stateful: each instance starts without one", layer.name)


def _tensor(name: str, tensor: Any) -> TensorSpec:
    return TensorSpec(name, tuple(tensor.shape[1:]), tensor.dtype)


def _packed(model: keras.Model, inputs: list[Any]) -> Any:
    """Inputs in the structure that a functional model was built with."""
    structure = getattr(model, "_inputs_struct", None)
    if structure is None:
        return inputs[0]
    return keras.tree.pack_sequence_as(structure, inputs)
