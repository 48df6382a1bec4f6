"""Vet a model file before Keras or TensorFlow opens it.

A model file names classes, functions, operations and other files, and loading reaches
for them; Keras's own safe_mode has been bypassed a dozen times. So each file is first
read here, without either of them, and refused where it names what runs code or reaches
out of the model.

    model.keras ─ keras_archive ─▶ config.json ─▶ keras_config   what would be made
                └ isolated ▶ model.weights.h5 ─▶ hdf5            where the numbers lie
    model.h5    ─ isolated ▶ hdf5 ─▶ model_config ─▶ keras_config
    saved_model/ ─ saved_model ─▶ saved_model.pb ─▶ graph        what would be run

Which classes are Keras's own, `library_names` reads off the installed Keras; which
operations only compute, `operations` reads off the installed TensorFlow. Bytes that
nobody can read are refused too, whatever they make a library raise.
"""

from pathlib import Path

from ..errors import ModelLoadFailed
from .formats import is_hdf5
from .isolated import Refused, damaged, vet_isolated
from .keras_archive import vet_archive
from .keras_config import CODE_ALLOWED
from .operations import vet_operations
from .saved_model import vet_saved_model


def vet(
    path: Path,
    *,
    allowed: frozenset[str] = frozenset(),
    libraries: frozenset[str] = frozenset(),
    allow_code: bool = False,
) -> None:
    """Raise ModelLoadFailed where `path` asks for more than computing with its numbers.

    `allowed` holds the names that the model's own custom.py registered with Keras,
    such as "Custom>Scale"; `libraries` the packages whose classes the model may use
    too, such as "keras_hub"; with `allow_code` Lambda layers pass. The model must then
    be loaded with compile=False: what a file says about its training is not looked at.
    """
    if allow_code:
        allowed |= {CODE_ALLOWED}
    try:
        _vet(path, allowed, libraries)
    except Refused as refusal:
        raise ModelLoadFailed(f"{path.name} {refusal}") from None
    except Exception as error:
        raise ModelLoadFailed(f"{path.name} {damaged(error)}") from error


def _vet(path: Path, allowed: frozenset[str], libraries: frozenset[str]) -> None:
    if path.is_dir():
        vet_saved_model(path)
    elif not path.is_file():
        raise Refused("is not there, or is no plain file: put the model there")
    elif is_hdf5(path):
        vet_operations(vet_isolated(path, allowed, libraries))
    else:
        operations = vet_archive(path, allowed, libraries)
        vet_operations(operations | vet_isolated(path, allowed, libraries))
