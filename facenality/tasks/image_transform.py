"""A decoded picture -> a picture of the model's size: stretched, cropped or padded.

Resizing was a third of decoding. Bilinear, which Keras and most models take, is done by
cykooz_resizer where it is installed: the same convolution with the processor's vectors,
in a fifth of the time, at most one grey level from Pillow's. Its other filters round
between the two axes elsewhere than Pillow and may be off by many levels, so they stay
Pillow's.

Picture -> float32[H, W, C], scaled as the model was trained: keras.applications.

Source: keras/src/applications/imagenet_utils.py, preprocess_input.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from ..spec import ImageSpec

try:
    import cykooz_resizer as vectors
except ImportError:  # there is none for this processor
    vectors = None

Size = tuple[int, int]  # width, height
Box = tuple[float, float, float, float]  # left, top, right, bottom
Resampling = Image.Resampling

_RESIZE = {
    "bilinear": Resampling.BILINEAR,
    "nearest": Resampling.NEAREST,
    "bicubic": Resampling.BICUBIC,
    "lanczos": Resampling.LANCZOS,
}


def resize(
    picture: Image.Image, size: Size, box: Box, fit: str, how: str
) -> Image.Image:
    """The part `box` of `picture` (RGB or L) in `size`; in less where it is to pad."""
    return _FIT[fit](picture, size, box, how)


def letterbox(picture: Image.Image, size: Size) -> Image.Image:
    """`picture` in the middle of `size`, black around it."""
    if picture.size == size:
        return picture
    padded = Image.new(picture.mode, size)
    left, top = (round((a - b) / 2) for a, b in zip(size, picture.size, strict=True))
    padded.paste(picture, (left, top))
    return padded


def _crop(picture: Image.Image, size: Size, box: Box, how: str) -> Image.Image:
    """The largest middle part that has the shape of `size`."""
    _, _, width, height = box
    scale = min(width / size[0], height / size[1])
    # Rounding may leave a margin of a little less than nothing.
    x = max(0.0, (width - scale * size[0]) / 2)
    y = max(0.0, (height - scale * size[1]) / 2)
    return _resized(picture, size, (x, y, width - x, height - y), how)


def _pad(picture: Image.Image, size: Size, box: Box, how: str) -> Image.Image:
    """The whole picture, in its own shape; `centred` adds what is missing."""
    _, _, width, height = box
    scale = min(size[0] / width, size[1] / height)
    inner = max(1, round(scale * width)), max(1, round(scale * height))
    return _resized(picture, inner, box, how)


def _resized(picture: Image.Image, size: Size, box: Box, how: str) -> Image.Image:
    if vectors is None or how != "bilinear":
        return picture.resize(size, _RESIZE[how], box)
    left, top, right, bottom = box
    options = vectors.ResizeOptions(
        _BILINEAR, False, vectors.CropBox(left, top, right - left, bottom - top)
    )
    small = Image.new(picture.mode, size)
    vectors.Resizer().resize_pil(picture, small, options)
    return small


_BILINEAR = vectors and vectors.ResizeAlg.convolution(vectors.FilterType.bilinear)

_FIT: dict[str, Callable[[Image.Image, Size, Box, str], Image.Image]] = {
    "stretch": _resized,
    "crop": _crop,
    "pad": _pad,
}

Tensor = npt.NDArray[np.float32]


def tensor(pixels: npt.NDArray[np.uint8], spec: ImageSpec) -> Tensor:
    """What the model gets of a picture that fills the size, uint8[H, W(, C)]."""
    scaled = preprocess(pixels, spec.preprocess)
    if spec.grey_plane:
        return scaled[..., 0]
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
