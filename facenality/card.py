"""A model's card: `model.toml`, completed by what can be read off the model itself.

What the card says wins. What it leaves open is inferred from the model's facts, and
each inference is written down with its reason, so that the start-up log can show it.
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from .errors import ModelNotLoaded

Task = Literal["image-classification", "image-regression", "tensor"]
Output = Literal["probability", "score", "value"]
Preprocess = Literal["none", "unit", "tf", "torch", "caffe"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ImageCard(_Part):
    """The `[image]` table."""

    mode: Literal["RGB", "L"] | None = None
    size: tuple[int, int] | None = None
    resize: Literal["bilinear", "nearest", "bicubic", "lanczos"] = "bilinear"
    fit: Literal["stretch", "crop", "pad"] = "stretch"


class Card(_Part):
    """`model.toml` as written; None is left to inference or to the settings."""

    task: Task | None = None
    labels: str | tuple[str, ...] | None = None
    output: Output | None = None
    preprocess: Preprocess | None = None
    image: ImageCard = ImageCard()
    engine: Literal["auto", "tensorflow"] | None = None
    precision: Literal["float32"] = "float32"
    max_batch_size: int | None = Field(None, ge=1, le=1024)
    tolerance: float = Field(1e-3, gt=0)


@dataclass(frozen=True)
class Facts:
    """What a loaded model tells about itself. Shapes leave the batch axis out."""

    input_shape: tuple[int | None, ...]
    input_dtype: str
    output_shape: tuple[int | None, ...]
    activation: str  # of the last layer that has one; "linear" otherwise
    rescales: bool  # a Rescaling or Normalization layer is inside


@dataclass(frozen=True)
class ImageSpec:
    """How bytes become an instance: float32[height, width, 3 or 1]."""

    mode: str
    height: int
    width: int
    resize: str
    fit: str
    preprocess: str


@dataclass(frozen=True)
class Recipe:
    """A completed card: everything that serving needs to know, nothing open."""

    task: Task
    labels: tuple[str, ...]
    output: Output
    image: ImageSpec | None
    tolerance: float
    inferred: tuple[str, ...]


def read(file: Path) -> Card:
    """The card at `file`, or an empty one where there is none.

    Raises ModelNotLoaded with file, key and what is allowed.
    """
    try:
        return Card.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return Card()
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ModelNotLoaded(f"{file.name} is not TOML: {error}") from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(map(str, first["loc"]))
        raise ModelNotLoaded(f"{file.name}, {key}: {first['msg']}") from None


def complete(card: Card, facts: Facts, folder: Path) -> Recipe:
    """Fill in what `card` leaves open. `folder` is where its labels file lies.

    Raises ModelNotLoaded where card and model contradict each other.
    """
    notes: list[str] = []
    task = card.task or _infer_task(facts, notes)
    image = _image(card, facts, notes) if task.startswith("image-") else None
    output = card.output or _infer_output(task, facts, notes)
    labels = _labels(card, facts, folder, notes) if task != "tensor" else ()
    return Recipe(task, labels, output, image, card.tolerance, tuple(notes))


def _infer_task(facts: Facts, notes: list[str]) -> Task:
    shape = facts.input_shape
    if len(shape) == 3 and shape[-1] in (1, 3) and len(facts.output_shape) == 1:
        notes.append(f"task image-classification: the input {shape} is an image")
        return "image-classification"
    notes.append(f"task tensor: the input {shape} is no image of 1 or 3 channels")
    return "tensor"


def _infer_output(task: Task, facts: Facts, notes: list[str]) -> Output:
    if task != "image-classification":
        return "value"
    probable = facts.activation in ("softmax", "sigmoid")
    output: Output = "probability" if probable else "score"
    notes.append(f"output {output}: the last activation is {facts.activation}")
    return output


def _image(card: Card, facts: Facts, notes: list[str]) -> ImageSpec:
    if len(facts.input_shape) != 3:
        raise ModelNotLoaded(
            f"task {card.task}: the model's input {facts.input_shape} is not "
            "[height, width, channels]; set task = 'tensor'"
        )
    height, width = _size(card, facts, notes)
    mode = _mode(card, facts, notes)
    preprocess = card.preprocess or _infer_preprocess(facts, notes)
    if preprocess in ("torch", "caffe") and mode != "RGB":
        raise ModelNotLoaded(f"preprocess {preprocess} needs [image] mode = 'RGB'")
    return ImageSpec(mode, height, width, card.image.resize, card.image.fit, preprocess)


def _size(card: Card, facts: Facts, notes: list[str]) -> tuple[int, int]:
    *found, _ = facts.input_shape
    size = card.image.size or tuple(found)
    if None in size or min(s or 0 for s in size) < 1:
        raise ModelNotLoaded(
            "the model takes images of any size: set [image] size = [height, width]"
        )
    if any(f not in (None, s) for f, s in zip(found, size, strict=True)):
        raise ModelNotLoaded(f"[image] size is {size}, but the model takes {found}")
    if card.image.size is None:
        notes.append(f"size {list(size)}: the model's input")
    return size  # type: ignore[return-value]  # no None is left in it


def _mode(card: Card, facts: Facts, notes: list[str]) -> str:
    channels = facts.input_shape[-1]
    mode = card.image.mode
    if mode is None:
        mode = "L" if channels == 1 else "RGB"
        notes.append(f"mode {mode}: the model's input has {channels} channel(s)")
    if channels not in (None, len(mode)):  # "L" is 1 long and "RGB" is 3
        raise ModelNotLoaded(
            f"[image] mode {mode} gives {len(mode)} channel(s), the model takes "
            f"{channels}"
        )
    return mode


def _infer_preprocess(facts: Facts, notes: list[str]) -> Preprocess:
    if facts.rescales:
        notes.append("preprocess none: the model rescales its input itself")
        return "none"
    notes.append(
        "preprocess unit (0..1): a guess, since the model does not say; set preprocess "
        "in model.toml if it was trained otherwise"
    )
    return "unit"


def _labels(
    card: Card, facts: Facts, folder: Path, notes: list[str]
) -> tuple[str, ...]:
    units = facts.output_shape[-1] if facts.output_shape else None
    if units is None:
        raise ModelNotLoaded("the model's output has no fixed length to be labelled")
    labels = _written_labels(card.labels, folder, notes)
    if labels is None:
        notes.append(f"labels 0..{units - 1}: no labels.txt and none in model.toml")
        return tuple(map(str, range(units)))
    if len(labels) != units and not (units == 1 and len(labels) == 2):
        raise ModelNotLoaded(f"{len(labels)} labels for {units} outputs of the model")
    return labels


def _written_labels(
    labels: str | tuple[str, ...] | None, folder: Path, notes: list[str]
) -> tuple[str, ...] | None:
    if isinstance(labels, tuple):
        return labels
    file = folder / (labels or "labels.txt")
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        if labels is None:
            return None
        raise ModelNotLoaded(f"labels: there is no file {labels}") from None
    except UnicodeDecodeError:
        raise ModelNotLoaded(f"labels: {file.name} is not UTF-8") from None
    if labels is None:
        notes.append("labels from labels.txt")
    return tuple(line.strip() for line in lines if line.strip())
