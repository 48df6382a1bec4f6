"""What a loaded model tells about itself."""

from dataclasses import dataclass
from itertools import chain, count
from typing import Literal

Shape = tuple[int | None, ...]

# Pixels a side of the pictures that a network of any size is tried with: InceptionV3
# takes none below 75.
ANY_SIDE = 96


@dataclass(frozen=True)
class TensorSpec:
    """One input or output. The shape leaves the batch axis out; None fits any length.

    `shape` is None where the model does not say: a `model.py` takes what it takes.
    """

    name: str
    shape: Shape | None
    dtype: str  # NumPy's name, or "string"

    def example_shape(self) -> tuple[int, ...]:
        """A shape that fits: 8 where any length does, ANY_SIDE for a picture."""
        any_length = ANY_SIDE if self.is_picture() else 8
        return tuple(length or any_length for length in self.shape or ())

    def takes_whole_numbers(self) -> bool:
        """Whether its dtype has no fractions."""
        return self.dtype.startswith(("int", "uint"))

    def is_picture(self) -> bool:
        """Whether its shape is that of a picture: [H, W, C], [C, H, W] or [N, N]."""
        return self.dtype != "string" and (
            channels_axis(self.shape) is not None or is_grey_plane(self.shape)
        )

    def fits(self, shape: tuple[int, ...]) -> bool:
        """Whether an instance of `shape` can be this tensor."""
        return self.shape is None or (
            len(shape) == len(self.shape)
            and all(w in (None, got) for w, got in zip(self.shape, shape, strict=True))
        )


def different_names(names: list[str]) -> list[str]:
    """Of names that are alike the second and later ones get a number."""
    taken: list[str] = []
    for name in names:
        numbered = (f"{name}_{number}" for number in count(1))
        taken.append(next(n for n in chain([name], numbered) if n not in taken))
    return taken


def channels_axis(shape: Shape | None) -> int | None:
    """Where an image's 1 or 3 channels are: last, or first; None for no image."""
    if shape is None or len(shape) != 3:
        return None
    return next((axis for axis in (2, 0) if shape[axis] in (1, 3)), None)


SMALLEST_PLANE = 8  # pixels a side: a smaller square of numbers is hardly a picture


def is_grey_plane(shape: Shape | None) -> bool:
    """Whether it is a grey picture without an axis of channels, such as (28, 28)."""
    if shape is None or len(shape) != 2 or None in shape:
        return False
    return shape[0] == shape[1] and (shape[0] or 0) >= SMALLEST_PLANE


Task = Literal[
    "image-classification", "image-regression", "text-classification", "tensor"
]
Output = Literal["probability", "score", "value"]
Preprocess = Literal["none", "unit", "tf", "torch", "caffe"]


@dataclass(frozen=True)
class PixelScale:
    """How the model wants its pixels, where it does not scale them itself."""

    preprocess: Preprocess
    reason: str  # what in the model tells it
    guess: bool  # true for what its author may have done otherwise all the same


@dataclass(frozen=True)
class ModelSpec:
    """Inputs and outputs in the model's own order."""

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    activation: str  # that makes the first output: "softmax", "sigmoid", "linear", ...
    rescales: bool  # the first that it does is to scale pixels of 0..255
    pixel_scale: PixelScale | None = None
    decodes_pictures: bool = False  # its strings are encoded pictures
    fixed_batch: int | None = None  # it takes so many instances a call, no others

    def single_input(self) -> TensorSpec | None:
        """The only input, where there is only one."""
        return self.inputs[0] if len(self.inputs) == 1 else None

    def units(self) -> int | None:
        """Length of a row of scores; None where there is no such single row."""
        if len(self.outputs) != 1 or len(self.outputs[0].shape or ()) != 1:
            return None
        return (self.outputs[0].shape or (None,))[0]


@dataclass(frozen=True)
class ImageSpec:
    """How bytes become an instance: float32[H, W, C], or [C, H, W] channels first.

    Without `height` and `width` a picture keeps its own size, up to `max_side`.
    """

    mode: str
    height: int | None
    width: int | None
    resize: str
    fit: str
    preprocess: str
    channels_first: bool = False
    grey_plane: bool = False  # [H, W]: there is no axis of channels
    encoded: bool = False  # the model decodes: an instance is the bytes of a file
    max_side: int = 1024  # pixels; of pictures that keep their own size

    @property
    def shape(self) -> Shape:
        """Of an instance."""
        if self.encoded:
            return ()
        if self.grey_plane:
            return self.height, self.width
        channels = len(self.mode)  # "L" is 1 long and "RGB" is 3
        if self.channels_first:
            return channels, self.height, self.width
        return self.height, self.width, channels


@dataclass(frozen=True)
class ModelConfig:
    """A completed card; nothing is open."""

    task: Task
    labels: tuple[str, ...]
    output: Output
    image: ImageSpec | None
    inferred: tuple[str, ...]
    probability_by: str | None = None  # "softmax", "sigmoid": what logits still need

    def taken(self, tensor: TensorSpec) -> TensorSpec:
        """`tensor`; where the model does not say its shape, the card does."""
        if tensor.shape is None and self.image:
            return TensorSpec(tensor.name, self.image.shape, "float32")
        if tensor.shape is None and self.task == "text-classification":
            return TensorSpec(tensor.name, (), "string")
        return tensor
