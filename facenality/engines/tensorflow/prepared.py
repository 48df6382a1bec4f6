"""A file that the child process opens -> a traced function. See `prepare`."""

from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from ..load_options import LoadOptions
from . import frozen_graph
from .prepare.process import GRAPH, SAVED_MODEL, prepared
from .signature import SERVING, exported_name
from .traced import Traced
from .tracing import positional


def trace_prepared(file: Path, options: LoadOptions, *, keras_2: bool) -> Traced:
    """Let the child open `file`, and take over its graph. Raises ModelLoadFailed."""
    with prepared(file, options, keras_2=keras_2) as (answer, folder):
        assert answer.spec is not None  # noqa: S101  # else it has raised
        spec = answer.spec
        owner: Any = None
        if (folder / GRAPH).is_file():
            function = frozen_graph.read(folder / GRAPH)
        else:
            owner = tf.saved_model.load(str(folder / SAVED_MODEL))
            signature = owner.signatures[SERVING]
            specs = signature.structured_input_signature[1]
            names = [exported_name(one.name) for one in spec.inputs]
            inputs = [(name, specs[name]) for name in names]
            outputs = [one.name for one in spec.outputs]
            function, _ = positional(signature, inputs, outputs)
    return Traced(
        spec,
        function,
        lambda arrays: [np.asarray(one) for one in function(*map(tf.constant, arrays))],
        owner,
        answer.agreement,
    )
