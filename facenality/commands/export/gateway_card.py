"""Writes the gateway's card: what TensorFlow Serving's metadata does not contain.

The metadata has names, shapes and dtypes. The card adds the labels, whether the scores
are probabilities, and how a picture becomes the input.
"""

import json
from collections.abc import Iterable

from ...registry.card import Card
from ...spec import ImageSpec, ModelConfig

WIDTH = 84


def text(name: str, recipe: ModelConfig, written: Card) -> str:
    """A complete model.toml for the model that TensorFlow Serving calls `name`."""
    lines = [
        f"# {name} runs in TensorFlow Serving; app.py export wrote this card.",
        _pair("engine", "tf-serving"),
        _pair("task", recipe.task),
        *_labels(recipe.labels),
        # The metadata does not tell that its numbers are logits.
        _pair("output", "score" if recipe.probability_by else recipe.output),
        *(_preprocess(recipe.image) if recipe.image else ()),
        *_tolerance(written),
        *(_image(recipe.image) if recipe.image else ()),
        "",
        "[tf_serving]",
        _pair("name", name),
    ]
    return "\n".join(lines) + "\n"


def _pair(key: str, value: object) -> str:
    return f"{key} = {_value(value)}"


def _value(value: object) -> str:
    """`value` in TOML, whose strings and numbers are JSON's, except for DEL."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _labels(labels: Iterable[str]) -> list[str]:
    """The labels, filled into lines; nothing if there are none."""
    lines: list[str] = []
    for label in map(_value, labels):
        if not lines or len(lines[-1]) + len(label) > WIDTH:
            lines.append("   ")
        lines[-1] += f" {label},"
    return ["labels = [", *lines, "]"] if lines else []


def _preprocess(image: ImageSpec) -> list[str]:
    return [_pair("preprocess", image.preprocess)]


def _tolerance(written: Card) -> list[str]:
    """The tolerance of the model's own card, which holds for the gateway as well."""
    return [] if written.tolerance is None else [_pair("tolerance", written.tolerance)]


def _image(image: ImageSpec) -> list[str]:
    return [
        "",
        "[image]",
        _pair("mode", image.mode),
        *([_pair("size", [image.height, image.width])] if image.height else []),
        _pair("resize", image.resize),
        _pair("fit", image.fit),
    ]
