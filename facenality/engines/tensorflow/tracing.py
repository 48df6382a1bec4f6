"""Traces a function for batches of any size, or of the one size that it takes."""

import logging
from typing import Any

import tensorflow as tf

from ...spec import TensorSpec

log = logging.getLogger(__name__)


def trace(infer: Any, specs: list[Any]) -> tuple[Any, int | None]:
    """A function of any number of instances; else of as many as it was built for.

    Many say that they take one and take more; others have it in their reshapes.
    """
    declared = {spec.shape[0] for spec in specs} - {None}
    # autograph would not enter Keras's code anyway, but leaves files in /tmp.
    function = tf.function(infer, autograph=False)
    open_specs = [tf.TensorSpec((None, *s.shape[1:]), s.dtype) for s in specs]
    if len(declared) != 1:
        return function.get_concrete_function(*open_specs), None
    (fixed,) = declared
    try:
        # As it is: in a graph TensorFlow leaves out reshapes that it finds superfluous.
        if _takes(infer, open_specs, fixed + 1):
            return function.get_concrete_function(*open_specs), None
    except Exception as error:  # of many kinds: the model's own code
        log.debug("it takes %d instances only", fixed, exc_info=error)
    closed = [tf.TensorSpec((fixed, *s.shape[1:]), s.dtype) for s in specs]
    return function.get_concrete_function(*closed), fixed


def _takes(infer: Any, specs: list[Any], rows: int) -> bool:
    """Whether it answers `rows` instances with as many rows."""
    parts = [TensorSpec("", tuple(s.shape[1:]), s.dtype.name) for s in specs]
    shapes = [(rows, *part.example_shape()) for part in parts]
    blanks = [tf.zeros(shape, s.dtype) for shape, s in zip(shapes, specs, strict=True)]
    return all(part.shape[:1] == (rows,) for part in infer(*blanks))


def positional(
    signature: Any, specs: list[tuple[str, Any]], outputs: list[str]
) -> tuple[Any, int | None]:
    """The signature with its inputs and outputs in the facts' order."""

    def infer(*inputs: Any) -> list[Any]:
        named = {name: x for (name, _), x in zip(specs, inputs, strict=True)}
        answered = signature(**named)
        return [answered[name] for name in outputs]

    return trace(infer, [spec for _, spec in specs])
