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
    channels_axis,
    is_grey_plane,
)
from . import labels as label_files
from .card import Card
from .labels import Labels

PROBABLE = ("softmax", "sigmoid")  # activations that answer probabilities
# Their numbers are neither probabilities nor logits. Of others, and of models that tell
# none, only the answers show what they are.
IMPROBABLE = frozenset(
    {
        *("relu", "relu6", "leaky_relu", "elu", "selu", "gelu", "silu", "swish"),
        *("tanh", "hard_tanh", "softplus", "softsign", "exponential", "log_softmax"),
    }
)
GUESS = "a guess"  # stands in every inference that may well be wrong


def complete(card: Card, facts: ModelSpec, folder: Path | None) -> ModelConfig:
    """Fill in what `card` leaves open. `folder` is where its labels file lies.

    Raises ModelLoadFailed where card and model contradict each other.
    """
    if card.task is None and any(one.shape is None for one in facts.inputs):
        raise ModelLoadFailed("a model.py needs a model.toml with its task")
    notes: list[str] = []
    labels_notes: list[str] = []
    written = label_files.written(card.labels, folder, labels_notes)
    task = card.task or _infer_task(facts, written, notes)
    image = _image(card, task, facts, folder, notes)
    output = card.output or _infer_output(task, facts, written, notes)
    made_by = _probability_by(facts, output)
    named: Labels = ()
    if task != "tensor":
        notes += labels_notes
        named = _labels(written, facts, notes)
    return ModelConfig(task, named, output, image, tuple(notes), made_by)


def _infer_task(facts: ModelSpec, labels: Labels | None, notes: list[str]) -> Task:
    single = facts.single_input()
    if single and facts.units() is not None:
        if facts.decodes_pictures and single.shape == ():
            notes.append("task image-classification: the model decodes pictures itself")
            return "image-classification"
        if single.dtype == "string":
            notes.append("task text-classification: the input is a string")
            return "text-classification"
        if single.is_picture():
            if _is_regression(facts, labels):
                notes.append("task image-regression: one unit without an activation")
                return "image-regression"
            notes.append(f"task image-classification: the input {single.shape} is one")
            return "image-classification"
    shapes = [tensor.shape for tensor in (*facts.inputs, *facts.outputs)]
    notes.append(f"task tensor: {shapes} is neither an image nor a text with one row")
    return "tensor"


def _is_regression(facts: ModelSpec, labels: Labels | None) -> bool:
    """Whether the only unit is a value. Two labels make it the logit of the second."""
    linear = facts.units() == 1 and facts.activation == "linear"
    return linear and len(labels or ()) != 2


def _infer_output(
    task: Task, facts: ModelSpec, labels: Labels | None, notes: list[str]
) -> Output:
    if not task.endswith("classification"):
        return "value"
    if _is_regression(facts, labels):
        notes.append("output value: one unit without an activation is a regression")
        return "value"
    if facts.units() == 1 and facts.activation == "linear":
        notes.append(
            f"output probability: {GUESS}, that one unit without an activation is the "
            "logit of the second of two labels"
        )
        return "probability"
    output: Output = "probability" if facts.activation in PROBABLE else "score"
    notes.append(f"output {output}: the last activation is {facts.activation}")
    return output


def _probability_by(facts: ModelSpec, output: Output) -> str | None:
    """What makes a probability of the model's own numbers, where they are logits.

    Raises ModelLoadFailed where they are neither logits nor probabilities.
    """
    if output != "probability" or facts.units() is None:
        return None
    if facts.activation in IMPROBABLE:
        raise ModelLoadFailed(
            f"output probability: the model's last activation is {facts.activation}, "
            "which makes no probabilities; set output = 'score' in model.toml"
        )
    if facts.activation != "linear":
        return None
    return "sigmoid" if facts.units() == 1 else "softmax"


