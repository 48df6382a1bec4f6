"""The format of a model file, told by its content: its suffix is only a name."""

from pathlib import Path
from typing import Literal

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
