"""The signature of an exported SavedModel, described without importing TensorFlow."""

import re
from dataclasses import dataclass

from ...spec import TensorSpec

SERVING = "serving_default"  # what TensorFlow Serving takes where none is named


@dataclass(frozen=True)
class Signature:
    """Inputs and outputs without the batch axis; the names are metadata's keys."""

    name: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]


def exported_name(name: str) -> str:
    """The name of an input as a SavedModel can have it.

    TensorFlow takes a letter first, then letters, digits and underscores.
    """
    plain = re.sub(r"[^A-Za-z0-9]", "_", name)
    return plain if plain[:1].isalpha() else f"arg_{plain}"
