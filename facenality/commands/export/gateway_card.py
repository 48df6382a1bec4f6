"""The card of the gateway: what TensorFlow Serving's metadata does not tell.

Metadata has names, shapes and dtypes. That the numbers are probabilities, what they are
of, and how a picture becomes the input stands nowhere but here.
"""

import json
from collections.abc import Iterable

from ...registry.card import Card
from ...spec import ImageSpec, ModelConfig

WIDTH = 84


def text(name: str, recipe: ModelConfig, written: Card) -> str:
    """A complete model.toml for the model that TensorFlow Serving calls `name`."""
    lines = [
        f"# {name} lives in TensorFlow Serving; app.py export wrote this card.",
        _pair("engine", "tf-serving"),
        _pair("task", recipe.task),
        *_labels(recipe.labels),
        # The metadata does not tell that its numbers are logits.
        _pair("output", "score" if recipe.probability_by else recipe.output),
        *(_preprocess(recipe.image) if recipe.image else ()),
        *_kept(written),
        *(_picture(recipe.image) if recipe.image else ()),
        "",
        "[tf_serving]",
        _pair("name", name),
    ]
    return "\n".join(lines) + "\n"


def _pair(key: str, value: object) -> str:
    return f"{key} = {_value(value)}"


def _value(value: object) -> str:
    """TOML, which writes strings and numbers as JSON does, but for DEL."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _labels(labels: Iterable[str]) -> list[str]:
    """As many on a line as there is room for; nothing where there are none."""
    lines: list[str] = []
    for label in map(_value, labels):
        if not lines or len(lines[-1]) + len(label) > WIDTH:
            lines.append("   ")
        lines[-1] += f" {label},"
    return ["labels = [", *lines, "]"] if lines else []


def _preprocess(image: ImageSpec) -> list[str]:
    return [_pair("preprocess", image.preprocess)]


def _kept(written: Card) -> list[str]:
    """What the model's own card says, and what is as true of the gateway's."""
    return [] if written.tolerance is None else [_pair("tolerance", written.tolerance)]


def _picture(image: ImageSpec) -> list[str]:
    return [
        "",
        "[image]",
        _pair("mode", image.mode),
        *([_pair("size", [image.height, image.width])] if image.height else []),
        _pair("resize", image.resize),
        _pair("fit", image.fit),
    ]
