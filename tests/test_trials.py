"""Engines are compared on inputs that tell them apart, and the wrong one is refused."""

import json
from dataclasses import replace
from math import inf

import keras
import numpy as np
import pytest

from facenality import cpu
from facenality.arrays import first
from facenality.engines.openvino import engine
from facenality.registry import repository
from facenality.registry.selection import compare, measure
from facenality.registry.selection.child_process import Question
from facenality.registry.selection.compare import judge
from facenality.registry.selection.report import Measured, Verdict, dumped, read
from facenality.spec import ModelSpec, TensorSpec
from made import picture

layers = keras.layers
CARD = 'task = "image-classification"\nlabels = ["a", "b", "c", "d", "e", "f"]\n'


def saved(model: keras.Model, place, card: str = CARD) -> None:
    place.mkdir(parents=True)
    model.save(place / "model.keras")
    (place / "model.toml").write_text(card)


def asked(place, most: int = 4) -> Question:
    """The question that the server would ask about the one model in `place`."""
    (found,) = repository.scan(place)
    made = place.parent / "made"
    made.mkdir(exist_ok=True)
    return Question(found.name, found.version, found.file, found.folders, most, 2, made)


def of(verdict: Verdict, engine: str, precision: str = "float32") -> Measured:
    measured = verdict.of(engine, precision)
    assert measured is not None
    return measured


def test_every_engine_is_measured_against_keras(network, tmp_path):
    saved(network, tmp_path / "models" / "net")
    verdict = judge(asked(tmp_path / "models"))
    for name, bound in (("tensorflow", 1e-5), ("openvino", 1e-4)):
        one = of(verdict, name)
        assert one.refused is None
        assert 0 <= one.difference <= bound
        assert min(one.ms_alone, one.ms_batch) > 0
    assert bool(verdict.of("openvino", "bfloat16")) == cpu.has_bfloat16()
    assert verdict.facts.inputs[0].shape == (32, 32, 3)
    assert verdict.notes == ("compared with Keras on TensorFlow, on 8 samples",)
    assert [name for name, _ in verdict.files] == ["model.xml", "model.bin"]
    assert read(dumped(verdict)) == verdict


def test_a_conversion_that_is_a_little_wrong_is_refused(network, tmp_path, monkeypatch):
    """One weight of the converted model is 1 % off."""
    saved(network, tmp_path / "models" / "net")
    weights = [w.copy() for w in network.get_weights()]
    network.set_weights([weights[0] * 1.01, *weights[1:]])
    saved(network, tmp_path / "wrong" / "net")
    network.set_weights(weights)
    wrong = compare.subject(asked(tmp_path / "wrong"))
    right = compare.subject
    monkeypatch.setattr(
        compare, "subject", lambda q: replace(right(q), convert=wrong.convert)
    )
    refused = of(judge(asked(tmp_path / "models")), "openvino")
    assert "its answers are off by" in refused.refused
    assert "0.0001 is allowed" in refused.refused


def test_a_network_that_answers_all_alike_is_said_to_prove_little(tmp_path):
    model = keras.Sequential(
        [keras.Input((8, 8, 3)), layers.Flatten(), layers.Dense(6)]
    )
    model.set_weights([np.zeros((192, 6)), np.arange(6)])
    saved(model, tmp_path / "models" / "net")
    verdict = judge(asked(tmp_path / "models"))
    assert "that the engines agree proves little" in verdict.notes[1]
    assert of(verdict, "openvino").refused is None


def test_an_engine_that_misses_the_golden_sample_is_refused(network, tmp_path):
    place = tmp_path / "models" / "net"
    saved(network, place)
    (place / "sample.png").write_bytes(picture("red"))
    expected = [{"label": "a", "probability": 0.987}]
    (place / "expected.json").write_text(json.dumps(expected))
    verdict = judge(asked(tmp_path / "models"))
    assert "golden sample's answer is off" in of(verdict, "openvino").refused
    assert "on 9 samples" in verdict.notes[0]


