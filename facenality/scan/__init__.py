"""Vet a model file before Keras or TensorFlow opens it.

A model file names classes, functions, operations and other files, and loading reaches
for them; Keras's own safe_mode has been bypassed a dozen times. So each file is first
read here, without either of them, and refused unless everything that it names stands on
a list.

    model.keras ─ archive ─▶ config.json ─▶ config        what Keras would construct
                └ isolated ▶ model.weights.h5 ─▶ hdf5     where the numbers lie
    model.h5    ─ isolated ▶ hdf5 ─▶ model_config ─▶ config
    saved_model/ ─ saved_model ─▶ saved_model.pb ─▶ graph  what TensorFlow would run

Bytes that nobody can read are refused too, whatever they make a library raise.
"""

from pathlib import Path

from ..errors import ModelLoadFailed
from .formats import format_of
from .isolated import Refused, damaged, vet_isolated
from .keras_archive import vet_archive
from .saved_model import vet_saved_model


def vet(path: Path, *, allowed: frozenset[str] = frozenset()) -> None:
    """Raise ModelNotLoaded where `path` asks for more than computing with its numbers.

    `allowed` holds the names that the model's own custom.py registered with Keras,
    such as "Custom>Scale". The model must then be loaded with compile=False: what a
    file says about its training is not looked at.
    """
    try:
        _vet(path, allowed)
    except Refused as refusal:
        raise ModelLoadFailed(f"{path.name} {refusal}") from None
    except Exception as error:
        raise ModelLoadFailed(f"{path.name} {damaged(error)}") from error


def _vet(path: Path, allowed: frozenset[str]) -> None:
    if path.is_dir():
        vet_saved_model(path)
    elif not path.is_file():
        raise Refused("is not there, or is no plain file: put the model there")
    elif format_of(path) == "hdf5":
        vet_isolated(path, allowed)
    elif path.suffix.lower() in (".h5", ".hdf5") and format_of(path) is None:
        vet_isolated(path, allowed)  # its reader says what is wrong with it
    else:
        vet_archive(path, allowed)
        vet_isolated(path, allowed)
