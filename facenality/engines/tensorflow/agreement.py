"""How far two ways of computing a model are apart, on noise."""

import logging
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from ...arrays import Array
from ...spec import ModelSpec

Compute = Callable[[list[Array]], list[Array]]  # inputs and outputs in the spec's order

log = logging.getLogger(__name__)


def largest_difference(
    compute: Compute, reference: Compute, spec: ModelSpec, count: int = 2
) -> float | None:
    """The largest difference over all outputs, for `count` instances of noise.

    None where noise tells nothing: inputs of text, outputs without numbers, NaN on
    both sides, or a reference that cannot compute it here.
    """
    if any(one.dtype == "string" for one in spec.inputs):
        return None
    rng = np.random.default_rng(0)
    size = spec.fixed_batch or count
    noise = [
        rng.random((size, *one.example_shape())).astype(one.dtype)
        for one in spec.inputs
    ]
    try:
        expected = reference(noise)
    except tf.errors.UnimplementedError as error:  # channels first, on a processor
        log.info("its library cannot compute it here: there is nothing to compare with")
        log.debug("the reference fails", exc_info=error)
        return None
    pairs = zip(compute(noise), expected, strict=True)
    differences = [np.abs(a - b.astype(a.dtype)) for a, b in pairs if _is_number(a)]
    finite = [one[np.isfinite(one)] for one in differences]
    if not sum(len(one) for one in finite):
        return None
    return max(float(one.max(initial=0)) for one in finite)


def _is_number(output: Array) -> bool:
    return output.dtype.kind in "fiu"