def test_an_engine_that_fails_is_refused_and_not_timed(network, tmp_path, monkeypatch):
    saved(network, tmp_path / "models" / "net")

    def fails(self, batch):
        raise RuntimeError(
            "Exception from src/node.cpp:1:\n\x1b[1mthe shape is odd\x1b[0m"
        )

    monkeypatch.setattr(engine.OpenVINOEngine, "predict", fails)
    verdict = judge(asked(tmp_path / "models"))
    one = of(verdict, "openvino")
    assert (one.refused, one.ms_alone) == ("it fails: the shape is odd", None)
    assert of(verdict, "tensorflow").ms_alone
    assert verdict.best("auto", "float32").engine == "tensorflow"
    assert measure.race([], np.zeros(2)) == []


def test_the_golden_samples_length_is_everyones(tmp_path):
    any_length = keras.Sequential(
        [keras.Input((None, 2)), layers.GlobalAveragePooling1D(), layers.Dense(2)]
    )
    place = tmp_path / "models" / "m"
    saved(any_length, place, "")
    (place / "sample.json").write_text(json.dumps([[1.0, 2.0]] * 5))
    verdict = judge(asked(tmp_path / "models"))
    assert of(verdict, "openvino").refused is None
    assert "on 8 samples" in verdict.notes[0]


def test_models_of_numbers_are_compared_too(tmp_path):
    a, b = keras.Input((3,), name="a"), keras.Input((2,), name="b", dtype="int32")
    words = layers.Flatten()(layers.Embedding(2, 3)(b))
    outputs = {
        "sum": layers.Dense(2)(layers.Concatenate()([a, words])),
        "above": keras.ops.greater(a, 0.0),
    }
    place = tmp_path / "models" / "m"
    saved(keras.Model({"a": a, "b": b}, outputs), place, "")
    (place / "sample.json").write_text('{"a": [1, 2, 3], "b": [0, 1]}')
    verdict = judge(asked(tmp_path / "models", most=1))
    assert of(verdict, "openvino").refused is None
    assert "on 8 samples" in verdict.notes[0]


def test_pictures_of_other_forms_are_compared_too(tmp_path):
    """Grey, and channels first."""
    grey = keras.Sequential([keras.Input((9, 8, 1)), layers.Flatten()])
    first_axis = keras.Sequential([keras.Input((3, 9, 8)), layers.Flatten()])
    for name, model in (("grey", grey), ("first", first_axis)):
        saved(model, tmp_path / name / "m", 'task = "image-classification"')
        verdict = judge(asked(tmp_path / name, most=2))
        assert of(verdict, "openvino").refused is None


@pytest.mark.parametrize("text", [True, False])
def test_what_cannot_be_converted_or_asked_says_why(tmp_path, text, monkeypatch):
    if text:
        table = layers.TextVectorization(output_mode="count", vocabulary=["good"])
        model = keras.Sequential([keras.Input((), dtype="string"), table])
        sentence = "it takes texts"
    else:  # the reference takes no sample
        model = keras.Sequential([keras.Input((2,)), layers.Dense(1)])
        monkeypatch.setattr(compare, "answer", lambda *_: None)
        sentence = "there is nothing to compare"
    saved(model, tmp_path / "models" / "m", 'task = "tensor"')
    verdict = judge(asked(tmp_path / "models"))
    assert sentence in of(verdict, "openvino").refused
    assert verdict.files == ()


def test_a_sample_that_the_reference_refuses_is_left_out(network, tmp_path):
    saved(network, tmp_path / "models" / "net")
    one = compare.subject(asked(tmp_path / "models"))
    assert compare.answer(one, np.zeros((1, 2), "float32")) is None


class Forgetful:
    """Answers the sum of each instance, and a little of its batch's size."""

    name, precision, agreement = "forgetful", "float32", None
    batch_sizes = (1, 2, 4)
    facts = ModelSpec((TensorSpec("x", (2,), "float32"),), (), "linear", rescales=False)

    def __init__(self, leak: float):
        self.leak = leak

    def predict(self, batch):
        return first(batch.sum(1, keepdims=True) + self.leak * len(batch), len(batch))


