"""A file that the child process opens -> a traced function. See `engines.prepare`."""

from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from ..load_options import LoadOptions
from . import frozen_graph
from .prepare.process import GRAPH, SAVED_MODEL, prepared
from .signature import SERVING, exported_name
from .traced import Traced


def trace_prepared(file: Path, options: LoadOptions) -> Traced:
    """Let the child open `file`, and take over its graph. Raises ModelLoadFailed."""
    with prepared(file, options) as (answer, folder):
        assert answer.spec is not None  # noqa: S101  # else it has raised
        spec = answer.spec
        owner: Any = None
        if (folder / GRAPH).is_file():
            function = frozen_graph.read(folder / GRAPH)
        else:
            owner = tf.saved_model.load(str(folder / SAVED_MODEL))
            function = _positional(owner.signatures[SERVING], spec)
    return Traced(
        spec,
        function,
        lambda arrays: [np.asarray(one) for one in function(*map(tf.constant, arrays))],
        owner,
        answer.agreement,
    )


def _positional(signature: Any, spec: Any) -> Any:
    names = [exported_name(one.name) for one in spec.inputs]
    named = signature.structured_input_signature[1]

    def infer(*tensors: Any) -> list[Any]:
        answered = signature(**dict(zip(names, tensors, strict=True)))
        return [answered[one.name] for one in spec.outputs]

    shapes = [tf.TensorSpec(named[name].shape, named[name].dtype) for name in names]
    return tf.function(infer, autograph=False).get_concrete_function(*shapes)
