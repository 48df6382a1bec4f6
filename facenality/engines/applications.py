"""The architectures of keras.applications, with weights that our own getter fetches.

Keras knows where its weights lie and what their checksums are. Rather than copying its
tables, its file getter is replaced while it builds a model: Keras names the file, `get`
brings it.
"""

import inspect
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

# As in tensorflow.py: read once, at the import below.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import keras
from keras.src.applications import imagenet_utils
from keras.src.utils import file_utils

from ..fetching.checksums import FetchFailed
from ..fetching.mirror import Asked

CLASSES = 1000
# Keras leaves this one's input open, and warns; the names of its weights say 224.
# Source: keras/src/applications/mobilenet_v3.py.
OPEN, TRAINED_SHAPE = "MobileNetV3", (224, 224, 3)
MODES = ("tf", "torch", "caffe")

Get = Callable[[Asked], Path]


@dataclass(frozen=True)
class Written:
    """What a written model needs on its card."""

    height: int
    width: int
    preprocess: str  # as on a card: none, tf, torch, caffe


def names() -> list[str]:
    """Every architecture, spelt as Keras spells it."""
    return sorted(
        n for n, v in vars(keras.applications).items() if inspect.isfunction(v)
    )


def write(name: str, file: Path, get: Get) -> Written:
    """Build `name` with its ImageNet weights and save it as `file`.

    Raises FetchFailed where the weights are not the architecture's.
    """
    shape = TRAINED_SHAPE if name.startswith(OPEN) else None
    make = getattr(keras.applications, name)
    with _asking(get):
        try:
            model = make(weights="imagenet", input_shape=shape)
        except (ValueError, KeyError, OSError) as error:
            why = str(error).split("\n", 1)[0]
            raise FetchFailed(f"The weights do not fit {name}: {why}") from error
    model.save(file)
    height, width, _ = model.input_shape[1:]
    return Written(height, width, preprocess(name))


def class_names(get: Get) -> list[tuple[str, str]]:
    """WordNet's id and the name of each ImageNet class, in the order of the outputs."""
    falling = np.arange(CLASSES, 0, -1, dtype="float32")  # so that the best is class 0
    with _asking(get):
        try:
            (classes,) = imagenet_utils.decode_predictions(falling[None], top=CLASSES)
        except (ValueError, KeyError, TypeError) as error:
            raise FetchFailed(f"The class names are no such: {error!r}") from error
    return [(wordnet, name) for wordnet, name, _ in classes]


def preprocess(name: str) -> str:
    """The mode of the architecture's own preprocess_input, found by trying it."""
    function = sys.modules[getattr(keras.applications, name).__module__]
    pixels = np.linspace(0, 255, 4 * 4 * 3, dtype="float32").reshape(1, 4, 4, 3)
    answered = function.preprocess_input(pixels.copy())
    if np.array_equal(answered, pixels):
        return "none"  # the model rescales its input itself
    for mode in MODES:
        known = imagenet_utils.preprocess_input(pixels.copy(), mode=mode)
        if np.array_equal(answered, known):
            return mode
    raise FetchFailed(f"{name} preprocesses its input in a way that no card can say.")


@contextmanager
def _asking(get: Get) -> Iterator[None]:
    """Let Keras ask `get` for its files; its class names too, which it would keep."""

    def get_file(
        fname: str, origin: str, *, file_hash: str | None = None, **_: Any
    ) -> str:
        return str(get(Asked(fname, origin, file_hash)))

    kept = file_utils.get_file, imagenet_utils.CLASS_INDEX
    file_utils.get_file, imagenet_utils.CLASS_INDEX = get_file, None
    try:
        yield
    finally:
        file_utils.get_file, imagenet_utils.CLASS_INDEX = kept
