"""What Keras says of a file that it cannot load becomes one sentence with its fix."""

import zipfile
from pathlib import Path

import h5py
import keras
import pytest

from facenality.engines import keras_errors
from facenality.scan import saved_by

layers = keras.layers


@keras.saving.register_keras_serializable("Mine")
class Doubling(layers.Layer):
    """A layer that the file names and nobody else has."""

    def call(self, x):
        return 2 * x


class Plain(Doubling):
    """As most write theirs: registered nowhere, found by its module."""


def saved(folder: Path, *inner, suffix: str = ".keras") -> Path:
    file = folder / f"model{suffix}"
    first, last = layers.Dense(3, name="first"), layers.Dense(5, name="last")
    keras.Sequential([keras.Input((2,)), first, *inner, last]).save(file)
    return file


def with_config(file: Path, old: bytes, new: bytes) -> Path:
    """The archive with `new` for `old` in its configuration."""
    changed = file.with_name(f"{file.stem}_changed.keras")
    with zipfile.ZipFile(file) as right, zipfile.ZipFile(changed, "w") as wrong:
        for name in right.namelist():
            content = right.read(name)
            wrong.writestr(name, content.replace(old, new))
    return changed


def told(file: Path) -> str:
    """The sentence for what Keras says of `file` now."""
    with pytest.raises((ValueError, TypeError, OSError)) as caught:
        keras.saving.load_model(file, compile=False)
    return keras_errors.sentence(str(caught.value), saved_by.keras_version(file))


def unknown_argument(folder: Path) -> str:
    file = saved(folder)
    return told(with_config(file, b'"units": 3,', b'"units": 3, "time_major": false,'))


def unknown_layer(folder: Path) -> str:
    file = with_config(saved(folder, Doubling()), b"Doubling", b"Trebling")
    return told(file)


def missing_library(folder: Path) -> str:
    there = f'"module": "{Plain.__module__}"'.encode()
    gone = b'"module": "keras_cv.layers"'  # Keras looks into its own libraries only
    return told(with_config(saved(folder, Plain()), there, gone))


def a_lambda(folder: Path) -> str:
    return told(saved(folder, layers.Lambda(lambda x: 2 * x)))


def other_weights(folder: Path) -> str:
    return told(with_config(saved(folder), b'"units": 5', b'"units": 6'))


def weights_alone(folder: Path) -> str:
    file = folder / "model.h5"
    with h5py.File(file, "w") as held:
        held.attrs["keras_version"] = "2.12.0"
    return told(file)


CASES = {
    unknown_argument: ("Dense 'first' has the argument 'time_major'", "save it again"),
    unknown_layer: ("Trebling is none of this Keras", "Trebling in custom.py"),
    missing_library: ("of keras_cv, which is not installed", "install keras_cv"),
    a_lambda: ("a Lambda layer", "a layer in custom.py"),
    other_weights: ("last", "copy or save it again"),
    weights_alone: ("weights without their model", "model.save('model.keras')"),
}


@pytest.mark.parametrize("case", CASES)
def test_the_sentence_names_what_is_wrong_the_version_and_the_fix(case, tmp_path):
    said = case(tmp_path)
    what, fix = CASES[case]
    assert what in said
    assert fix in said
    version = "2.12.0" if case is weights_alone else keras.__version__
    assert f"Keras {version} saved it" in said
    assert len(said) < 400
    assert "\n" not in said


def test_of_several_layers_the_innermost_is_named():
    said = (
        "Error when deserializing class 'Bidirectional' using config={'name': 'both', "
        "'units': 3}.\n\nException encountered: Error when deserializing class 'LSTM' "
        "using config={'name': 'inner', 'units': 3}.\n\nException encountered: "
        "No such thing" + " and more" * 1000
    )
    sentence = keras_errors.sentence(said, None)
    assert "its layer LSTM 'inner': No such thing and more" in sentence
    assert "saved it:" not in sentence
    assert len(sentence) < 400


@pytest.mark.parametrize("content", [b"", b"no model", b"PK\x03\x04", b"\x89HDF"])
def test_a_file_without_a_version_has_none(tmp_path, content):
    (tmp_path / "model").write_bytes(content)
    assert saved_by.keras_version(tmp_path / "model") is None


def test_both_formats_tell_their_version(tmp_path):
    assert saved_by.keras_version(saved(tmp_path)) == keras.__version__
    with h5py.File(tmp_path / "old.h5", "w") as held:
        held.attrs["keras_version"] = b"2.2.4-tf"
    assert saved_by.keras_version(tmp_path / "old.h5") == "2.2.4-tf"
