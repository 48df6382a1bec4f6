"""Requests that cost far more than they weigh: each is refused, or costs little."""

import json
from base64 import b64encode

import numpy as np
import pytest

import made
from facenality import tasks
from facenality.errors import TooLarge
from facenality.features.explain import explainer
from facenality.protocols import signature, v1
from facenality.spec import ModelConfig, ModelSpec, TensorSpec
from facenality.tasks import describe
from facenality.tasks.tensor import MAX_TEXT_BYTES
from facenality.tasks.text import MAX_CHARACTERS
from serving import Served

LONG = [0] * 40_000  # in JSON of so many values it is an array

WIDE = """
import numpy as np

def load(folder):
    return None

def predict(model, instances):
    return np.full((len(instances), 20_000), 0.5, "float32")
"""
LABELLED = """
task = "image-classification"
labels = [{labels}]
output = "score"
preprocess = "unit"
[image]
size = [4, 4]
"""


@pytest.fixture(scope="module")
def wide(tmp_path_factory):
    """A model of plain numbers and one of labels, both with 20,000 of them."""
    root = tmp_path_factory.mktemp("wide")
    labels = ", ".join(f'"l{n}"' for n in range(20_000))
    cards = {"numbers": 'task = "tensor"\n', "labels": LABELLED.format(labels=labels)}
    for name, card in cards.items():
        (root / name).mkdir()
        (root / name / "model.py").write_text(WIDE)
        (root / name / "model.toml").write_text(card)
    with Served(root, "--model", "numbers") as server:
        yield server.ready()


def text_task():
    facts = ModelSpec((TensorSpec("x", (1,), "string"),), (), "softmax", rescales=False)
    text = ModelConfig("text-classification", ("no", "yes"), "probability", None, ())
    return tasks.make(text, facts)


def test_a_text_has_a_longest_length(kinds_server):
    assert text_task().decode("a" * MAX_CHARACTERS).shape == (1,)
    with pytest.raises(TooLarge, match="100001 characters"):
        text_task().decode("a" * (MAX_CHARACTERS + 1))
    sent = {"instances": ["good", "good " * MAX_CHARACTERS]}
    reply = kinds_server.post("/predict?model=words", json=sent)
    codes = [one.get("code") for one in reply.json()["results"]]
    assert codes == [None, "too_large"]
    explained = kinds_server.post(
        "/explain?model=words", json={"text": "good " * MAX_CHARACTERS}
    )
    assert explained.status_code == 413


