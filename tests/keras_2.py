"""Run by a child process with TF_USE_LEGACY_KERAS=1: files as Keras 2 saves them.

python tests/keras_2.py FOLDER      writes FOLDER/NAME/... and FOLDER/answers.json
"""

import json
import sys
from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorflow import keras


class Scale(keras.layers.Layer):
    def call(self, x):
        return 3.0 * x


def numbers() -> keras.Model:
    """x / 255. is a TFOpLambda in the file."""
    x = keras.Input((4,), name="x")
    hidden = keras.layers.Dense(3, activation="relu")(x / 255.0)
    return keras.Model(x, keras.layers.Dense(2, activation="softmax")(hidden))


def with_lambda() -> keras.Model:
    x = keras.Input((4,))
    return keras.Model(x, keras.layers.Lambda(lambda y: 2.0 * y)(x))


def with_scale() -> keras.Model:
    x = keras.Input((4,))
    return keras.Model(x, keras.layers.Dense(2)(Scale()(x)))


def of_words() -> keras.Model:
    words = keras.layers.TextVectorization(max_tokens=9, output_sequence_length=4)
    words.adapt(["good day", "bad day"])
    text = keras.Input((1,), dtype=tf.string)
    hidden = keras.layers.Embedding(9, 3)(words(text))
    hidden = keras.layers.GlobalAveragePooling1D()(hidden)
    return keras.Model(text, keras.layers.Dense(1, activation="sigmoid")(hidden))


def main(folder: Path) -> None:
    keras.utils.set_random_seed(1)
    batch = np.random.default_rng(0).random((3, 4)).astype("float32")
    answers = {"batch": batch.tolist()}
    for name, model, file in (
        ("zip", numbers(), "model.keras"),
        ("hdf5", numbers(), "best.h5"),
        ("lambda", with_lambda(), "model.h5"),
        ("scale", with_scale(), "net.h5"),
    ):
        (folder / name).mkdir(parents=True)
        model.save(folder / name / file)
        answers[name] = model(batch).numpy().tolist()
    (folder / "words").mkdir()
    model = of_words()
    model.save(folder / "words" / "model.keras")
    answers["words"] = model(tf.constant([["good day"], ["bad"]])).numpy().tolist()
    (folder / "answers.json").write_text(json.dumps(answers))


main(Path(sys.argv[1]))
