"""Models and pictures that the tests make; each answer is known beforehand."""

import io
from pathlib import Path

import numpy as np
from PIL import Image

COLOURS = ("red", "green", "blue")
CARD = """
task = "image-classification"
labels = ["red", "green", "blue"]
output = "probability"
preprocess = "unit"
[image]
mode = "RGB"
size = [24, 24]
resize = "bilinear"
fit = "stretch"
"""


def colours(folder: Path, strength: float = 10.0) -> None:
    """Softmax over `strength` times the mean of each colour."""
    import keras

    model = keras.Sequential(
        [
            keras.Input((24, 24, 3)),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(3, activation="softmax"),
        ]
    )
    model.layers[-1].set_weights(
        [strength * np.eye(3, dtype="float32"), np.zeros(3, "float32")]
    )
    folder.mkdir(parents=True)
    model.save(folder / "model.keras")
    (folder / "model.toml").write_text(CARD)


def traits(folder: Path) -> None:
    """Regression: two named values, the mean brightness (0..255) and its half."""
    import keras

    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Rescaling(1.0),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(2, use_bias=False),
        ]
    )
    model.layers[-1].set_weights([np.array([[1.0, 0.5]], "float32")])
    folder.mkdir(parents=True)
    model.save(folder / "model.keras")
    (folder / "labels.txt").write_text("brightness\nhalf\n")
    (folder / "model.toml").write_text('task = "image-regression"\n')


def sums(file: Path) -> None:
    """A plain tensor model: four numbers in, their sum and its negative out."""
    import keras

    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, use_bias=False)])
    model.layers[-1].set_weights([np.array([[1.0, -1.0]] * 4, "float32")])
    model.save(file)


def picture(
    colour: object = "red",
    size: tuple[int, int] = (60, 40),
    form: str = "PNG",
    mode: str = "RGB",
    **save: object,
) -> bytes:
    """An encoded picture of one colour."""
    stream = io.BytesIO()
    Image.new(mode, size, colour).save(stream, form, **save)
    return stream.getvalue()
