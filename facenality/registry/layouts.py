"""Which file of a folder is the model, whatever its owner called it.

    model.py | model.keras | model.h5 | saved_model/     the names of our own layout
    saved_model.pb                                       TensorFlow Serving's layout
    best.keras | keras_model.h5 | unet.hdf5 | NET.H5     the only model file there
    model.json | config.json, and net.weights.h5         configuration and weights apart

A folder without a model, and a file that is none, get a sentence that names the fix.
"""

import re
from pathlib import Path

from ..scan.formats import CONFIGURATIONS, SUFFIXES

# A model.py comes first: it may well load the model.keras beside it, its own way.
OWN_NAMES = ("model.py", "model.keras", "model.h5", "saved_model")
SAVED_MODEL = "saved_model.pb"

_SEVERAL = "has several model files ({files}): keep one, or name it model.keras"
_NOTHING = (
    "has no model inside: put model.keras, model.h5, a saved_model folder or a "
    "model.py there"
)
_WEIGHTS = (
    "holds weights without their model ({files}): save the whole model with "
    "model.save('model.keras')"
)
_WEIGHTS_END = ".weights.h5"
_UNFINISHED = "has variables/ but no saved_model.pb: copy the whole folder"
_OTHER_FORMATS = {
    ".tflite": "is TensorFlow Lite's: put the Keras model that it was made from there",
    ".onnx": "is ONNX: write a model.py that loads it with onnxruntime",
    ".pt": "is PyTorch's: write a model.py that loads it with torch",
    ".pth": "is PyTorch's: write a model.py that loads it with torch",
    ".safetensors": "holds weights alone: write a model.py that loads them",
    ".pkl": "is a pickle: write a model.py that loads it",
    ".joblib": "is a pickle: write a model.py that loads it",
    ".pb": "is a frozen graph: export the model as a SavedModel folder",
    ".zip": "is packed: unpack it",
    ".gz": "is packed: unpack it",
    ".tar": "is packed: unpack it",
}
_DOCUMENTS = (".md", ".rst")  # they may lie anywhere


def is_model_file(file: Path) -> bool:
    """True for a name that says: a whole Keras model. `.weights.h5` says: weights."""
    name = file.name.lower()
    return name.endswith(SUFFIXES) and not name.endswith(_WEIGHTS_END)


def model_in(folder: Path) -> Path | None:
    """The model of `folder`: a file, or a SavedModel's folder; None: there is none."""
    own = next((folder / n for n in OWN_NAMES if _complete(folder / n)), None)
    if own:
        return own
    if (folder / SAVED_MODEL).is_file():
        return folder
    files = _model_files(folder)
    if not files and any((folder / name).is_file() for name in CONFIGURATIONS):
        files = _weights_files(folder)
    return files[0] if len(files) == 1 else None


def why_not(entry: Path) -> str | None:
    """Why nothing of this entry of the models folder is served, and the fix.

    None for what belongs there all the same: hidden files, and documents.
    """
    if entry.name.startswith(".") or entry.suffix.lower() in _DOCUMENTS:
        return None
    stem = entry.name if entry.is_dir() else entry.stem
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", stem).strip("-._") or "my-model"
    if stem != plain and (entry.is_dir() or is_model_file(entry)):
        return (
            "has a name that cannot stand in a URL; letters, digits, '.', '_' and '-' "
            f"can: rename it to {plain}{'' if entry.is_dir() else entry.suffix}"
        )
    return _why_not_folder(entry) if entry.is_dir() else _why_not_file(entry)


def _why_not_file(file: Path) -> str:
    name = file.name.lower()
    if name in ("labels.txt", "custom.py"):
        return "belongs to no model here: move it into the folder of its model"
    if name.endswith(_WEIGHTS_END):
        return _WEIGHTS.format(files=file.name)
    return _OTHER_FORMATS.get(file.suffix.lower()) or (
        "is no model: the files that are served are .keras and .h5"
    )


def _why_not_folder(folder: Path) -> str:
    inside = sorted(one for one in folder.iterdir() if not one.name.startswith("."))
    several = _model_files(folder)
    if len(several) > 1:
        return _SEVERAL.format(files=", ".join(one.name for one in several))
    weights = _weights_files(folder)
    if weights:
        return _WEIGHTS.format(files=", ".join(one.name for one in weights))
    if (folder / "variables").is_dir():
        return _UNFINISHED
    for one in inside:
        if fix := _OTHER_FORMATS.get(one.suffix.lower()):
            return f"has no model that is served: {one.name} {fix}"
    return _NOTHING


def _model_files(folder: Path) -> list[Path]:
    return sorted(f for f in folder.iterdir() if is_model_file(f) and f.is_file())


def _weights_files(folder: Path) -> list[Path]:
    return sorted(f for f in folder.iterdir() if f.name.lower().endswith(_WEIGHTS_END))


def _complete(model: Path) -> bool:
    file = model / SAVED_MODEL if model.name == "saved_model" else model
    return file.is_file()
