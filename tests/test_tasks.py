"""Tasks: payload -> instance, row of scores -> predictions."""

from base64 import b64encode

import numpy as np
import pytest

from facenality import tasks
from facenality.errors import ModelFailed, UnprocessableInput
from facenality.spec import ImageSpec, ModelConfig, ModelSpec, TensorSpec
from made import picture

SPEC = ImageSpec("RGB", 8, 8, "bilinear", "stretch", "unit")


def make(
    task="image-classification", labels=("a", "b", "c"), output="probability", by=None
):
    image = SPEC if task.startswith("image") else None
    shape = (8, 8, 3) if image else (None, 2)
    facts = ModelSpec(
        (TensorSpec("in", shape, "float32"),), (), "softmax", rescales=False
    )
    return tasks.make(ModelConfig(task, labels, output, image, (), by), facts)


def row(*scores: float) -> np.ndarray:
    return np.array(scores, "float32")


def test_labels_come_best_first_and_top_many():
    got = make().describe(row(0.125, 0.625, 0.25), top=2)
    assert got == [
        {"label": "b", "probability": 0.625},
        {"label": "c", "probability": 0.25},
    ]


def test_top_beyond_the_labels_gives_all():
    assert len(make().describe(row(0, 0.5, 1), top=99)) == 3


def test_of_equal_scores_the_first_label_wins():
    got = make(output="score").describe(row(1, 1, 1), top=3)
    assert [p["label"] for p in got] == ["a", "b", "c"]
    assert got[0]["score"] == 1


@pytest.mark.parametrize("kind", ["uint8", "bool"])
def test_scores_without_a_negative_are_ranked_too(kind):
    described = make(output="score").describe(np.array([0, 1, 0], kind), top=2)
    assert described == [{"label": "b", "score": 1.0}, {"label": "a", "score": 0.0}]


def test_one_sigmoid_with_two_labels_answers_both():
    got = make(labels=("cat", "dog")).describe(row(0.75), top=5)
    assert got == [
        {"label": "dog", "probability": 0.75},
        {"label": "cat", "probability": 0.25},
    ]


def test_one_score_that_is_no_probability_has_no_complement():
    with pytest.raises(ModelFailed, match="1 scores for 2 labels"):
        make(labels=("cat", "dog"), output="score").describe(row(5.0), top=5)


@pytest.mark.parametrize("task", ["image-classification", "text-classification"])
def test_logits_are_answered_as_probabilities(task):
    got = make(task, by="softmax").describe(row(1000, 1000, -1000), top=3)
    assert [p["probability"] for p in got] == [0.5, 0.5, 0]
    (one,) = make(task, ("a",), by="sigmoid").describe(row(-1e9), top=1)
    assert 0 <= one["probability"] < 1e-9
    yes, no = make(task, ("no", "yes"), by="sigmoid").describe(row(0.5), top=2)
    assert yes["label"] == "yes"
    assert yes["probability"] == pytest.approx(1 / (1 + np.exp(-0.5)))
    assert yes["probability"] + no["probability"] == pytest.approx(1)


@pytest.mark.parametrize("scores", [(0.5, 2, 0), (0, -0.5, 1)])
def test_no_number_beyond_1_is_called_a_probability(scores):
    with pytest.raises(ModelFailed, match="no probability; set output = 'score'"):
        make().describe(row(*scores), top=3)


def test_a_rounding_error_of_a_probability_is_none():
    got = make().describe(row(1.0003, 0, -0.0002), top=3)
    assert [p["probability"] for p in got] == [1, 0, 0]


def test_regression_keeps_the_models_order():
    got = make("image-regression", ("warmth", "pride")).describe(row(1, 6), top=1)
    assert got == [{"label": "warmth", "value": 1}, {"label": "pride", "value": 6}]


def test_a_tensor_model_answers_its_values():
    assert make("tensor", ()).describe(row(1, 2), top=1) == [{"values": [1, 2]}]


@pytest.mark.parametrize("task", ["image-classification", "image-regression", "tensor"])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_model_that_answers_nan_has_failed(task, bad):
    with pytest.raises(ModelFailed, match="NaN"):
        make(task).describe(row(0, bad, 1), top=3)


@pytest.mark.parametrize("prefix", ["", "data:image/png;base64,"])
def test_an_image_may_come_as_text(prefix):
    text = prefix + b64encode(picture("red")).decode()
    assert make().decode(text)[0, 0].tolist() == [1, 0, 0]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("no base64!", "not base64"),
        ("abc", "not base64"),
        ("data:image/png,abc", "must be base64"),
        ("ü", "not base64"),
    ],
)
def test_text_that_is_no_image_is_refused(text, sentence):
    with pytest.raises(UnprocessableInput, match=sentence):
        make().decode(text)


