"""Opens a vetted model file with the Keras that is given: Keras 3, or tf-keras.

Both have the same functions for it, and the same habit: they believe a file's suffix.
"""

import logging
import os
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import h5py  # type: ignore[import-untyped]  # it ships none

from ..errors import ModelLoadFailed
from ..scan import saved_by
from ..scan.formats import configuration_beside, is_hdf5
from . import keras_errors

log = logging.getLogger(__name__)

WEIGHTS = ".weights.h5"  # so named, a file is read as weights in the form of Keras 3


def read(
    keras: ModuleType, file: Path, custom: dict[str, Any], *, allow_code: bool = False
) -> Any:
    """The model in `file`, not compiled, without states. Raises ModelLoadFailed."""
    model = _load(keras, file, custom, allow_code=allow_code)
    if not getattr(model, "inputs", None) or not getattr(model, "outputs", None):
        raise ModelLoadFailed(
            "the model does not tell its inputs; build it as a functional or "
            "sequential model, or call it once before saving"
        )
    _forget_states(model)
    return model


def _load(
    keras: ModuleType, file: Path, custom: dict[str, Any], *, allow_code: bool
) -> Any:
    try:
        with _named_by_content(file) as named:
            if configuration := _configuration(file):
                text = configuration.read_text(encoding="utf-8")
                model = keras.models.model_from_json(text, custom_objects=custom)
                model.load_weights(named)
                return model
            return keras.models.load_model(
                named, custom_objects=custom, compile=False, safe_mode=not allow_code
            )
    except (
        *(ValueError, TypeError, OSError, KeyError, AttributeError, RuntimeError),
        *(zipfile.BadZipFile, NotImplementedError, IndexError, AssertionError),
        ImportError,  # a layer that needs TensorFlow, where that is not installed
    ) as error:
        # Its folder is the host's business, and this sentence reaches clients.
        said = str(error).replace(f"{file.parent}{os.sep}", "")
        reason = keras_errors.sentence(said, saved_by.keras_version(file))
        raise ModelLoadFailed(f"Keras cannot load {file.name}: {reason}") from error


def _forget_states(model: Any) -> None:
    """Every request starts anew: a state would be one for all clients together."""
    for layer in model._flatten_layers(include_self=False):
        if getattr(layer, "stateful", False):
            layer.stateful = False
            log.warning("%s is stateful: each instance starts without one", layer.name)


def _configuration(file: Path) -> Path | None:
    """What lies beside `file` where that holds weights alone."""
    if not is_hdf5(file) or (beside := configuration_beside(file)) is None:
        return None
    with h5py.File(file, "r") as opened:
        return None if "model_config" in opened.attrs else beside


@contextmanager
def _named_by_content(file: Path) -> Iterator[str]:
    """A path to `file` whose suffix says what is inside."""
    suffix = _suffix(file)
    named = WEIGHTS if file.name.endswith(WEIGHTS) else file.suffix
    if named == suffix:
        yield str(file)
        return
    with tempfile.TemporaryDirectory() as folder:
        link = Path(folder, f"model{suffix}")
        link.symlink_to(file.absolute())
        yield str(link)


def _suffix(file: Path) -> str:
    if not is_hdf5(file):
        return ".keras"
    with h5py.File(file, "r") as opened:
        old = "layer_names" in opened.attrs or "model_config" in opened.attrs
    return ".h5" if old else WEIGHTS
