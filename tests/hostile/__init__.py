"""Model files with a payload, in the manner of what was found in Keras and TensorFlow.

Each builder is told an empty folder and a marker: a file that the payload creates where
its model file is opened without looking. It returns the model file.
"""

from collections.abc import Callable
from functools import cache
from pathlib import Path

Builder = Callable[[Path, Path], Path]
FILES: dict[str, tuple[Builder, str]] = {}
"""Every builder by its name, with what the refusal must say (a regular expression)."""


def hostile(reason: str) -> Callable[[Builder], Builder]:
    """Enter a builder into the table."""

    def enter(builder: Builder) -> Builder:
        FILES[builder.__name__] = builder, reason
        return builder

    return enter


@cache
def saved(suffix: str) -> bytes:
    """An honest model: four numbers in, two out."""
    import tempfile

    import keras

    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"model{suffix}"
        model.save(file)
        return file.read_bytes()


def honest(folder: Path, suffix: str = ".keras") -> Path:
    """That model as a file of its own."""
    file = folder / f"model{suffix}"
    file.write_bytes(saved(suffix))
    return file


def touching(marker: Path):
    """A lambda that creates the marker wherever it is called."""
    path = f"__import__('pathlib').Path({str(marker)!r})"
    return eval(f"lambda x: ({path}.touch(), x)[1]")


class Touch:
    """Creates the marker where it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self):
        return Path.touch, (self.marker,)