def test_the_strings_of_an_instance_have_a_length_in_all():
    facts = ModelSpec((TensorSpec("x", (2,), "string"),), (), "softmax", rescales=False)
    task = tasks.make(ModelConfig("tensor", (), "value", None, ()), facts)
    half = "a" * (MAX_TEXT_BYTES // 2)
    assert task.decode([half, half]).tolist() == [half, half]
    with pytest.raises(TooLarge, match="bytes of UTF-8"):
        task.decode([half, half + "é"])


def test_texts_are_looked_through_by_the_thread_that_decodes_them():
    facts = TensorSpec("x", (None,), "string")
    plain = signature.Signature((facts,), (), (), images=False, texts=False)
    rows = [[1] * 10_000] * 249
    payloads, _ = v1.read({"instances": rows}, plain)
    assert {type(one) for one in payloads} == {v1.Texts}
    encoded = [["a", {"b64": b64encode(b"b").decode()}]]
    (payload,), _ = v1.read({"instances": encoded}, plain)
    assert np.asarray(payload, object).tolist() == ["a", "b"]


@pytest.mark.parametrize("model", ["words", "shout"])
@pytest.mark.parametrize("row", [[1] * 10_000, [""] * 10_000])
def test_long_rows_that_are_no_text_are_400(kinds_server, model, row):
    sent = {"instances": [row] * 20}
    reply = kinds_server.post(f"/v1/models/{model}:predict", json=sent)
    assert reply.status_code == 400, reply.text[:200]


def test_replies_to_several_have_a_size(wide):
    fits, beyond = 25, 26
    for count, codes in ((fits, {None}), (beyond, {"reply_too_large"}), (1, {None})):
        sent = {"instances": [[0]] * count}
        results = wide.post("/predict", json=sent).json()["results"]
        assert {one.get("code") for one in results} == codes, count


def test_classes_of_several_have_a_size(wide):
    dots = {"b64": b64encode(made.picture("red", (4, 4))).decode()}
    path = "/v1/models/labels:classify"
    assert wide.post(path, json={"examples": [dots] * 25}).status_code == 200
    reply = wide.post(path, json={"examples": [dots] * 26})
    assert reply.status_code == 413
    assert reply.json()["code"] == "reply_too_large"
    top = wide.post("/predict?model=labels&top=5", files=[("image", b"")] * 26)
    assert top.json()["results"][0]["code"] != "reply_too_large"


@pytest.mark.parametrize(("classes", "status"), [(100, 200), (20_000, 413)])
def test_classes_of_v2_have_a_size(wide, classes, status):
    (told,) = wide.get("/v2/models/labels").json()["outputs"]
    (given,) = wide.get("/v2/models/labels").json()["inputs"]
    picture = b64encode(made.picture("red", (4, 4))).decode()
    document = {
        "inputs": [
            {"name": given["name"], "datatype": "BYTES", "shape": [3]}
            | {"data": [picture] * 3}
        ],
        "outputs": [
            {"name": told["name"]}
            | {"parameters": {"classification": classes, "binary_data": True}}
        ],
    }
    reply = wide.post("/v2/models/labels/infer", json=document)
    assert reply.status_code == status, reply.text[:200]


def test_one_alone_is_always_answered():
    describe.check_numbers(1, 10 * describe.MAX_NUMBERS)
    describe.check_classes([np.zeros(10 * describe.MAX_CLASSES)], 10**9)


@pytest.mark.parametrize(
    ("path", "document"),
    [
        ("/v1/models/colours:predict", {"signature_name": LONG, "instances": [1]}),
        ("/v1/models/colours:classify", {"signature_name": LONG, "examples": [{}]}),
        ("/v1/models/colours:predict", {"instances": {"a": LONG}}),
        ("/v1/models/colours:predict", {"inputs": {"x": {"b64": LONG}}}),
        ("/v1/models/colours:classify", {"examples": LONG}),
        ("/v1/models/colours:classify", {"examples": [{}], "context": LONG}),
        *(
            ("/v2/models/colours/infer", document)
            for document in (
                {"inputs": LONG},
                {"id": LONG, "inputs": []},
                {"inputs": [{"name": LONG}]},
                {"inputs": [{"name": "x", "datatype": LONG, "shape": [1]}]},
                {"inputs": [{"name": "x", "datatype": "FP32", "shape": LONG}]},
                {"inputs": [{"name": "x"}], "outputs": [{"name": LONG}]},
                {"inputs": [{"name": "x"}], "outputs": LONG},
                {"inputs": [{"name": "x"}], "parameters": LONG},
            )
        ),
        ("/predict", {"image": LONG}),
        ("/predict?model=colours", {"instances": {"a": LONG}}),
        ("/explain?model=colours", {"instances": [LONG], "label": LONG}),
        ("/explain?model=words", {"text": LONG}),
    ],
    ids=str,
)
def test_a_long_list_where_none_belongs_is_the_clients_mistake(
    kinds_server, path, document
):
    text = json.dumps(document).encode()
    typed = {"Content-Type": "application/json"}
    reply = kinds_server.post(path, data=text, headers=typed)
    assert 400 <= reply.status_code < 500, reply.text[:300]
    assert "Traceback" not in kinds_server.log()


def test_texts_that_a_model_answers_are_texts(kinds_server):
    reply = kinds_server.post("/predict?model=shout", json={"instances": [["a", "b"]]})
    (one,) = reply.json()["results"]
    assert one["predictions"] == [
        {"values": {"loud": ["A", "B"], "raw_bytes": ["a", "b"]}}
    ]


def test_a_name_comes_back_shortened(kinds_server):
    reply = kinds_server.get(f"/v1/models/{'a' * 5000}")
    assert reply.status_code == 404
    assert len(reply.text) < 1000


@pytest.mark.parametrize(
    ("alone", "each"), [(0.0001, 0.0005), (0.001, 0.0005), (0.2, 0.1)]
)
def test_an_explanation_of_a_long_text_has_smaller_chunks(alone, each):
    """They were sized by what short texts take; a chunk cannot be stopped."""

    class Model:
        batch_seconds = {1: 0.001, 16: 0.008}  # noqa: RUF012

    class Served:
        model = Model()

    assert explainer.seconds_each(Served(), alone) == pytest.approx(each)


def test_a_long_text_is_explained_in_time(kinds_server):
    text = "good bad " * 11_000
    reply = kinds_server.post("/explain?model=words", json={"text": text})
    assert reply.status_code == 200, reply.text[:200]
    assert 1 < len(reply.json()["words"]) <= 200
