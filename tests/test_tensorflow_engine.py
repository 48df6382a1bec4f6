"""The frozen graph gives Keras's own answers, whoever shares the batch."""

import keras
import numpy as np
import pytest

from facenality.engines import allowed_batch_sizes, open_engine
from facenality.engines.tensorflow import TensorFlowEngine
from facenality.errors import ModelNotLoaded

layers = keras.layers


def silent(_stage: str) -> None:
    """Nobody waits for this load."""


def spread(model: keras.Model) -> keras.Model:
    """Give a network with random weights answers that differ between pictures."""
    rng = np.random.default_rng(3)
    model.set_weights(
        [rng.normal(0, 0.4, w.shape).astype(w.dtype) for w in model.get_weights()]
    )
    for layer in model.layers:
        if isinstance(layer, layers.BatchNormalization):
            gamma, beta, mean, variance = layer.get_weights()
            layer.set_weights([np.abs(gamma) + 1, beta, mean, np.abs(variance) + 1])
    last = model.layers[-2]
    assert isinstance(last, layers.Dense), "the logits are what is spread"
    noise = rng.random((64, *model.input_shape[1:])).astype("float32")
    logits = keras.Model(model.inputs, last.output).predict(noise, verbose=0)
    kernel, bias = last.get_weights()
    last.set_weights([kernel / logits.std(0), (bias - logits.mean(0)) / logits.std(0)])
    return model


@pytest.fixture(scope="module")
def network() -> keras.Model:
    """Convolutions, batch normalisation, depthwise, dropout: what real ones use."""
    return spread(
        keras.Sequential(
            [
                keras.Input((32, 32, 3)),
                layers.Conv2D(8, 3, activation="relu"),
                layers.BatchNormalization(),
                layers.DepthwiseConv2D(3, activation="relu"),
                layers.MaxPooling2D(),
                layers.Dropout(0.5),
                layers.Flatten(),
                layers.Dense(6),
                layers.Softmax(),
            ]
        )
    )


@pytest.fixture(scope="module")
def engine(network, tmp_path_factory) -> TensorFlowEngine:
    file = tmp_path_factory.mktemp("network") / "model.keras"
    network.save(file)
    return open_engine(file, 16, silent)


@pytest.fixture(scope="module")
def noise() -> np.ndarray:
    return np.random.default_rng(0).random((16, 32, 32, 3)).astype("float32")


def test_it_agrees_with_keras_predict(network, engine, noise):
    expected = network.predict(noise, verbose=0)
    assert np.ptp(expected, axis=0).max() > 0.03, "the answers must differ"
    assert np.abs(engine.predict(noise) - expected).max() <= 1e-5
    assert engine.agreement <= 1e-5


def test_an_answer_does_not_depend_on_who_shares_the_batch(engine, noise):
    """Alone against every batch size and position."""
    alone = np.concatenate([engine.predict(one[None]) for one in noise])
    for size in range(1, 17):
        for start in range(17 - size):
            together = engine.predict(noise[start : start + size])
            assert together.shape == (size, 6)
            assert np.abs(together - alone[start : start + size]).max() <= 1e-5


def test_a_perturbed_model_does_not_agree(network, engine, noise):
    """The comparison can fail: a weight moved by a little shows."""
    weights = [w.copy() for w in network.get_weights()]
    moved = [weights[0] * 1.01, *weights[1:]]
    network.set_weights(moved)
    try:
        expected = network.predict(noise, verbose=0)
    finally:
        network.set_weights(weights)
    assert np.abs(engine.predict(noise) - expected).max() > 1e-4


def test_nothing_is_traced_after_the_first_predictions(engine, noise):
    """One graph for every size: a frozen function has one signature."""
    before = engine._graph
    for size in (1, 3, 16):
        engine.predict(noise[:size])
    assert engine._graph is before
    assert engine._graph.inputs[0].shape.as_list() == [None, 32, 32, 3]
    assert not engine._graph.variables


@pytest.mark.parametrize(
    ("last", "activation"),
    [
        (layers.Dense(3, activation="softmax"), "softmax"),
        (layers.Dense(3, activation="sigmoid"), "sigmoid"),
        (layers.Dense(3), "linear"),
        (layers.Softmax(), "softmax"),
        (layers.Activation("sigmoid"), "sigmoid"),
        (layers.Flatten(), "linear"),
    ],
)
def test_the_last_activation_is_found(tmp_path, last, activation):
    file = tmp_path / "model.keras"
    keras.Sequential(
        [keras.Input((3,)), last.__class__.from_config(last.get_config())]
    ).save(file)
    assert open_engine(file, 1, silent).facts.activation == activation


@pytest.mark.parametrize("inside", [layers.Rescaling(1 / 255), layers.Normalization()])
def test_a_rescaling_layer_is_found_inside_a_nested_model(tmp_path, inside):
    file = tmp_path / "model.keras"
    layer = inside.__class__.from_config(inside.get_config())
    if isinstance(layer, layers.Normalization):
        layer.adapt(np.random.default_rng(0).random((4, 8, 8, 3)))
    inner = keras.Sequential([keras.Input((8, 8, 3)), layer])
    outer = keras.Sequential([keras.Input((8, 8, 3)), inner, layers.Flatten()])
    outer.save(file)
    facts = open_engine(file, 1, silent).facts
    assert facts.rescales
    assert facts.input_shape == (8, 8, 3)
    assert facts.output_shape == (192,)


def test_stages_are_told(tmp_path, network):
    network.save(tmp_path / "model.keras")
    stages = []
    open_engine(tmp_path / "model.keras", 2, stages.append)
    assert stages[0] == "importing TensorFlow"
    assert "freezing the graph" in stages


def test_opening_a_model_leaves_no_files_behind(tmp_path, network, monkeypatch):
    network.save(tmp_path / "model.keras")
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    open_engine(tmp_path / "model.keras", 1, silent)
    assert list(temporary.iterdir()) == []


def test_h5_is_read(tmp_path, network, noise):
    file = tmp_path / "model.h5"
    network.save(file)
    expected = network.predict(noise, verbose=0)
    assert np.abs(open_engine(file, 16, silent).predict(noise) - expected).max() <= 1e-5


@pytest.mark.parametrize("content", [b"", b"no model", b"PK\x03\x04"])
@pytest.mark.parametrize("name", ["model.keras", "model.h5"])
def test_a_file_that_is_no_model_is_named(tmp_path, name, content):
    file = tmp_path / name
    file.write_bytes(content)
    with pytest.raises(ModelNotLoaded, match=f"Keras cannot load {name}") as caught:
        open_engine(file, 1, silent)
    assert str(tmp_path) not in str(caught.value), "no path of the host for clients"


def test_a_model_with_two_inputs_is_refused_with_the_reason(tmp_path):
    ends = keras.Input((2,)), keras.Input((2,))
    keras.Model(ends, layers.Add()(ends)).save(tmp_path / "model.keras")
    with pytest.raises(ModelNotLoaded, match="2 inputs and 1 outputs"):
        open_engine(tmp_path / "model.keras", 1, silent)


@pytest.mark.parametrize(
    ("most", "sizes"),
    [(1, (1,)), (2, (1, 2)), (16, (1, 2, 4, 8, 16)), (12, (1, 2, 4, 8, 12))],
)
def test_batches_are_padded_to_powers_of_two_and_the_most(most, sizes):
    assert allowed_batch_sizes(most) == sizes
