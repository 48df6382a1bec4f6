"""keras.applications: the preprocessing and the input size of each architecture."""

import json
import sys

import keras
import numpy as np
import pytest
from keras.src.applications import imagenet_utils
from keras.src.utils import file_utils

from facenality.commands.fetch import record
from facenality.engines.tensorflow import applications
from facenality.registry import card
from facenality.tasks import image_transform
from weights import written

MODES = {
    "none": ("ConvNeXt", "EfficientNet", "EfficientNetV2", "MobileNetV3"),
    "tf": ("Inception", "MobileNet", "NASNet", "Xception"),
    "torch": ("DenseNet",),
    "caffe": ("ResNet", "VGG"),
}


def expected_mode(name: str) -> str:
    """By the longest beginning of the name; ResNet's second version is by itself."""
    if name.startswith("ResNet") and name.endswith("V2"):
        return "tf"
    fitting = [(len(p), m) for m, ps in MODES.items() for p in ps if name.startswith(p)]
    return max(fitting)[1]


@pytest.mark.parametrize("name", applications.names())
def test_every_architecture_gets_its_own_preprocessing_on_a_complete_card(
    name, tmp_path
):
    mode = applications.preprocess(name)
    assert mode == expected_mode(name)
    pixels = np.random.default_rng(0).integers(0, 256, (12, 16, 3), np.uint8)
    ours = image_transform.preprocess(pixels, mode)
    module = sys.modules[getattr(keras.applications, name).__module__]
    theirs = module.preprocess_input(pixels.astype("float32"))
    np.testing.assert_allclose(ours, theirs, atol=1e-5)
    (tmp_path / "model.toml").write_text(record.card(name, 224, 224, mode))
    written = card.read(tmp_path / "model.toml")
    assert (written.preprocess, written.image.size) == (mode, (224, 224))


def test_mobilenet_v3_has_a_size_although_keras_leaves_it_open(tmp_path, monkeypatch):
    models = tmp_path / "home" / "models"
    models.mkdir(parents=True)
    weights = models / "weights_mobilenet_v3_small_224_1.0_float.h5"
    written(keras.applications.MobileNetV3Small, weights)
    names = {str(i): [f"n{i:08}", f"Class_{i}"] for i in range(1000)}
    (models / applications.CLASS_NAMES).write_text(json.dumps(names))
    monkeypatch.setattr(file_utils, "get_file", file_utils.get_file)  # is put back
    monkeypatch.setattr(imagenet_utils, "CLASS_INDEX", None)
    # Keras knows the checksums of the real files only.
    monkeypatch.setattr(file_utils, "validate_file", lambda *_: True)
    made = applications.write("mobilenetV3small", tmp_path, tmp_path / "home", {})
    assert (made["architecture"], made["height"]) == ("MobileNetV3Small", 224)
    assert (made["width"], made["preprocess"]) == (224, "none")
    assert made["classes"][999] == ("n00000999", "Class_999")
    model = keras.saving.load_model(tmp_path / "model.keras", compile=False)
    assert model.input_shape == (None, 224, 224, 3)
    assert any(isinstance(layer, keras.layers.Rescaling) for layer in model.layers)