def _image(
    card: Card, task: Task, facts: ModelSpec, folder: Path | None, notes: list[str]
) -> ImageSpec | None:
    """How a picture becomes an input; None for a model that takes none."""
    if task == "tensor":
        if facts.decodes_pictures and facts.single_input():
            return _encoded(card)
        shapes = {one.shape for one in facts.inputs if one.is_picture()}
        if len(shapes) != 1 or not _may_be_pictures(facts):
            return None
        if sum(length is None for length in next(iter(shapes)) or ()) == 1:
            return None
        notes.append(f"pictures may stand for inputs of {next(iter(shapes))}")
    elif not task.startswith("image-"):
        return None
    elif (single := facts.single_input()) and single.dtype == "string":
        return _encoded(card)  # a server elsewhere does not say what its strings are
    single = facts.single_input()
    taken = single or next((one for one in facts.inputs if one.is_picture()), None)
    if taken is None or (single is None and task != "tensor"):
        raise _no_image(task, facts)
    shape = taken.shape
    if shape is None:  # a model.py: the card has to say
        shape = (None, None, None)
    plane = is_grey_plane(shape)
    if plane:
        notes.append(f"grey pictures without an axis of channels: the input is {shape}")
        shape = (*shape, 1)
    if len(shape) != 3:
        raise _no_image(task, facts)
    channels_first = not plane and channels_axis(shape) == 0
    if channels_first:
        notes.append(f"channels first: the input is {shape}")
        shape = (*shape[1:], shape[0])
    height, width = _size(card, shape, facts, notes)
    mode = _mode(card, shape[-1], notes)
    preprocess = card.preprocess or _infer_preprocess(facts, taken, folder, notes)
    _check_preprocess(preprocess, mode, taken)
    return ImageSpec(
        mode,
        height,
        width,
        card.image.resize,
        card.image.fit,
        preprocess,
        channels_first,
        grey_plane=plane,
        max_side=card.image.max_side,
    )


def _may_be_pictures(facts: ModelSpec) -> bool:
    """Whether inputs of a picture's shape are pictures, though nothing says so.

    Of squares of numbers and of lists of three most are not.
    """
    shapes = [one.shape for one in facts.inputs if one.is_picture()]
    return all(shape and channels_axis(shape) == 2 for shape in shapes)


def _no_image(task: Task, facts: ModelSpec) -> ModelLoadFailed:
    found = [tensor.shape for tensor in facts.inputs]
    return ModelLoadFailed(
        f"task {task}: the model's input {found} is not one image of "
        "[height, width, channels]; set task = 'tensor'"
    )


def _encoded(card: Card) -> ImageSpec:
    """Of a model that decodes pictures itself: it takes the file's bytes."""
    how = card.image
    return ImageSpec(
        how.mode or "RGB",
        None,
        None,
        how.resize,
        how.fit,
        "none",
        encoded=True,
        max_side=how.max_side,
    )


def _size(
    card: Card, shape: Shape, facts: ModelSpec, notes: list[str]
) -> tuple[int | None, int | None]:
    """Height and width; None where the picture's own are taken."""
    found = shape[:2]
    height, width = card.image.size or found
    if height is None and width is None and facts.outputs:
        notes.append(
            "size: the picture's own, at most [image] max_side = "
            f"{card.image.max_side} pixels a side"
        )
        return None, None
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


def _infer_preprocess(
    facts: ModelSpec, taken: TensorSpec, folder: Path | None, notes: list[str]
) -> Preprocess:
    if taken.takes_whole_numbers():
        notes.append(f"preprocess none: the input is {taken.dtype}")
        return "none"
    if facts.rescales:
        notes.append("preprocess none: the model rescales its input itself")
        return "none"
    if folder and _is_teachable_machine(folder):
        notes.append("preprocess tf (-1..1): Teachable Machine's keras_model.h5")
        return "tf"
    if scale := facts.pixel_scale:
        doubt = f"{GUESS}, since " if scale.guess else ""
        notes.append(f"preprocess {scale.preprocess}: {doubt}{scale.reason}")
        return scale.preprocess
    notes.append(
        f"preprocess unit (0..1): {GUESS}, since the model does not say; set "
        "preprocess in model.toml if it was trained otherwise"
    )
    return "unit"


def _is_teachable_machine(folder: Path) -> bool:
    return (folder / "keras_model.h5").is_file() and (folder / "labels.txt").is_file()


def _check_preprocess(
    preprocess: Preprocess, mode: str, taken: TensorSpec | None
) -> None:
    if preprocess in ("torch", "caffe") and mode != "RGB":
        raise ModelLoadFailed(f"preprocess {preprocess} needs [image] mode = 'RGB'")
    if preprocess != "none" and taken and taken.takes_whole_numbers():
        raise ModelLoadFailed(
            f"preprocess {preprocess} makes fractions, but the model takes "
            f"{taken.dtype}: set preprocess = 'none'"
        )


def _labels(labels: Labels | None, facts: ModelSpec, notes: list[str]) -> Labels:
    units = facts.units()
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
