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


BY_HAND = """
import numpy
def load(folder): return 10
def predict(strength, pictures):
    powers = numpy.exp(strength * pictures.mean(axis=(1, 2)))
    return powers / powers.sum(axis=1, keepdims=True)
"""


def colours_by_hand(folder: Path) -> None:
    """As `colours`, in a model.py: without TensorFlow its server starts sooner."""
    folder.mkdir(parents=True)
    (folder / "model.py").write_text(BY_HAND)
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


def multi_label(folder: Path) -> None:
    """Three sigmoids of how far each colour's mean is above a half."""
    import keras

    model = keras.Sequential(
        [
            keras.Input((16, 16, 3)),
            keras.layers.Rescaling(1 / 255),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(3, activation="sigmoid"),
        ]
    )
    model.layers[-1].set_weights(
        [20 * np.eye(3, dtype="float32"), np.full(3, -10, "float32")]
    )
    folder.mkdir(parents=True)
    model.save(folder / "model.keras")
    (folder / "labels.txt").write_text("red\ngreen\nblue\n")


def levels(folder: Path) -> None:
    """The mean level of each colour, of a picture in uint8."""
    import keras

    model = keras.Sequential(
        [
            keras.Input((16, 16, 3), dtype="uint8"),
            keras.layers.Rescaling(1.0),
            keras.layers.GlobalAveragePooling2D(),
        ]
    )
    folder.mkdir(parents=True)
    model.save(folder / "model.keras")
    card = 'task = "image-regression"\nlabels = ["red", "green", "blue"]\n'
    (folder / "model.toml").write_text(card)


def channels_first(folder: Path) -> None:
    """As `colours`, for a model whose channels come first, as a SavedModel."""
    import keras

    model = keras.Sequential(
        [
            keras.Input((3, 12, 20)),
            keras.layers.Permute((2, 3, 1)),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(3, activation="softmax"),
        ]
    )
    model.layers[-1].set_weights([10 * np.eye(3, dtype="float32"), np.zeros(3)])
    folder.mkdir(parents=True)
    model.export(folder / "saved_model", verbose=False)
    (folder / "labels.txt").write_text("red\ngreen\nblue\n")


def words(file: Path) -> None:
    """A Keras model of text: which of two words a text has more of."""
    import keras

    table = keras.layers.TextVectorization(
        output_mode="count", vocabulary=["bad", "good"]
    )
    model = keras.Sequential(
        [
            keras.Input((), dtype="string"),
            table,
            keras.layers.Dense(2, activation="softmax"),
        ]
    )
    model.layers[-1].set_weights(
        [np.array([[0, 0], [3, 0], [0, 3]], "float32"), np.zeros(2)]
    )
    model.save(file)


def lookup(file: Path) -> None:
    """Whole numbers in: three indices, and out comes the tenth of each, in bfloat16."""
    import keras

    table = keras.layers.Embedding(10, 1)
    model = keras.Sequential(
        [
            keras.Input((3,), dtype="int32", name="indices"),
            table,
            keras.layers.Flatten(dtype="bfloat16", name="tenths"),
        ]
    )
    table.set_weights([np.arange(10, dtype="float32")[:, np.newaxis] / 10])
    model.save(file)


def shout(folder: Path) -> None:
    """A SavedModel of strings: in capitals, and as they came, as bytes."""
    import tensorflow as tf

    module = tf.Module()

    @tf.function(input_signature=[tf.TensorSpec((None, 2), tf.string, "words")])
    def serve(words):
        return {"loud": tf.strings.upper(words), "raw_bytes": tf.identity(words)}

    tf.saved_model.save(module, folder / "saved_model", {"serving_default": serve})
    (folder / "model.toml").write_text('task = "tensor"\n')


