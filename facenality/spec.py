"""What a loaded model tells about itself."""

from dataclasses import dataclass
from typing import Literal

Shape = tuple[int | None, ...]


@dataclass(frozen=True)
class TensorSpec:
    """One input or output. The shape leaves the batch axis out; None fits any length.

    `shape` is None where the model does not say: a `model.py` takes what it takes.
    """

    name: str
    shape: Shape | None
    dtype: str  # NumPy's name, or "string"

    def example_shape(self) -> tuple[int, ...]:
        """A shape that fits: 8 where any length does."""
        return tuple(length or 8 for length in self.shape or ())

    def takes_whole_numbers(self) -> bool:
        """Whether its dtype has no fractions."""
        return self.dtype.startswith(("int", "uint"))

    def fits(self, shape: tuple[int, ...]) -> bool:
        """Whether an instance of `shape` can be this tensor."""
        return self.shape is None or (
            len(shape) == len(self.shape)
            and all(w in (None, got) for w, got in zip(self.shape, shape, strict=True))
        )


@dataclass(frozen=True)
class ModelSpec:
    """Inputs and outputs in the model's own order."""

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    activation: str  # of the last layer that has one; "linear" otherwise
    rescales: bool  # a Rescaling or Normalization layer is inside

    def single_input(self) -> TensorSpec | None:
        """The only input, where there is only one."""
        return self.inputs[0] if len(self.inputs) == 1 else None

    def units(self) -> int | None:
        """Length of a row of scores; None where there is no such single row."""
        if len(self.outputs) != 1 or len(self.outputs[0].shape or ()) != 1:
            return None
        return (self.outputs[0].shape or (None,))[0]


Task = Literal[
    "image-classification", "image-regression", "text-classification", "tensor"
]
Output = Literal["probability", "score", "value"]
Preprocess = Literal["none", "unit", "tf", "torch", "caffe"]


@dataclass(frozen=True)
class ImageSpec:
    """How bytes become an instance: float32[H, W, C], or [C, H, W] channels first."""

    mode: str
    height: int
    width: int
    resize: str
    fit: str
    preprocess: str
    channels_first: bool = False

    @property
    def shape(self) -> tuple[int, int, int]:
        """Of an instance."""
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

    def taken(self, tensor: TensorSpec) -> TensorSpec:
        """`tensor`; where the model does not say its shape, the card does."""
        if tensor.shape is None and self.image:
            return TensorSpec(tensor.name, self.image.shape, "float32")
        if tensor.shape is None and self.task == "text-classification":
            return TensorSpec(tensor.name, (), "string")
        return tensor
