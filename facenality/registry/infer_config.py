"""Card + facts -> recipe: everything that serving a model needs to know.

What the card says wins. What it leaves open is inferred from the model's facts, and
each inference is written down with its reason, so that the start-up log can show it.
"""

from pathlib import Path

from ..errors import ModelLoadFailed
from ..spec import (
    ImageSpec,
    ModelConfig,
    ModelSpec,
    Output,
    Preprocess,
    Shape,
    Task,
    TensorSpec,
)
from .card import Card


def complete(card: Card, facts: ModelSpec, folder: Path) -> ModelConfig:
    """Fill in what `card` leaves open. `folder` is where its labels file lies.

    Raises ModelNotLoaded where card and model contradict each other.
    """
    if card.task is None and any(one.shape is None for one in facts.inputs):
        raise ModelLoadFailed("a model.py needs a model.toml with its task")
    notes: list[str] = []
    task = card.task or _infer_task(facts, notes)
    image = _image(card, task, facts, notes) if task.startswith("image-") else None
    output = card.output or _infer_output(task, facts, notes)
    labels = _labels(card, facts, folder, notes) if task != "tensor" else ()
    return ModelConfig(task, labels, output, image, tuple(notes))


def _infer_task(facts: ModelSpec, notes: list[str]) -> Task:
    single = facts.single_input()
    if single and facts.units() is not None:
        if single.dtype == "string":
            notes.append("task text-classification: the input is a string")
            return "text-classification"
        if _channels_axis(single.shape) is not None:
            notes.append(f"task image-classification: the input {single.shape} is one")
            return "image-classification"
    shapes = [tensor.shape for tensor in (*facts.inputs, *facts.outputs)]
    notes.append(f"task tensor: {shapes} is neither an image nor a text with one row")
    return "tensor"


def _channels_axis(shape: Shape | None) -> int | None:
    """Where an image's 1 or 3 channels are: last, or first; None for no image."""
    if shape is None or len(shape) != 3:
        return None
    return next((axis for axis in (2, 0) if shape[axis] in (1, 3)), None)


def _infer_output(task: Task, facts: ModelSpec, notes: list[str]) -> Output:
    if not task.endswith("classification"):
        return "value"
    probable = facts.activation in ("softmax", "sigmoid")
    output: Output = "probability" if probable else "score"
    notes.append(f"output {output}: the last activation is {facts.activation}")
    return output


def _image(card: Card, task: Task, facts: ModelSpec, notes: list[str]) -> ImageSpec:
    single = facts.single_input()
    shape = single.shape if single else None
    if single and shape is None:  # a model.py: the card has to say
        shape = (None, None, None)
    if shape is None or len(shape) != 3:
        found = [tensor.shape for tensor in facts.inputs]
        raise ModelLoadFailed(
            f"task {task}: the model's input {found} is not one image of "
            "[height, width, channels]; set task = 'tensor'"
        )
    channels_first = _channels_axis(shape) == 0
    if channels_first:
        notes.append(f"channels first: the input is {shape}")
        shape = (*shape[1:], shape[0])
    height, width = _size(card, shape, notes)
    mode = _mode(card, shape[-1], notes)
    preprocess = card.preprocess or _infer_preprocess(facts, notes)
    _check_preprocess(preprocess, mode, single)
    resize, fit = card.image.resize, card.image.fit
    return ImageSpec(mode, height, width, resize, fit, preprocess, channels_first)


def _size(card: Card, shape: Shape, notes: list[str]) -> tuple[int, int]:
    found = shape[:2]
    height, width = card.image.size or found
    if not height or not width or min(height, width) < 1:
        raise ModelLoadFailed(
            "the model takes images of any size: set [image] size = [height, width]"
        )
    if found[0] not in (None, height) or found[1] not in (None, width):
        raise ModelLoadFailed(
            f"[image] size is {[height, width]}, but the model takes {list(found)}"
        )
    if card.image.size is None:
        notes.append(f"size {[height, width]}: the model's input")
    return height, width


def _mode(card: Card, channels: int | None, notes: list[str]) -> str:
    mode = card.image.mode
    if mode is None:
        mode = "L" if channels == 1 else "RGB"
        notes.append(f"mode {mode}: the model's input has {channels} channel(s)")
    if channels not in (None, len(mode)):  # "L" is 1 long and "RGB" is 3
        raise ModelLoadFailed(
            f"[image] mode {mode} gives {len(mode)} channel(s), the model takes "
            f"{channels}"
        )
    return mode


def _infer_preprocess(facts: ModelSpec, notes: list[str]) -> Preprocess:
    if facts.rescales:
        notes.append("preprocess none: the model rescales its input itself")
        return "none"
    single = facts.single_input()
    if single and single.takes_whole_numbers():
        notes.append(f"preprocess none: the input is {single.dtype}")
        return "none"
    notes.append(
        "preprocess unit (0..1): a guess, since the model does not say; set preprocess "
        "in model.toml if it was trained otherwise"
    )
    return "unit"


def _check_preprocess(
    preprocess: Preprocess, mode: str, single: TensorSpec | None
) -> None:
    if preprocess in ("torch", "caffe") and mode != "RGB":
        raise ModelLoadFailed(f"preprocess {preprocess} needs [image] mode = 'RGB'")
    if preprocess != "none" and single and single.takes_whole_numbers():
        raise ModelLoadFailed(
            f"preprocess {preprocess} makes fractions, but the model takes "
            f"{single.dtype}: set preprocess = 'none'"
        )


def _labels(
    card: Card, facts: ModelSpec, folder: Path, notes: list[str]
) -> tuple[str, ...]:
    units = facts.units()
    labels = _written_labels(card.labels, folder, notes)
    if labels and not facts.outputs:  # a model.py does not say how many scores it has
        return labels
    if units is None:
        raise ModelLoadFailed("the model's output is no row of scores to be labelled")
    if labels is None:
        notes.append(f"labels 0..{units - 1}: no labels.txt and none in model.toml")
        return tuple(map(str, range(units)))
    if len(labels) != units and not (units == 1 and len(labels) == 2):
        raise ModelLoadFailed(f"{len(labels)} labels for {units} outputs of the model")
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
        raise ModelLoadFailed(f"labels: there is no file {labels}") from None
    except UnicodeDecodeError:
        raise ModelLoadFailed(f"labels: {file.name} is not UTF-8") from None
    except (OSError, ValueError) as error:  # a folder, or a name that no file can have
        why = getattr(error, "strerror", None) or error
        raise ModelLoadFailed(f"labels: {labels!a} cannot be read: {why}") from None
    if labels is None:
        notes.append("labels from labels.txt")
    return tuple(line.strip() for line in lines if line.strip())
