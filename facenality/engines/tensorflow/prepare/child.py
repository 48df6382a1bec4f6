"""Inside the child process: Keras opens the file, TensorFlow traces and writes it."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import numpy as np

from .. import runtime  # isort: skip  the environment, before the imports
import tensorflow as tf

from .... import scan
from ....spec import ModelSpec, TensorSpec, different_names
from ... import custom_code, keras_file
from ...load_options import LoadOptions, import_libraries
from .. import export, frozen_graph, tracing
from ..agreement import largest_difference
from ..traced import UNKNOWN_ACTIVATION, Traced
from .process import GRAPH, SAVED_MODEL, Prepared, Request
from .weights_2_12 import with_todays_names

assert runtime  # noqa: S101  # imported for its order only


def prepare(request: Request) -> Prepared:
    """Open the file and write its graph. Raises ModelLoadFailed."""
    keras = _keras(request)
    traced = _trace(_open(keras, request))
    if frozen_graph.weight_bytes(traced.function) <= frozen_graph.MAX_BYTES:
        graph = frozen_graph.frozen(traced.function)
    else:
        graph = traced.function
    is_written = graph is not traced.function and frozen_graph.write(
        graph, request.folder / GRAPH
    )
    if not is_written:
        export.write(traced, request.folder / SAVED_MODEL)
    agreement = largest_difference(
        lambda arrays: [np.asarray(one) for one in graph(*map(tf.constant, arrays))],
        traced.reference,
        traced.facts,
    )
    return Prepared(traced.facts, agreement)


def _keras(request: Request) -> ModuleType:
    if request.keras_2:
        import tf_keras as keras
    else:
        import keras
    return keras  # type: ignore[no-any-return]  # neither has types


def _open(keras: ModuleType, request: Request) -> Any:
    options = LoadOptions(request.libraries, request.allow_code)
    import_libraries(options.libraries)
    registry = keras.utils.get_custom_objects()
    script = custom_code.script_of(request.file)
    with _imported_as_keras(keras):
        custom = custom_code.custom_objects(script, registry)
    scan.vet(
        request.file,
        allowed=frozenset(custom),
        libraries=options.known_libraries,
        allow_code=options.allow_code,
    )
    if options.allow_code and not request.keras_2:
        keras.config.enable_unsafe_deserialization()
    with with_todays_names(request.file) as file:
        return keras_file.read(keras, file, custom, allow_code=options.allow_code)


@contextmanager
def _imported_as_keras(keras: ModuleType) -> Iterator[None]:
    """What `import keras` gives a custom.py of that time: Keras 2."""
    parts = ("layers", "models", "backend", "initializers", "activations", "utils")
    modules = {f"keras.{part}": getattr(keras, part) for part in parts}
    modules["keras"] = keras
    before = {name: sys.modules.get(name) for name in modules}
    sys.modules.update(modules)
    try:
        yield
    finally:
        for name, module in before.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module


def _trace(model: Any) -> Traced:
    structure = getattr(model, "_nested_inputs", None)
    if structure is None:
        structure = getattr(model, "_inputs_struct", None)

    def call(*tensors: Any) -> list[Any]:
        packed = (
            tensors[0]
            if structure is None
            else tf.nest.pack_sequence_as(structure, tensors)
        )
        return list(tf.nest.flatten(model(packed, training=False)))

    specs = [tf.TensorSpec(_shape(one), one.dtype) for one in model.inputs]
    function, fixed = tracing.trace(call, specs)
    spec = ModelSpec(
        tuple(_tensor(one.name, one) for one in model.inputs),
        tuple(map(_tensor, _output_names(model), function.outputs)),
        UNKNOWN_ACTIVATION,
        rescales=False,  # this too is read off the graph, by whoever opens it
        fixed_batch=fixed,
    )
    return Traced(
        spec, function, lambda arrays: [np.asarray(one) for one in call(*arrays)], model
    )


def _output_names(model: Any) -> list[str]:
    """As the model was built; in nested dicts a name is the path to it."""
    structure = getattr(model, "_nested_outputs", None)
    if structure is None:
        structure = getattr(model, "_outputs_struct", None)
    if not isinstance(structure, dict):
        return different_names(list(model.output_names))
    return different_names(list(_paths(structure)))


def _paths(structure: Any, prefix: str = "") -> Iterator[str]:
    """In the order in which `tf.nest` flattens: dicts by their sorted names."""
    if isinstance(structure, dict):
        named = sorted(structure.items())
    elif isinstance(structure, list | tuple):
        named = list(enumerate(structure))
    else:
        yield prefix
        return
    for name, inner in named:
        yield from _paths(inner, f"{prefix}/{name}" if prefix else str(name))


def _shape(tensor: Any) -> tuple[int | None, ...]:
    shape = tensor.shape
    return tuple(shape.as_list() if hasattr(shape, "as_list") else shape)


def _tensor(name: str, tensor: Any) -> TensorSpec:
    dtype = tf.as_dtype(tensor.dtype)
    return TensorSpec(
        name.partition(":")[0],
        _shape(tensor)[1:],
        "string" if dtype == tf.string else dtype.name,
    )
