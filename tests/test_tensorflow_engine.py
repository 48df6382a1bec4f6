"""The frozen graph gives Keras's own answers, whoever shares the batch."""

import shutil
import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest

import networks
from facenality.engines.open import open_engine
from facenality.engines.padding import allowed_batch_sizes
from facenality.engines.tensorflow import frozen_graph
from facenality.engines.tensorflow.engine import TensorFlowEngine
from facenality.errors import ModelFailed, ModelLoadFailed

layers = keras.layers


def silent(_stage: str) -> None:
    """Nobody waits for this load."""


@pytest.fixture(scope="module")
def engine(network, tmp_path_factory) -> TensorFlowEngine:
    file = tmp_path_factory.mktemp("network") / "model.keras"
    network.save(file)
    return open_engine(file, 16, silent)


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
    expected = networks.moved(network, noise)
    assert np.abs(engine.predict(noise) - expected).max() > 1e-4


def test_nothing_is_traced_after_the_first_predictions(engine, noise):
    """One graph for every size: a frozen function has one signature."""
    before = engine.graph
    for size in (1, 3, 16):
        engine.predict(noise[:size])
    assert engine.graph is before
    assert engine.graph.inputs[0].shape.as_list() == [None, 32, 32, 3]
    assert not engine.graph.variables


def test_a_large_network_keeps_its_variables_and_its_answers(
    network, tmp_path, noise, monkeypatch
):
    """Frozen, its weights would be in memory fifteen times."""
    monkeypatch.setattr(frozen_graph, "MAX_BYTES", 1000)
    network.save(tmp_path / "model.keras")
    large = open_engine(tmp_path / "model.keras", 16, silent)
    assert large.graph.variables
    expected = network.predict(noise, verbose=0)
    assert np.abs(large.predict(noise) - expected).max() <= 1e-5
    assert large.facts.activation == "softmax"


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
        layer.adapt(np.random.default_rng(0).uniform(0, 255, (4, 8, 8, 3)))
    inner = keras.Sequential([keras.Input((8, 8, 3)), layer])
    outer = keras.Sequential([keras.Input((8, 8, 3)), inner, layers.Flatten()])
    outer.save(file)
    facts = open_engine(file, 1, silent).facts
    assert facts.rescales
    assert facts.inputs[0].shape == (8, 8, 3)
    assert facts.outputs[0].shape == (192,)


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


def test_a_model_that_noise_tells_nothing_about_has_no_agreement(tmp_path):
    """NaN is no number for /models to show."""
    x = keras.Input((2,))
    keras.Model(x, keras.ops.log(x - 2.0)).save(tmp_path / "model.keras")
    assert open_engine(tmp_path / "model.keras", 2, silent).agreement is None


def test_outputs_that_are_no_numbers_are_served(tmp_path):
    x = keras.Input((2,))
    keras.Model(x, keras.ops.greater(x, 0.5)).save(tmp_path / "model.keras")
    engine = open_engine(tmp_path / "model.keras", 2, silent)
    assert engine.predict(np.array([[0, 1]], "float32")).tolist() == [[False, True]]


def test_rows_that_are_not_the_batchs_are_the_models_failure(tmp_path):
    """Cutting a padded batch must not hide that the rows are somebody else's."""
    x = keras.Input((2,))
    keras.Model(x, keras.ops.concatenate([x, x], 0)).save(tmp_path / "model.keras")
    with pytest.raises(ModelFailed, match="first axis"):
        open_engine(tmp_path / "model.keras", 2, silent)


def test_a_script_outside_the_models_own_folder_is_not_run(tmp_path, network):
    (tmp_path / "m").mkdir()
    network.save(tmp_path / "m" / "model.keras")
    network.save(tmp_path / "other.keras")
    network.save(tmp_path / "third.keras")
    (tmp_path / "custom.py").write_text("1 / 0")
    for file in ("m/model.keras", "other.keras"):
        open_engine(tmp_path / file, 1, silent)


