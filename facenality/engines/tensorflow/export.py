"""A traced model -> a SavedModel that TensorFlow Serving loads, and back again.

Inputs and outputs are called as the model calls them, the batch axis is open, and what
the function refers to (variables, tables of words, files) is saved with it.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from ...arrays import Array
from ...errors import ModelLoadFailed, first_line
from ...spec import TensorSpec
from . import frozen_graph
from .signature import SERVING, Signature, exported_name
from .traced import Traced


def write(traced: Traced, folder: Path) -> None:
    """Save `traced` in `folder`. Raises ModelLoadFailed where it cannot be saved."""
    _refuse_python(traced.function)
    signatures = {SERVING: _signature(traced)}
    try:
        tf.saved_model.save(_held(traced), str(folder), signatures)
    except (ValueError, TypeError, AssertionError, tf.errors.OpError) as error:
        why = first_line(error)
        raise ModelLoadFailed(f"TensorFlow cannot save it: {why}") from error


def _signature(traced: Traced) -> Any:
    """Numbers or texts in, scores out."""
    inputs = _distinct([exported_name(one.name) for one in traced.facts.inputs])
    outputs = _distinct([one.name for one in traced.facts.outputs])

    def serve(**named: Any) -> dict[str, Any]:
        answered = traced.function(*(named[name] for name in inputs))
        return dict(zip(outputs, answered, strict=True))

    # What the function captured follows after its own inputs.
    tensors = dict(zip(inputs, traced.function.inputs, strict=False))
    specs = {n: tf.TensorSpec(t.shape, t.dtype, n) for n, t in tensors.items()}
    return tf.function(serve, autograph=False).get_concrete_function(**specs)


def _distinct(names: list[str]) -> list[str]:
    if len(set(names)) < len(names):
        raise ModelLoadFailed(
            f"it has tensors of one name ({', '.join(names)}), and a signature tells "
            "them apart by their names: name them differently, and save it again"
        )
    return names


def _held(traced: Traced) -> Any:
    """What is saved with the functions: all that they refer to, and nothing else."""
    module = tf.Module()
    module.held_variables = list(traced.function.variables)
    module.held_resources = list(_resources(traced.owner))
    return module


def _resources(owner: Any) -> Iterator[Any]:
    """Tables and files that hang on the model, on whichever of its layers."""
    roots = owner._flatten_layers() if hasattr(owner, "_flatten_layers") else [owner]
    seen: set[int] = set()
    kinds = (tf.saved_model.experimental.TrackableResource, tf.saved_model.Asset)
    for root in roots:
        for one in tf.train.TrackableView(root).descendants():
            if isinstance(one, kinds) and id(one) not in seen:
                seen.add(id(one))
                yield one


def _refuse_python(function: Any) -> None:
    inside = set(frozen_graph.operations(function.graph.as_graph_def()))
    found = inside & frozen_graph.IN_PYTHON
    if found:
        raise ModelLoadFailed(
            f"it calls Python back ({', '.join(sorted(found))}), and TensorFlow "
            "Serving has none"
        )


def traced_answers(traced: Traced, inputs: list[Array]) -> list[Array]:
    """The answers of the function that is written; `inputs` may hold texts."""
    answered = traced.function(*(tf.constant(one) for one in inputs))
    return [np.asarray(one) for one in answered]


def reference(traced: Traced, inputs: list[Array]) -> list[Array]:
    """The answers of the model's own library; `inputs` may hold texts."""
    return traced.reference([tf.constant(one) for one in inputs])


class Reopened:
    """A SavedModel, loaded as TensorFlow Serving would, to be asked by names."""

    def __init__(self, folder: Path) -> None:
        self._loaded = tf.saved_model.load(str(folder))

    def signature(self) -> Signature:
        """As the metadata shows it."""
        return _shown(SERVING, self._loaded.signatures[SERVING])

    def call(self, inputs: dict[str, Array]) -> dict[str, Array]:
        """The outputs by name, for a batch of each input by name."""
        tensors = {name: tf.constant(one) for name, one in inputs.items()}
        answered = self._loaded.signatures[SERVING](**tensors)
        return {name: np.asarray(tensor) for name, tensor in answered.items()}


def _shown(name: str, function: Any) -> Signature:
    return Signature(
        name,
        tuple(map(_facts, *_pairs(function.structured_input_signature[1]))),
        tuple(map(_facts, *_pairs(function.structured_outputs))),
    )


def _pairs(tensors: dict[str, Any]) -> tuple[list[str], list[Any]]:
    return list(tensors), list(tensors.values())


def _facts(name: str, spec: Any) -> TensorSpec:
    dtype = "string" if spec.dtype == tf.string else spec.dtype.name
    shape = None if spec.shape.rank is None else tuple(spec.shape.as_list()[1:])
    return TensorSpec(name, shape, dtype)
