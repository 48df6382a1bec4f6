"""Picture -> float32[H, W, C], scaled as the model was trained: keras.applications.

Source: keras/src/applications/imagenet_utils.py, preprocess_input.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from .recipe import ImageSpec

Tensor = npt.NDArray[np.float32]


def tensor(pixels: npt.NDArray[np.uint8], spec: ImageSpec) -> Tensor:
    """What the model gets of a picture that fills the size, uint8[H, W(, C)]."""
    scaled = preprocess(pixels, spec.preprocess)
    return np.moveaxis(scaled, -1, 0) if spec.channels_first else scaled


def preprocess(picture: npt.NDArray[np.uint8], how: str) -> Tensor:
    """float32[H, W, C] as `how` scales uint8[H, W(, C)]."""
    pixels = np.array(picture, dtype=np.float32)  # ours, so scaled where it lies
    if pixels.ndim == 2:
        pixels = pixels[..., np.newaxis]
    scaled: Tensor = SCALES[how](pixels)
    return scaled


def _torch(pixels: Tensor) -> Tensor:
    mean = np.array([0.485, 0.456, 0.406], np.float32)
    deviation = np.array([0.229, 0.224, 0.225], np.float32)
    pixels = _unit(pixels)
    pixels -= mean
    pixels /= deviation
    return pixels


def _caffe(pixels: Tensor) -> Tensor:
    mean_bgr = np.array([103.939, 116.779, 123.68], np.float32)
    return pixels[..., ::-1] - mean_bgr


def _unit(pixels: Tensor) -> Tensor:
    pixels /= np.float32(255)
    return pixels


def _tf(pixels: Tensor) -> Tensor:
    pixels /= np.float32(127.5)
    pixels -= np.float32(1)
    return pixels


# Arithmetic only, so that they scale tensors of TensorFlow as well: new ones, where
# arrays are scaled in place.
SCALES: dict[str, Callable[[Any], Any]] = {
    "none": lambda pixels: pixels,
    "unit": _unit,
    "tf": _tf,
    "torch": _torch,
    "caffe": _caffe,
}
