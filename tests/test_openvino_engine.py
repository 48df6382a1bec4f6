"""A converted model gives Keras's own answers, whoever shares the batch."""

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

import networks
from facenality import cpu
from facenality.engines.engine import Converted, How
from facenality.engines.open import open_engine
from facenality.engines.openvino import convert
from facenality.engines.openvino.engine import OpenVINOEngine
from facenality.errors import ModelFailed, ModelLoadFailed
from facenality.spec import ModelSpec, TensorSpec

layers = keras.layers


def silent(_stage: str) -> None:
    """Nobody waits for this load."""


def converted(model: keras.Model, folder, precision="float32", most=16):
    """The engine for `model`, by way of the frozen graph."""
    model.save(folder / "model.keras")
    graph = open_engine(folder / "model.keras", most, silent)
    convert.from_graph(graph.graph, folder / convert.NAME)
    return opened(folder, graph.facts, precision, most)


def opened(folder, facts, precision="float32", most=16) -> OpenVINOEngine:
    how = How(precision, 2, Converted(folder / convert.NAME, facts, 1e-6))
    engine = open_engine(folder / "model.keras", most, silent, how)
    assert isinstance(engine, OpenVINOEngine)
    return engine


@pytest.fixture(scope="module")
def engine(network, tmp_path_factory) -> OpenVINOEngine:
    return converted(network, tmp_path_factory.mktemp("network"))


def test_it_agrees_with_keras_predict(network, engine, noise):
    expected = network.predict(noise, verbose=0)
    assert np.ptp(expected, axis=0).max() > 0.03, "the answers must differ"
    assert np.abs(engine.predict(noise) - expected).max() <= 1e-4
    assert np.abs(engine.predict(noise) - networks.moved(network, noise)).max() > 1e-4


def test_an_answer_does_not_depend_on_who_shares_the_batch(engine, noise):
    """Alone against every batch size and position."""
    alone = np.concatenate([engine.predict(one[None]) for one in noise])
    for size in range(1, 17):
        for start in range(17 - size):
            together = engine.predict(noise[start : start + size])
            assert together.shape == (size, 6)
            assert np.abs(together - alone[start : start + size]).max() <= 1e-5


def test_an_answer_stays_when_the_next_batch_is_computed(engine, noise):
    first = engine.predict(noise[:2])
    kept = first.copy()
    engine.predict(noise[2:4])
    assert np.array_equal(first, kept)


@pytest.mark.skipif(not cpu.has_bfloat16(), reason="no bfloat16 here")
def test_bfloat16_rounds_and_is_never_used_unasked(network, engine, noise, tmp_path):
    rounded = converted(network, tmp_path, "bfloat16")
    assert (rounded.precision, engine.precision) == ("bfloat16", "float32")
    expected = network.predict(noise, verbose=0)
    assert 1e-5 < np.abs(rounded.predict(noise) - expected).max() < 0.05


def two_by_two() -> keras.Model:
    """Two inputs, two outputs, by name; neither in the alphabet's order."""
    b, a = keras.Input((3,), name="b"), keras.Input((2,), name="a")
    joined = layers.Concatenate()([b, a])
    outputs = {"y": layers.Dense(2)(joined), "x": layers.Dense(1)(joined)}
    return keras.Model({"b": b, "a": a}, outputs)


def named_batch() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {n: rng.random((3, k)).astype("float32") for n, k in (("b", 3), ("a", 2))}


def test_several_inputs_and_outputs_go_by_name(tmp_path):
    model = two_by_two()
    expected = model.predict(named_batch(), verbose=0)
    got = converted(model, tmp_path, most=4).predict(named_batch())
    for name in ("x", "y"):
        assert np.abs(got[name] - expected[name]).max() <= 1e-5


def test_whole_numbers_are_taken(tmp_path):
    words = keras.Input((4,), dtype="int32")
    answer = layers.Dense(2)(layers.Flatten()(layers.Embedding(9, 3)(words)))
    model = keras.Model(words, answer)
    batch = np.arange(8, dtype="int32").reshape(2, 4)
    engine = converted(model, tmp_path, most=2)
    assert np.abs(engine.predict(batch) - model.predict(batch, verbose=0)).max() < 1e-5


def test_an_output_without_the_batch_is_the_models_fault(tmp_path):
    x = keras.Input((2,))
    engine = converted(keras.Model(x, keras.ops.sum(x, axis=0)), tmp_path, most=4)
    with pytest.raises(ModelFailed, match="first axis"):
        engine.predict(np.ones((4, 2), "float32"))


def test_texts_are_not_converted(tmp_path):
    table = layers.TextVectorization(output_mode="count", vocabulary=["good"])
    model = keras.Sequential([keras.Input((), dtype="string"), table, layers.Dense(2)])
    with pytest.raises(ModelLoadFailed, match="texts, which run on TensorFlow only"):
        converted(model, tmp_path)


def test_what_openvino_does_not_know_is_named(tmp_path):
    x = keras.Input((4, 4))
    model = keras.Model(x, keras.ops.slogdet(x)[1])
    with pytest.raises(ModelLoadFailed, match="OpenVINO cannot convert it: ."):
        converted(model, tmp_path)


class Odd:
    """A model of Keras that its OpenVINO backend cannot compute."""

    facts = ModelSpec((TensorSpec("x", (2, None), "float32"),), (), "linear", False)

    def call(self, inputs):
        assert str(inputs[0].shape) == "(None, 2, None)"
        raise NotImplementedError("Exception encountered:\n\n\x1b[1mno such op\x1b[0m")


@pytest.mark.parametrize(
    ("dtype", "sentence"), [("float32", "TensorFlow: no such op"), ("string", "texts")]
)
def test_what_keras_cannot_hand_over_is_named(tmp_path, dtype, sentence):
    odd = Odd()
    odd.facts = replace(Odd.facts, inputs=(replace(Odd.facts.inputs[0], dtype=dtype),))
    with pytest.raises(ModelLoadFailed, match=sentence):
        convert.from_keras(odd, tmp_path / convert.NAME)


def test_an_output_that_is_gone_is_named():
    with pytest.raises(ModelLoadFailed, match="OpenVINO lost Identity:0 on the way"):
        convert._named([], "Identity:0")


def test_a_file_that_is_no_model_is_said(engine, tmp_path):
    (tmp_path / convert.NAME).write_text("<net>")
    with pytest.raises(ModelLoadFailed, match="OpenVINO cannot compile"):
        opened(tmp_path, engine.facts)


def test_importing_openvino_tells_nobody():
    """Its telemetry would report the import to its makers."""
    code = (
        "import sys\n"
        "from facenality.engines import openvino\n"
        "assert openvino.openvino.Core\n"
        "print(sorted(n for n, m in sys.modules.items() if 'telemetry' in n and m))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "openvino_telemetry" not in done.stdout, done.stdout
    assert done.returncode == 0, done.stderr


def _megabytes() -> float:
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) / 1024


@pytest.mark.full
def test_pictures_of_ever_new_sizes_do_not_fill_the_memory(tmp_path):
    """What is compiled for a shape is kept for the last few shapes only."""
    network = keras.applications.MobileNetV2(
        weights=None,
        include_top=False,
        input_shape=(None, None, 3),
        alpha=0.35,
        pooling="avg",
    )
    any_size = converted(network, tmp_path, most=1)
    rng = np.random.default_rng(0)

    def see(count: int) -> float:
        for height, width in rng.integers(64, 400, (count, 2)):
            any_size.predict(np.zeros((1, height, width, 3), "float32"))
        return _megabytes()

    first = see(60)
    assert see(140) - first < 100, "without a limit they took 300 MB"