def half_plus_three(folder: Path) -> None:
    """TensorFlow Serving's own example as a model.py; NaN below 0, and 13 fails."""
    folder.mkdir(parents=True)
    (folder / "model.py").write_text(
        "import numpy as np\n"
        "def load(folder): return 3\n"
        "def predict(model, x):\n"
        "    if 13 in x: raise ValueError\n"
        "    return np.where(x < 0, np.nan, x / 2 + model)\n"
    )
    (folder / "model.toml").write_text('task = "tensor"\n')


def two_by_two(folder: Path) -> None:
    """Two inputs by name; two outputs: their sum and their difference."""
    import keras

    a, b = keras.Input((2,), name="a"), keras.Input((2,), name="b")
    outputs = {
        "sum": keras.layers.Add()([a, b]),
        "less": keras.layers.Subtract()([a, b]),
    }
    folder.mkdir(parents=True)
    keras.Model({"a": a, "b": b}, outputs).save(folder / "model.keras")


QUICK = """
import time

def load(folder):
    return folder

def predict(folder, pictures):
    while folder.with_suffix(".hold").exists():
        time.sleep(0.005)
    if (pictures.max(axis=(1, 2, 3)) == 0).any():
        raise ValueError("black\\nINFO forged")
    means = pictures.mean(axis=(1, 2))
    return means / means.sum(axis=1, keepdims=True)
"""


def quick(folder: Path) -> Path:
    """As `colours`, in a model.py, so that its server is ready at once.

    It waits while there is a file `<folder>.hold` (in the folder, it would be another
    version of the model), and black pictures make it fail.
    """
    folder.mkdir(parents=True)
    (folder / "model.py").write_text(QUICK)
    (folder / "model.toml").write_text(CARD)
    return folder


def spot(folder: Path, fit: str = "stretch") -> None:
    """Whether one spot, rows 14..22 and columns 30..40 of 48 x 48, is bright."""
    import keras

    weights = np.zeros((48, 48, 3, 2), "float32")
    weights[14:22, 30:40, :, 0] = 10 / (8 * 10 * 3)
    model = keras.Sequential(
        [
            keras.Input((48, 48, 3)),
            keras.layers.Flatten(),
            keras.layers.Dense(2, activation="softmax"),
        ]
    )
    model.layers[-1].set_weights([weights.reshape(-1, 2), np.array([-5.0, 0])])
    folder.mkdir(parents=True)
    model.save(folder / "model.keras")
    (folder / "model.toml").write_text(
        'labels = ["bright", "dark"]\npreprocess = "unit"\n'
        f'[image]\nfit = "{fit}"\nresize = "nearest"\n'
    )


def tones(
    folder: Path, seconds: float = 0.0, task: str = "image-classification"
) -> None:
    """A model.py: how light and how dark a picture is. Needs no TensorFlow.

    It takes `seconds` for each instance, however many.
    """
    folder.mkdir(parents=True)
    (folder / "model.py").write_text(
        "import time\n"
        "def load(folder):\n"
        "    return None\n"
        "def predict(model, instances):\n"
        f"    time.sleep({seconds} * len(instances))\n"
        "    return [[one.mean(), 1 - one.mean()] for one in instances]\n"
    )
    output = "probability" if task == "image-classification" else "value"
    (folder / "model.toml").write_text(
        f'task = "{task}"\noutput = "{output}"\n'
        'labels = ["light", "dark"]\npreprocess = "unit"\n'
        '[image]\nmode = "L"\nsize = [24, 24]\n'
    )


def moods(folder: Path) -> None:
    """Regression: three named values of a picture's mean colour, some negative."""
    import keras

    model = keras.Sequential(
        [
            keras.Input((16, 16, 3)),
            keras.layers.Rescaling(1 / 255),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(3, use_bias=False),
        ]
    )
    weights = np.array([[6, -4, 1], [2, 1, -1], [-5, 4, 2.5]], "float32")
    model.layers[-1].set_weights([weights])
    folder.mkdir(parents=True)
    model.save(folder / "model.keras")
    (folder / "labels.txt").write_text("warmth\ndistance\ncalm\n")
    (folder / "model.toml").write_text('task = "image-regression"\n')
