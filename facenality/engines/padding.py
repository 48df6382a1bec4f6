"""Batches are padded to a few allowed sizes, and what comes back is cut again."""

from bisect import bisect_left

from ..arrays import Array, Arrays, length, padded
from ..errors import ModelFailed
from ..spec import ModelSpec, TensorSpec


def allowed_batch_sizes(most: int) -> tuple[int, ...]:
    """Powers of two, and `most`: padding wastes less than half, warming stays short."""
    sizes = {most}
    power = 1
    while power < most:
        sizes.add(power)
        power *= 2
    return tuple(sorted(sizes))


def grown(batch: Arrays, sizes: tuple[int, ...]) -> tuple[Arrays, int]:
    """`batch` padded up to the next of `sizes`, and that size."""
    count = length(batch)
    size = sizes[bisect_left(sizes, count)]
    return (padded(batch, size) if size > count else batch), size


def inputs(batch: Arrays, facts: ModelSpec) -> list[Array]:
    """The arrays of `batch` in the model's own order.

    Pictures are decoded to float32; a model of whole numbers gets them as such.
    """
    if isinstance(batch, dict):
        return [batch[one.name] for one in facts.inputs]
    single = facts.inputs[0]
    return [batch.astype(single.dtype) if _in_fractions(batch, single) else batch]


def _in_fractions(batch: Array, one: TensorSpec) -> bool:
    return batch.dtype.kind == "f" and one.takes_whole_numbers()


def scores(parts: list[Array], size: int, count: int, facts: ModelSpec) -> Arrays:
    """The first `count` rows of a batch of `size`, by output. Raises ModelFailed."""
    if any(part.shape[:1] != (size,) for part in parts):
        raise ModelFailed(
            f"The model answered {[list(part.shape) for part in parts]} for "
            f"{size} instances: the first axis of an output must be the batch."
        )
    parts = [part[:count] for part in parts]
    if len(parts) == 1:
        return parts[0]
    names = (one.name for one in facts.outputs)
    return dict(zip(names, parts, strict=True))
