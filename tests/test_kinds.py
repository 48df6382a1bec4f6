"""One server, models of many kinds from one folder, each served without a word."""

import pytest

import made
from made import picture
from serving import Served


@pytest.fixture(scope="module")
def kinds(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kinds")
    made.colours(folder / "colours")
    made.traits(folder / "traits")
    made.multi_label(folder / "labels")
    made.levels(folder / "levels")
    made.words(folder / "words.keras")
    made.sums(folder / "sums.keras")
    made.two_by_two(folder / "two")
    made.channels_first(folder / "first" / "1")
    (folder / "code").mkdir()
    (folder / "code" / "model.py").write_text(
        "def load(folder): return 2\ndef predict(model, x): return model * x\n"
    )
    (folder / "code" / "model.toml").write_text('task = "tensor"\n')
    with Served(folder) as server:
        yield server.ready()


def predictions(server, model, **request):
    reply = server.post(f"/predict?model={model}", **request)
    assert reply.status_code == 200, reply.text
    body = reply.json()
    return body.get("predictions") or body["results"][0]["predictions"]


def image(colour):
    return {"files": {"image": picture(colour)}}


def test_image_classification(kinds):
    assert predictions(kinds, "colours", **image("blue"))[0]["label"] == "blue"


def test_image_regression_gives_values_in_the_models_order(kinds):
    assert predictions(kinds, "traits", **image((50, 50, 50))) == [
        {"label": "brightness", "value": 50},
        {"label": "half", "value": 25},
    ]


def test_multi_label_gives_a_probability_to_each(kinds):
    got = predictions(kinds, "labels", **image("yellow"))
    assert {p["label"] for p in got if p["probability"] > 0.9} == {"red", "green"}
    assert got[2]["label"] == "blue"
    assert got[2]["probability"] < 0.1


def test_a_model_of_whole_numbers_gets_the_levels_of_a_picture(kinds):
    assert predictions(kinds, "levels", **image((50, 100, 200))) == [
        {"label": "red", "value": 50},
        {"label": "green", "value": 100},
        {"label": "blue", "value": 200},
    ]


@pytest.mark.parametrize(
    ("text", "label"), [("good good bad", "1"), ("Bad, bad!", "0"), ("GOOD", "1")]
)
def test_a_keras_model_of_text_takes_strings(kinds, text, label):
    assert predictions(kinds, "words", json={"text": text})[0]["label"] == label


def test_plain_tensors(kinds):
    got = predictions(kinds, "sums", json={"instances": [[1, 2, 3, 4]]})
    assert got == [{"values": [10, -10]}]


def test_several_inputs_and_outputs_by_name(kinds):
    got = predictions(kinds, "two", json={"instances": [{"a": [1, 2], "b": [3, 5]}]})
    assert got == [{"values": {"sum": [4, 7], "less": [-2, -3]}}]


def test_channels_first_in_a_saved_model(kinds):
    assert predictions(kinds, "first", **image("lime"))[0]["label"] == "green"


def test_any_library_by_a_model_py(kinds):
    got = predictions(kinds, "code", json={"instances": [[[1, 2]]]})
    assert got == [{"values": [[2, 4]]}]


def test_which_model_is_meant_must_be_said_where_several_could_be(kinds):
    reply = kinds.post("/predict", **image("red"))
    assert reply.status_code == 400
    for name in (
        "colours",
        "traits",
        "labels",
        "levels",
        "words",
        "sums",
        "two",
        "first",
        "code",
    ):
        assert name in reply.json()["error"]


def test_models_tells_each_ones_task_and_engine(kinds):
    by_name = {m["name"]: m for m in kinds.get("/models").json()["models"]}
    tasks = {name: model["task"] for name, model in by_name.items()}
    assert tasks == {
        "colours": "image-classification",
        "traits": "image-regression",
        "labels": "image-classification",
        "levels": "image-regression",
        "words": "text-classification",
        "sums": "tensor",
        "two": "tensor",
        "first": "image-classification",
        "code": "tensor",
    }
    assert by_name["code"]["engine"] == "python"
    assert by_name["two"]["input"] is None
    assert [one["name"] for one in by_name["two"]["inputs"]] == ["a", "b"]
