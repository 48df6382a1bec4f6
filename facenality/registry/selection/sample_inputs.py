"""Inputs that make a model's answers differ, as its task would hand them over.

A comparison proves nothing where all answers are alike: so pictures from broad patches
to fine grain, bright and dark, a gradient, plain greys; numbers around 0 and beyond 1.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from ...arrays import Array, Arrays
from ...spec import ANY_SIDE, ImageSpec, ModelConfig, ModelSpec
from ...tasks import Task
from ...tasks.image_transform import tensor
from .. import samples as golden
from ..repository import ModelFiles

CLOUDS = ((3, 0, 256), (9, 0, 90), (40, 160, 256), (150, 60, 200))  # grain, low, high
GREYS = (0, 128, 255)


def make_sample_inputs(
    found: ModelFiles, task: Task, recipe: ModelConfig, facts: ModelSpec
) -> list[Arrays]:
    """Instances, without the batch axis; the golden sample is the first."""
    golden_sample = found.sample()
    own = [task.decode(golden.payload(golden_sample))] if golden_sample else []
    if recipe.image and facts.single_input() and not recipe.image.encoded:
        spec = sized(recipe.image, own)
        return own + [_tensor(pixels, spec) for pixels in _pictures(spec)]
    shapes = _shapes(own[0] if own else None, facts)
    return own + list(_numbers(facts, shapes))


def sized(spec: ImageSpec, own: list[Arrays]) -> ImageSpec:
    """`spec` with a size: the golden sample's, as all samples must share a batch."""
    if spec.height is not None:
        return spec
    height = width = ANY_SIDE
    if own and not isinstance(own[0], dict):
        shape = own[0].shape
        height, width = shape[1:] if spec.channels_first else shape[:2]
    return replace(spec, height=height, width=width)


def _pictures(spec: ImageSpec) -> Iterator[Array]:
    """uint8[H, W, 3]."""
    height, width = _size(spec)
    rng = np.random.default_rng(0)
    for grain, low, high in CLOUDS:
        small = rng.integers(low, high, (grain, grain, 3))
        yield _enlarged(small.astype(np.uint8), spec)
    down = np.linspace(0, 255, height)[:, None, None]
    along = np.linspace(255, 0, width)[None, :, None]
    mixed = np.concatenate(
        np.broadcast_arrays(down, along, (down + along) / 2), axis=-1
    )
    yield mixed.astype(np.uint8)
    for grey in GREYS:
        yield np.full((height, width, 3), grey, np.uint8)


def _size(spec: ImageSpec) -> tuple[int, int]:
    return spec.height or ANY_SIDE, spec.width or ANY_SIDE


def _enlarged(small: Array, spec: ImageSpec) -> Array:
    """Each pixel repeated until it fills the size."""
    height, width = _size(spec)
    rows = np.arange(height) * len(small) // height
    columns = np.arange(width) * len(small) // width
    return small[rows][:, columns]


def _tensor(pixels: Array, spec: ImageSpec) -> Array:
    """As images.decode makes it of a file that holds these pixels."""
    shown = pixels if spec.mode == "RGB" else pixels.mean(axis=-1).astype(np.uint8)
    return tensor(shown, spec)


def _shapes(sample: Arrays | None, facts: ModelSpec) -> dict[str, tuple[int, ...]]:
    """The golden sample's: where any length fits, all need one to share a batch."""
    if isinstance(sample, dict):
        return {name: part.shape for name, part in sample.items()}
    if sample is not None:
        return {facts.inputs[0].name: sample.shape}
    return {one.name: one.example_shape() for one in facts.inputs}


def _numbers(facts: ModelSpec, shapes: dict[str, tuple[int, ...]]) -> Iterator[Arrays]:
    rng = np.random.default_rng(0)
    for kind in range(7):
        arrays = {
            one.name: _one(one.dtype, shapes[one.name], kind, rng)
            for one in facts.inputs
        }
        yield arrays if len(arrays) > 1 else next(iter(arrays.values()))


def _one(
    dtype: str, shape: tuple[int, ...], kind: int, rng: np.random.Generator
) -> Array:
    """Noise of several widths, a ramp, constants; small whole numbers where asked."""
    if np.dtype(dtype).kind != "f":
        return rng.integers(0, 2, shape).astype(dtype)
    if kind < 4:
        noise = rng.normal((0, 0, 0.5, 0)[kind], (0.1, 1, 0.3, 3)[kind], shape)
        return noise.astype(dtype)
    if kind == 4:
        ramp = np.linspace(-1, 1, int(np.prod(shape))).reshape(shape)
        return ramp.astype(dtype)
    return np.full(shape, kind - 5, dtype)
