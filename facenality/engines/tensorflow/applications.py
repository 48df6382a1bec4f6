"""The architectures of keras.applications, with their ImageNet weights, as model.keras.

This is the child process of `fetch`, which ends when its standard input does. Keras's
own `get_file` downloads. Keras would take the file of a killed download for whole: so
each goes to a folder aside first,
and gets its name by a rename.
"""

import difflib
import hashlib
import inspect
import json
import os
import shutil
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.error import ContentTooShortError, HTTPError, URLError

import numpy as np

# As in tensorflow.py: read once, at the import below.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import keras
from keras.src.applications import imagenet_utils
from keras.src.utils import file_utils

from ...errors import FetchFailed, NotReached

CLASSES = 1000
CLASS_NAMES = "imagenet_class_index.json"
# Keras leaves this one's input open, and warns; the names of its weights say 224.
# Source: keras/src/applications/mobilenet_v3.py.
OPEN, TRAINED_SHAPE = "MobileNetV3", (224, 224, 3)
MODES = ("tf", "torch", "caffe")

GetFile = Callable[..., str]


class AlreadyThere(Exception):
    """A version made from the same weights: its folder."""


class Files:
    """Keras's files in `home`/models, downloaded where they are missing or damaged."""

    def __init__(self, home: Path, known: dict[str, str], download: GetFile) -> None:
        self.weights = Path()  # what Keras asked for last
        self.checksum: str | None = None
        self._models, self._known, self._download = home / "models", known, download

    def get_file(
        self, fname: str, origin: str, *, file_hash: str | None = None, **_: Any
    ) -> str:
        """As Keras's own. Raises FetchFailed, and AlreadyThere for `known` weights."""
        file = self._models / fname
        if fname != CLASS_NAMES:
            self.weights, self.checksum = file, file_hash
            if there := self._known.get(f"{fname} {file_hash}"):
                raise AlreadyThere(there)
        good = file_hash is None or (
            file.is_file() and file_utils.validate_file(str(file), file_hash)
        )
        if not (file.is_file() and good):
            self._fetch(file, origin, file_hash)
        return str(file)

    def _fetch(self, file: Path, origin: str, file_hash: str | None) -> None:
        arriving = self._models / ".fetching"  # fetching/child.py watches it
        shutil.rmtree(arriving, ignore_errors=True)  # a killed run's
        arriving.mkdir(parents=True)
        try:
            self._download(
                file.name, origin, cache_subdir=str(arriving), file_hash=file_hash
            )
            (arriving / file.name).replace(file)
        except Exception as error:  # Keras raises no narrower one
            raise _failed(origin, error) from error
        finally:
            shutil.rmtree(arriving, ignore_errors=True)


def _failed(origin: str, error: Exception) -> FetchFailed:
    """The reason is urllib's, which Keras's own error has as its context."""
    why = error.__context__ if isinstance(error.__context__, URLError) else error
    if isinstance(why, HTTPError):
        return FetchFailed(f"{origin}: the server answered {why.code} {why.reason}.")
    if isinstance(why, URLError) and not isinstance(why, ContentTooShortError):
        return NotReached(f"{origin} could not be reached: {why.reason}.")
    return FetchFailed(f"{origin} was not fetched: {why}".rstrip(".") + ".")


def names() -> list[str]:
    """Every architecture, spelt as Keras spells it."""
    return sorted(
        n for n, v in vars(keras.applications).items() if inspect.isfunction(v)
    )


def spelt(name: str) -> str:
    """The architecture that `name` means. Raises FetchFailed with those there are."""
    known = {n.lower(): n for n in names()}
    if name.lower() in known:
        return known[name.lower()]
    near = difflib.get_close_matches(name.lower(), known, n=3)
    meant = f" Did you mean {' or '.join(known[n] for n in near)}?" if near else ""
    raise FetchFailed(
        f"keras.applications has no {name}.{meant} There are: {', '.join(names())}."
    )


def write(
    name: str, version: Path, home: Path, known: dict[str, str]
) -> dict[str, Any]:
    """Save the architecture as `version`/model.keras; the fields of fetching's Built.

    Raises FetchFailed, AlreadyThere.
    """
    architecture = spelt(name)
    files = Files(home, known, file_utils.get_file)
    file_utils.get_file = files.get_file
    shape = TRAINED_SHAPE if architecture.startswith(OPEN) else None
    try:
        model = getattr(keras.applications, architecture)(
            weights="imagenet", input_shape=shape
        )
    except (ValueError, KeyError, OSError) as error:
        why = str(error).split("\n", 1)[0]
        raise FetchFailed(
            f"The weights in {files.weights} do not fit {architecture}: {why}. If they "
            "are damaged, delete that file."
        ) from error
    model.save(version / "model.keras")
    height, width, _ = model.input_shape[1:]
    with files.weights.open("rb") as stream:
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    return {
        "architecture": architecture,
        "weights": files.weights.name,
        "checksum": files.checksum,
        "sha256": sha256,
        "height": height,
        "width": width,
        "preprocess": preprocess(architecture),
        "classes": class_names(),
    }


def class_names() -> list[tuple[str, str]]:
    """WordNet's id and the name of each ImageNet class, in the order of the outputs."""
    falling = np.arange(CLASSES, 0, -1, dtype="float32")  # so that the best is class 0
    (classes,) = imagenet_utils.decode_predictions(falling[None], top=CLASSES)
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


def main(question: str) -> None:
    """Write the answer to `question` into the file that it names."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    asked = json.loads(question)
    paths = Path(asked["version"]), Path(asked["home"])
    try:
        answer = write(asked["name"], *paths, asked["known"])
    except AlreadyThere as there:
        answer = {"already": str(there)}
    except FetchFailed as error:
        unreachable = isinstance(error, NotReached)
        answer = {"failed": str(error), "unreachable": unreachable}
    except OSError as error:
        said = f"{error.filename or asked['home']}: {error.strerror or error}."
        answer = {"failed": said, "unreachable": False}
    Path(asked["answer"]).write_text(json.dumps(answer), encoding="utf-8")


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(1)


if __name__ == "__main__":
    main(sys.argv[1])