def test_numbers_go_to_an_image_model_as_they_are():
    instance = make().decode(np.full((8, 8, 3), 7.5).tolist())
    assert instance.dtype == np.float32
    assert instance.max() == 7.5


@pytest.mark.parametrize(
    ("payload", "sentence"),
    [
        ([[1, 2], [3]], "shape .any, 2."),
        ([["1", "2"]], "finite numbers"),
        ([[1, float("nan")]], "finite numbers"),
        ([[1, 1e999]], "finite numbers"),
        ([[1, None]], "finite numbers"),
        ([[1, 10**400]], "finite numbers"),
        ([[1, 1e300]], "finite numbers"),
        ([1, 2], "does not fit"),
        ([[1, 2, 3]], "does not fit"),
        ({"a": 1}, "finite numbers"),
        (None, "finite numbers"),
        ("text", "finite numbers"),
        (b"bytes", "takes numbers"),
    ],
)
def test_a_tensor_that_does_not_fit_is_refused(payload, sentence):
    with pytest.raises(UnprocessableInput, match=sentence):
        make("tensor", ()).decode(payload)


def test_a_dimension_of_any_length_takes_any_length():
    assert make("tensor", ()).decode([[1, 2]] * 5).shape == (5, 2)


def text_task(shape=(1,)):
    facts = ModelSpec(
        (TensorSpec("in", shape, "string"),), (), "softmax", rescales=False
    )
    recipe = ModelConfig("text-classification", ("no", "yes"), "probability", None, ())
    return tasks.make(recipe, facts)


@pytest.mark.parametrize("shape", [(), (1,), None])
def test_a_text_becomes_one_string_in_the_models_shape(shape):
    got = text_task(shape).decode("I love it ❤")
    assert got.shape == (shape or ())
    assert got.flat[0] == "I love it ❤"
    assert not text_task().heavy


@pytest.mark.parametrize("payload", [5, None, ["a"], {}, "\ud800"])
def test_what_is_no_text_is_refused(payload):
    with pytest.raises(UnprocessableInput) as caught:
        text_task().decode(payload)
    assert caught.value.code == "not_text"


def test_texts_are_described_as_labels():
    assert text_task().describe(row(0.25, 0.75), top=1) == [
        {"label": "yes", "probability": 0.75}
    ]


def two_inputs():
    inputs = TensorSpec("a", (2,), "float32"), TensorSpec("b", (), "int32")
    return tasks.make(
        ModelConfig("tensor", (), "value", None, ()),
        ModelSpec(inputs, (), "linear", False),
    )


def test_several_inputs_come_by_name():
    got = two_inputs().decode({"a": [1, 2], "b": 3})
    assert got["a"].tolist() == [1, 2]
    assert got["b"].dtype == np.int32


@pytest.mark.parametrize(
    ("payload", "sentence"),
    [
        ([1, 2], "an object with a, b"),
        ({"a": [1, 2]}, "an object with a, b"),
        ({"a": [1, 2], "b": 1, "c": 1}, "an object with a, b"),
        ({"a": [1], "b": 1}, "does not fit"),
        ({"a": [1, 2], "b": "x"}, "finite numbers"),
        ({"a": [1, 2], "b": 1.5}, "finite numbers"),
        ({"a": [1, 2], "b": 2**40}, "finite numbers"),
    ],
)
def test_inputs_that_do_not_fit_are_refused(payload, sentence):
    with pytest.raises(UnprocessableInput, match=sentence):
        two_inputs().decode(payload)


def test_several_outputs_are_described_by_name():
    got = two_inputs().describe({"x": row(1, 2), "y": row(3)}, top=1)
    assert got == [{"values": {"x": [1, 2], "y": [3]}}]


@pytest.mark.parametrize(
    "task",
    [make(), make("image-regression"), text_task()],
    ids=lambda one: type(one).__name__,
)
@pytest.mark.parametrize("scores", [{"a": row(1)}, row(1, 2, 3, 4), np.ones((1, 3))])
def test_scores_that_labels_cannot_be_put_to_are_the_models_failure(task, scores):
    with pytest.raises(ModelFailed):
        task.describe(scores, top=1)


@pytest.mark.parametrize(
    ("payload", "fits"),
    [(["a", "b"], True), (["a"], False), ("ab", False), ([1, 2], None)],
)
def test_a_tensor_of_strings_holds_strings(payload, fits):
    facts = ModelSpec((TensorSpec("in", (2,), "string"),), (), "linear", False)
    task = tasks.make(ModelConfig("tensor", (), "value", None, ()), facts)
    if fits:
        assert task.decode(payload).tolist() == payload
    else:
        with pytest.raises(
            UnprocessableInput, match="does not fit" if fits is False else "text"
        ):
            task.decode(payload)
