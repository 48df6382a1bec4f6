"""keras.applications: its modes, its addresses, and its getter, which is given back."""

import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from keras.src.applications import imagenet_utils
from keras.src.utils import file_utils

from facenality import card, preprocessing
from facenality.engines import applications
from facenality.fetching import fetched
from facenality.fetching.checksums import FetchFailed
from facenality.fetching.mirror import Asked, Source
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
    ours = preprocessing.preprocess(pixels, mode)
    module = sys.modules[getattr(keras.applications, name).__module__]
    theirs = module.preprocess_input(pixels.astype("float32"))
    np.testing.assert_allclose(ours, theirs, atol=1e-5)
    (tmp_path / "model.toml").write_text(fetched.card(name, 224, 224, mode))
    written = card.read(tmp_path / "model.toml")
    assert (written.preprocess, written.image.size) == (mode, (224, 224))


def test_mobilenet_v3_has_a_size_although_keras_leaves_it_open(tmp_path):
    made = applications.write(
        "MobileNetV3Small",
        tmp_path / "model.keras",
        lambda asked: written(keras.applications.MobileNetV3Small, tmp_path / "w.h5"),
    )
    assert made == applications.Written(224, 224, "none")
    model = keras.saving.load_model(tmp_path / "model.keras", compile=False)
    assert model.input_shape == (None, 224, 224, 3)
    assert any(isinstance(layer, keras.layers.Rescaling) for layer in model.layers)


def test_every_address_that_keras_knows_has_its_place_on_a_mirror():
    there = Source("http://mirror.example/keras", Path("cache"), {})
    modules = {
        sys.modules[getattr(keras.applications, n).__module__]
        for n in applications.names()
    } | {imagenet_utils}
    addresses = [
        value
        for module in modules
        for value in vars(module).values()
        if isinstance(value, str) and value.startswith("https://storage")
    ]
    assert len(addresses) > 10
    for address in addresses:
        url = there.url(Asked("w.h5", address, None))
        assert url.startswith("http://mirror.example/keras/")
    with pytest.raises(FetchFailed, match="no place for"):
        there.url(Asked("w.h5", "https://elsewhere.example/w.h5", None))
    assert Source(None, Path("c"), {}).url(Asked("w", "https://a", None))


def test_keras_has_its_own_getter_back_afterwards():
    own = file_utils.get_file

    def stop(asked):
        assert file_utils.get_file is not own
        raise FetchFailed("stop")

    with pytest.raises(FetchFailed, match="stop"):
        applications.class_names(stop)
    assert file_utils.get_file is own


def test_class_names_that_are_none_are_refused(tmp_path):
    for text in ("{}", "no JSON", "[]"):
        (tmp_path / "classes.json").write_text(text)
        with pytest.raises(FetchFailed, match="class names"):
            applications.class_names(lambda asked: tmp_path / "classes.json")
    assert imagenet_utils.CLASS_INDEX is None
