"""The batches that the model and its export are both asked."""

from collections.abc import Iterator

import numpy as np

from ...arrays import Array, Arrays, stack
from ...registry import samples as golden
from ...registry.selection import sample_inputs
from ...spec import ModelSpec, TensorSpec
from .subject import Subject

TEXTS = (
    "",
    "good",
    "a bad beginning, and a good end",
    "Größe – 大きさ",
    "GOOD bad bad",
)


def tensors(one: Subject) -> Iterator[list[Array]]:
    """Batches of 1 and of 3, as arrays in the model's order; the sample is first."""
    instances = _instances(one)
    yield one.inputs(stack(instances[:1]))
    for start in range(0, len(instances), 3):
        yield one.inputs(stack((instances + instances)[start : start + 3]))


def _instances(one: Subject) -> list[Arrays]:
    if all(tensor.dtype != "string" for tensor in one.facts.inputs):
        return sample_inputs.make_sample_inputs(
            one.found, one.task, one.recipe, one.facts
        )
    sample = one.found.sample()
    own = [one.task.decode(golden.payload(sample))] if sample else []
    return own + [_with_text(text, one.facts) for text in TEXTS]


def _with_text(text: str, facts: ModelSpec) -> Arrays:
    """An instance that says `text` in every string; numbers are its length."""
    arrays = {one.name: _filled(text, one) for one in facts.inputs}
    return arrays if len(arrays) > 1 else next(iter(arrays.values()))


def _filled(text: str, tensor: TensorSpec) -> Array:
    if tensor.dtype == "string":
        return np.full(tensor.example_shape(), text, dtype=object)
    return np.full(tensor.example_shape(), len(text)).astype(tensor.dtype)