def test_h5_is_read(tmp_path, network, noise):
    file = tmp_path / "model.h5"
    network.save(file)
    expected = network.predict(noise, verbose=0)
    assert np.abs(open_engine(file, 16, silent).predict(noise) - expected).max() <= 1e-5


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("model.keras", b"", "is not a .keras file"),
        ("model.keras", b"no model", "is not a .keras file"),
        ("model.keras", b"\x89HDF\r\n\x1a\n", "is damaged, or no model"),
        ("model.h5", b"", "is damaged, or no model"),
        ("model.h5", b"no model", "is damaged, or no model"),
        ("model.h5", b"PK\x03\x04", "is not a .keras file"),
    ],
)
def test_a_file_that_is_no_model_is_named(tmp_path, name, content, sentence):
    file = tmp_path / name
    file.write_bytes(content)
    with pytest.raises(ModelLoadFailed, match=f"{name} {sentence}"):
        open_engine(file, 1, silent)


def test_what_keras_cannot_load_is_named_without_the_hosts_paths(tmp_path):
    """Weights of another shape than the configuration says."""
    model = keras.Sequential([keras.Input((2,)), layers.Dense(3)])
    model.save(tmp_path / "right.keras")
    with (
        zipfile.ZipFile(tmp_path / "right.keras") as right,
        zipfile.ZipFile(tmp_path / "model.keras", "w") as wrong,
    ):
        for name in right.namelist():
            content = right.read(name)
            wrong.writestr(name, content.replace(b'"units": 3', b'"units": 4'))
    with pytest.raises(
        ModelLoadFailed, match="Keras cannot load model.keras"
    ) as caught:
        open_engine(tmp_path / "model.keras", 1, silent)
    assert str(tmp_path) not in str(caught.value), "no path of the host for clients"


@pytest.fixture(scope="module")
def two_by_two() -> keras.Model:
    """Two inputs, two outputs, by name."""
    a, b = keras.Input((2,), name="a"), keras.Input((3,), name="b")
    joined = layers.Concatenate()([a, b])
    outputs = {"y": layers.Dense(2)(joined), "x": layers.Dense(1)(joined)}
    return keras.Model({"b": b, "a": a}, outputs)


@pytest.mark.parametrize("form", ["keras", "saved_model"])
def test_several_inputs_and_outputs_go_by_name(tmp_path, two_by_two, form):
    file = tmp_path / f"model.{form}"
    if form == "keras":
        two_by_two.save(file)
    else:
        two_by_two.export(file, verbose=False)
    engine = open_engine(file, 4, silent)
    assert {one.name for one in engine.facts.inputs} == {"a", "b"}
    rng = np.random.default_rng(0)
    batch = {n: rng.random((3, k)).astype("float32") for n, k in (("a", 2), ("b", 3))}
    expected = two_by_two.predict(batch, verbose=0)
    got = engine.predict(batch)
    for name in ("x", "y"):
        assert np.abs(got[name] - expected[name]).max() <= 1e-5
    assert engine.agreement <= 1e-5


@pytest.fixture(scope="module")
def text_network() -> keras.Model:
    words = layers.TextVectorization(max_tokens=20, output_sequence_length=4)
    words.adapt(["good film", "bad film"])
    return keras.Sequential(
        [
            keras.Input((1,), dtype="string"),
            words,
            layers.Embedding(20, 4),
            layers.Flatten(),
            layers.Dense(2, activation="softmax"),
        ]
    )


@pytest.mark.parametrize("form", ["keras", "saved_model"])
def test_a_model_with_text_vectorization_takes_strings(tmp_path, text_network, form):
    """Its table of words cannot be frozen; the function is shared as it is."""
    import tensorflow as tf

    file = tmp_path / f"model.{form}"
    if form == "keras":
        text_network.save(file)
    else:
        text_network.export(file, verbose=False)
    engine = open_engine(file, 4, silent)
    texts = np.array([["good film"], ["bad film"], ["ü"]], object)
    expected = text_network.predict(tf.constant(texts), verbose=0)
    assert np.ptp(expected, axis=0).max() > 1e-3
    assert np.abs(engine.predict(texts) - expected).max() <= 1e-5
    assert engine.facts.inputs[0].dtype == "string"
    assert engine.agreement is None


