"""What a model file is, told by its content: its suffix is only a name."""

from pathlib import Path
from typing import Literal

SUFFIXES = (".keras", ".h5", ".hdf5")
"""Of model files, in small letters; which format it is, the content tells."""

CONFIGURATIONS = ("model.json", "config.json")
"""A configuration that lies beside a file of weights, as to_json() is often saved."""

Format = Literal["keras", "hdf5", "saved_model"]

_MAGIC: dict[bytes, Format] = {b"PK\x03\x04": "keras", b"\x89HDF\r\n\x1a\n": "hdf5"}


def format_of(path: Path) -> Format | None:
    """The format of a file or folder; None for one that is no model of Keras."""
    if path.is_dir():
        return "saved_model" if (path / "saved_model.pb").is_file() else None
    try:
        with path.open("rb") as stream:
            start = stream.read(8)
    except OSError:
        return None
    return next(
        (kind for magic, kind in _MAGIC.items() if start.startswith(magic)), None
    )


def is_hdf5(file: Path) -> bool:
    """Whether a file is read as HDF5; a damaged one is what its suffix says."""
    kind = format_of(file)
    return kind == "hdf5" or (kind is None and file.suffix.lower() in (".h5", ".hdf5"))


def configuration_beside(weights: Path) -> Path | None:
    """The configuration for a file of weights alone; None where there is none."""
    files = (weights.parent / name for name in CONFIGURATIONS)
    return next((file for file in files if file.is_file()), None)
