"""How a model wants its pixels is read off its graph: scaled once, never twice."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from facenality.engines import keras_graph, pixel_scale
from facenality.engines.open import open_engine
from facenality.engines.pixel_scale import FirstSteps
from facenality.registry.card import Card
from facenality.registry.infer_config import complete

layers = keras.layers


def silent(_stage: str) -> None:
    """Nobody waits."""


def network(*first, size: int = 12) -> keras.Model:
    """`first` are layers or functions between the input and the first weights."""
    x = inputs = keras.Input((size, size, 3))
    for step in first:
        x = step(x)
    x = layers.Conv2D(4, 3)(x)
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, layers.Dense(3, activation="softmax")(x))


def adapted(low: float, high: float) -> layers.Normalization:
    layer = layers.Normalization()
    layer.adapt(np.random.default_rng(0).uniform(low, high, (64, 12, 12, 3)))
    return layer


def trained(low: float, high: float) -> layers.BatchNormalization:
    """A BatchNormalization that has seen such pixels."""
    layer = layers.BatchNormalization()
    layer.build((None, 12, 12, 3))
    mean, variance = (low + high) / 2, (high - low) ** 2 / 12
    layer.set_weights([np.full(3, n, "float32") for n in (1, 0, mean, variance)])
    return layer


def deep(x):
    """A Rescaling behind the first weights says nothing about the input."""
    return layers.Rescaling(1 / 255)(layers.Conv2D(3, 3)(x))


def caffe(x):
    return keras.applications.resnet.preprocess_input(x)


def inner(x):
    return keras.Sequential([keras.Input((12, 12, 3)), layers.Rescaling(1 / 255)])(x)


FIRST = [
    ((), "unit"),
    ((layers.Rescaling(1 / 255),), "none"),
    ((layers.Rescaling(1 / 127.5, -1),), "none"),
    ((lambda x: x / 255.0,), "none"),
    ((lambda x: x / 127.5 - 1.0,), "none"),
    ((lambda x: (x - 127.5) * (1 / 127.5),), "none"),
    ((lambda x: 1.0 - x / 255.0,), "none"),
    ((caffe,), "none"),
    ((keras.applications.mobilenet_v2.preprocess_input,), "none"),
    ((layers.Resizing(8, 8), layers.Rescaling(1 / 255)), "none"),
    ((layers.RandomFlip(), layers.Rescaling(1 / 255)), "none"),
    ((inner,), "none"),
    ((layers.Rescaling(1.0),), "none"),
    ((layers.BatchNormalization(),), "unit"),
    ((deep,), "unit"),
    ((lambda x: x * 2.0 - 1.0,), "unit"),
    ((lambda x: x - 0.5,), "unit"),
    ((lambda x: (x + 1.0) * 127.5,), "tf"),
]
# Weights that a network learns are to be kept: one layer for one network.
LEARNT = [
    (lambda: adapted(0, 255), "none"),
    (lambda: adapted(0, 1), "unit"),
    (lambda: trained(0, 255), "none"),
    (lambda: trained(0, 1), "unit"),
]


@pytest.mark.parametrize(
    ("model", "preprocess"),
    [(lambda f=first: network(*f), wanted) for first, wanted in FIRST]
    + [(lambda m=make: network(m()), wanted) for make, wanted in LEARNT],
)
def test_the_first_operations_tell_the_range(tmp_path, model, preprocess):
    """The graph that TensorFlow traces and the one that Keras has say the same."""
    made = model()
    made.save(tmp_path / "model.keras")
    traced = open_engine(tmp_path / "model.keras", 1, silent).facts
    assert complete(Card(), traced, None).image.preprocess == preprocess
    rescales, scale = keras_graph.rescaling(made)
    assert (rescales, scale and scale.preprocess) == (
        traced.rescales,
        traced.pixel_scale and traced.pixel_scale.preprocess,
    )


@pytest.mark.parametrize("make", [lambda x: x / 255.0, layers.Rescaling(1 / 255)])
def test_a_saved_model_with_its_scaling_inside_is_not_scaled_again(tmp_path, make):
    network(make).export(tmp_path / "saved_model", verbose=False)
    facts = open_engine(tmp_path / "saved_model", 1, silent).facts
    assert complete(Card(), facts, None).image.preprocess == "none"


def test_a_frozen_graph_from_elsewhere_tells_as_much(tmp_path):
    """Of Keras 2 and of TensorFlow alone there is nothing but the graph."""

    class Module(tf.Module):
        def __init__(self):
            super().__init__()
            self.mean = tf.Variable([120.0, 110.0, 100.0])

        @tf.function(input_signature=[tf.TensorSpec((None, 8, 8, 3))])
        def serve(self, x):
            return tf.nn.softmax(tf.reduce_mean(x - self.mean, (1, 2)) @ tf.eye(3))

    module = Module()
    signatures = {"serving_default": module.serve}
    tf.saved_model.save(module, str(tmp_path / "saved_model"), signatures)
    facts = open_engine(tmp_path / "saved_model", 1, silent).facts
    assert facts.rescales
    assert facts.activation == "softmax"


BACKBONES = [
    ("MobileNet", "tf"),
    ("MobileNetV2", "tf"),
    ("ResNet50", "caffe"),
    ("ResNet50V2", "tf"),
    ("DenseNet121", "torch"),
    ("VGG16", "caffe"),
    ("Xception", "tf"),
    ("InceptionV3", "tf"),
    ("NASNetMobile", "tf"),
    ("EfficientNetB0", None),  # they rescale themselves
    ("MobileNetV3Small", None),
]


@pytest.mark.full
@pytest.mark.parametrize(("name", "preprocess"), BACKBONES)
def test_a_backbone_is_known_by_its_layers(name, preprocess):
    make = getattr(keras.applications, name)
    rest = {"weights": None, "include_top": False, "input_shape": (96, 96, 3)}
    x = inputs = keras.Input((96, 96, 3))
    x = layers.GlobalAveragePooling2D()(make(**rest)(x))
    model = keras.Model(inputs, layers.Dense(2)(x))
    rescales, scale = keras_graph.rescaling(model)
    assert (scale and scale.preprocess) == preprocess
    assert rescales == (preprocess is None)


def test_a_backbone_in_a_saved_model_is_a_guess_that_names_it(tmp_path):
    backbone = keras.applications.MobileNetV2(
        weights=None, include_top=False, input_shape=(32, 32, 3), alpha=0.35
    )
    x = inputs = keras.Input((32, 32, 3))
    x = layers.GlobalAveragePooling2D()(backbone(x))
    model = keras.Model(inputs, layers.Dense(2, activation="softmax")(x))
    model.export(tmp_path / "saved_model", verbose=False)
    facts = open_engine(tmp_path / "saved_model", 1, silent).facts
    recipe = complete(Card(), facts, None)
    assert recipe.image.preprocess == "tf"
    assert "a guess" in " ".join(recipe.inferred)
    assert "MobileNetV2" in " ".join(recipe.inferred)


def test_a_backbone_behind_its_preprocessing_is_not_scaled_again():
    steps = FirstSteps().times(1 / 127.5).plus(-1)
    assert pixel_scale.read(steps, ["bn_Conv1", "expanded_conv_depthwise"]) == (
        True,
        None,
    )