@pytest.mark.parametrize(("leak", "moved"), [(0.0, 0.0), (1e-3, 3e-3)])
def test_an_answer_that_moves_with_its_company_is_seen(leak, moved):
    instances = list(np.eye(2, dtype="float32"))
    engine = Forgetful(leak)
    alone = measure.answers(engine, instances)
    seen = measure.company(engine, instances, alone)
    assert seen == pytest.approx(moved, rel=0.01)
    case = compare.Case(None, None, None, instances, alone)
    if leak:
        refused = compare._refused(engine, case, 0.0, seen)
        assert "who shares the batch" in refused


NAN = float("nan")


@pytest.mark.parametrize(
    ("answered", "expected", "difference"),
    [
        ([1.0], [1.0], 0),
        ([0.5], [0.25], 0.25),
        ([100.0, 1.0], [100.0, 2.0], 0.01),  # a part of the largest
        ([NAN, 1.0], [NAN, 1.0], 0),
        ([NAN], [1.0], inf),
        ([inf], [inf], 0),
        ([inf], [1.0], inf),
        ([1.0, 2.0], [1.0], inf),
        ([True], [True], 0),
        ([True], [False], inf),
    ],
)
def test_differences(answered, expected, difference):
    pair = [np.array(answered)], [np.array(expected)]
    assert measure.difference(*pair) == pytest.approx(difference)


FACTS = ModelSpec((), (), "linear", rescales=False)
TENSORFLOW = Measured("tensorflow", "float32", 10.0, 60.0, 0.0)
OPENVINO = Measured("openvino", "float32", 4.0, 30.0, 1e-6)
ROUNDED = Measured("openvino", "bfloat16", 2.0, 10.0, 7e-4)


@pytest.mark.parametrize(
    ("measured", "engine", "precision", "best"),
    [
        ((TENSORFLOW, OPENVINO, ROUNDED), "auto", "float32", OPENVINO),
        ((TENSORFLOW, OPENVINO, ROUNDED), "auto", "bfloat16", ROUNDED),
        ((TENSORFLOW, OPENVINO, ROUNDED), "openvino", "float32", OPENVINO),
        ((TENSORFLOW, OPENVINO), "openvino", "bfloat16", None),
        ((TENSORFLOW, OPENVINO), "auto", "bfloat16", OPENVINO),
        ((TENSORFLOW, replace(OPENVINO, refused="x")), "auto", "float32", TENSORFLOW),
        (
            (TENSORFLOW, replace(OPENVINO, ms_batch=900.0)),
            "auto",
            "float32",
            TENSORFLOW,
        ),
        ((replace(OPENVINO, refused="x"),), "auto", "float32", None),
    ],
)
def test_the_fastest_that_may_serve_is_best(measured, engine, precision, best):
    assert Verdict(FACTS, measured).best(engine, precision) == best


def test_what_bfloat16_would_bring_is_told_to_those_in_float32():
    verdict = Verdict(FACTS, (TENSORFLOW, OPENVINO, ROUNDED))
    (line,) = verdict.advice(OPENVINO)
    assert line == (
        "precision=bfloat16 would answer 3.0x as fast; answers move by at most 0.0007"
    )
    assert verdict.advice(ROUNDED) == ()
    slow = replace(ROUNDED, ms_batch=29.0)
    assert Verdict(FACTS, (OPENVINO, slow)).advice(OPENVINO) == ()
    wrong = replace(ROUNDED, refused="x")
    assert Verdict(FACTS, (OPENVINO, wrong)).advice(OPENVINO) == ()


@pytest.mark.parametrize(
    ("one", "line"),
    [
        (OPENVINO, "openvino float32 4.0 ms alone, 30.0 ms for a batch, off by 1e-06"),
        (
            replace(OPENVINO, difference=None, refused="no"),
            "openvino float32 4.0 ms alone, 30.0 ms for a batch, refused: no",
        ),
        (Measured("openvino", "float32", refused="no"), "openvino float32 refused: no"),
    ],
)
def test_each_engine_is_one_line(one, line):
    assert str(one) == line