@pytest.mark.parametrize("activation", ["softmax", "sigmoid", "linear"])
def test_a_saved_model_gives_the_same_numbers(tmp_path, activation):
    model = keras.Sequential(
        [keras.Input((4,)), layers.Dense(3, activation=activation)]
    )
    model.export(tmp_path / "saved_model", verbose=False)
    engine = open_engine(tmp_path / "saved_model", 4, silent)
    batch = np.random.default_rng(0).random((3, 4)).astype("float32")
    expected = model.predict(batch, verbose=0)
    assert np.abs(engine.predict(batch) - expected).max() <= 1e-5
    assert engine.facts.activation == activation


def doubling(folder: Path, *signatures: str) -> None:
    """A SavedModel whose signatures all double their input."""
    import tensorflow as tf

    module = tf.Module()
    module.f = tf.function(lambda x: 2 * x, input_signature=[tf.TensorSpec([None])])
    tf.saved_model.save(module, folder, signatures=dict.fromkeys(signatures, module.f))


def test_the_only_signature_is_served_whatever_its_name(tmp_path):
    doubling(tmp_path / "m", "other")
    engine = open_engine(tmp_path / "m", 1, silent)
    assert engine.predict(np.float32([3])).tolist() == [6]


def test_a_saved_model_without_its_signature_names_those_it_has(tmp_path):
    doubling(tmp_path / "m", "other", "third")
    with pytest.raises(
        ModelLoadFailed, match="no serving_default; its signatures: oth"
    ):
        open_engine(tmp_path / "m", 1, silent)


def test_a_folder_that_is_no_saved_model_is_named(tmp_path):
    with pytest.raises(ModelLoadFailed, match="has no saved_model.pb"):
        open_engine(tmp_path, 1, silent)


def test_a_saved_model_without_its_variables_is_named(tmp_path):
    model = keras.Sequential([keras.Input((2,)), layers.Dense(3)])
    model.export(tmp_path / "saved_model", verbose=False)
    for file in (tmp_path / "saved_model" / "variables").iterdir():
        file.unlink()
    with pytest.raises(ModelLoadFailed, match="TensorFlow cannot load saved_model"):
        open_engine(tmp_path / "saved_model", 1, silent)


CUSTOM = """
import keras

@keras.saving.register_keras_serializable(package="mine")
class Twice(keras.layers.Layer):
    def call(self, x):
        return FACTOR * x
"""


def test_custom_py_brings_the_models_own_layers(tmp_path):
    """Two models may give one name to different layers."""
    for factor in (2, 3):
        folder = tmp_path / str(factor)
        folder.mkdir()
        code = CUSTOM.replace("FACTOR", str(factor))
        (folder / "custom.py").write_text(code)
        scope: dict = {}
        with keras.saving.CustomObjectScope({}):
            exec(code, scope)
            keras.Sequential([keras.Input((2,)), scope["Twice"]()]).save(
                folder / "model.keras"
            )
    keras.saving.get_custom_objects().pop("mine>Twice")
    registered = dict(keras.saving.get_custom_objects())
    shutil.copytree(tmp_path / "3", tmp_path / "bare")
    (tmp_path / "bare" / "custom.py").unlink()
    for factor in (2, 3):
        engine = open_engine(tmp_path / str(factor) / "model.keras", 1, silent)
        assert engine.predict(np.ones((1, 2), "float32")).tolist() == [[factor] * 2]
    assert keras.saving.get_custom_objects() == registered, "nothing is left behind"
    with pytest.raises(ModelLoadFailed, match="Twice"):
        open_engine(tmp_path / "bare" / "model.keras", 1, silent)


def test_a_custom_py_that_raises_is_named(tmp_path, network):
    network.save(tmp_path / "model.keras")
    (tmp_path / "custom.py").write_text("1 / 0")
    with pytest.raises(ModelLoadFailed, match="custom.py raised ZeroDivisionError"):
        open_engine(tmp_path / "model.keras", 1, silent)


@pytest.mark.parametrize(
    ("most", "sizes"),
    [(1, (1,)), (2, (1, 2)), (16, (1, 2, 4, 8, 16)), (12, (1, 2, 4, 8, 12))],
)
def test_batches_are_padded_to_powers_of_two_and_the_most(most, sizes):
    assert allowed_batch_sizes(most) == sizes
