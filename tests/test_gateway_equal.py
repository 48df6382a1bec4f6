"""Row by row: what the gateway answers is what the same model answers here.

Keras file -> TensorFlow in our own process, and Keras file -> SavedModel -> TensorFlow
in the stand-in -> gRPC -> gateway.
"""

import io
import json
from base64 import b64encode

import numpy as np
import pytest
from PIL import Image

import exported
from made import picture
from serving import ROOT, Served
from standing_in import ModelServer
from wild import Wild, reply

pytestmark = pytest.mark.full

DIGITS = ROOT / "models" / "digits"
SAMPLE = (DIGITS / "sample.png").read_bytes()


def photograph():
    """Clouds in colours, as a JPEG of 640x427."""
    small = np.random.default_rng(5).integers(0, 256, (9, 12, 3), "uint8")
    stream = io.BytesIO()
    Image.fromarray(small).resize((640, 427)).save(stream, "JPEG")
    return stream.getvalue()


PHOTO = photograph()
TEAL = picture("teal", (31, 17))
ROWS = [[1.5, 2, 3, 4], [-0.25, 1e3, 7, 1e-3]]


@pytest.fixture(scope="module")
def elsewhere():
    with Wild({"/pants.jpg": reply(PHOTO), "/3.png": reply(SAMPLE)}) as server:
        yield server


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("equal")


@pytest.fixture(scope="module")
def local(place, elsewhere):
    """All models in TensorFlow, in the server itself."""
    models = exported.everything(place / "local")
    for name, file in models.items():
        exported.export(file, place / "exported" / name)
    fetch = ("--fetch-urls", elsewhere.authority)
    with Served(place / "local", "--model=colours", *fetch) as server:
        yield server.ready()


@pytest.fixture(scope="module", params=["fields", "content"])
def gateway(request, place, local, elsewhere):
    """The same in TensorFlow Serving, which answers in both forms of a tensor."""
    models = {base.name: base for base in (place / "exported").iterdir()}
    cards = place / f"cards-{request.param}"
    for name, text in exported.CARDS.items():
        exported.card(cards, name, text)
    labels = place / "local" / "traits" / "labels.txt"
    (cards / "traits" / "labels.txt").write_bytes(labels.read_bytes())
    beside = [DIGITS / n for n in ("labels.txt", "sample.png", "expected.json")]
    exported.card(cards, "digits", (DIGITS / "model.toml").read_text(), *beside)
    content = ["--content"] if request.param == "content" else []
    flags = ("--model=colours", "--fetch-urls", elsewhere.authority)
    with (
        ModelServer.of(models, *content) as server,
        exported.gateway(cards, server, flags=flags) as served,
    ):
        yield served.ready()


def form(*pictures):
    return {"files": [("image", ("a", one)) for one in pictures]}


def b64(data):
    return b64encode(data).decode()


REQUESTS = {
    "a photograph": ("/predict", form(PHOTO)),
    "several pictures": ("/predict?top=1", form(PHOTO, TEAL, b"none", PHOTO)),
    "in JSON": ("/predict", {"json": {"image": b64(TEAL)}}),
    "as a body": (
        "/predict",
        {"data": TEAL, "headers": {"Content-Type": "image/png"}},
    ),
    "a digit": ("/predict?model=digits", form(SAMPLE)),
    "a network": ("/predict?model=net", form(PHOTO)),
    "values of a picture": ("/predict?model=traits", form(PHOTO)),
    "a text": ("/predict?model=words", {"json": {"text": "good, not bad, good"}}),
    "texts": ("/predict?model=words", {"json": {"instances": ["bad", "", "é good"]}}),
    "numbers": ("/predict?model=sums", {"json": {"instances": ROWS}}),
    "a wrong shape": ("/predict?model=sums", {"json": {"instances": [[1, 2]]}}),
    "whole numbers": ("/predict?model=tenths", {"json": {"instances": [[1, 9, 0]]}}),
    "two inputs": (
        "/predict?model=two",
        {"json": {"instances": [{"a": [1, 2], "b": [0.5, 4]}]}},
    ),
    "v1 rows": ("/v1/models/sums:predict", {"json": {"instances": ROWS}}),
    "v1 columns": ("/v1/models/sums:predict", {"json": {"inputs": ROWS}}),
    "v1 two": (
        "/v1/models/two:predict",
        {"json": {"inputs": {"a": [[1, 2]], "b": [[3, 5]]}}},
    ),
    "v1 pictures": (
        "/v1/models/colours:predict",
        {"json": {"instances": [{"b64": b64(TEAL)}, {"b64": b64(PHOTO)}]}},
    ),
    "v1 texts": ("/v1/models/words:predict", {"json": {"instances": ["good", "bad"]}}),
    "v1 strings": (
        "/v1/models/shout:predict",
        {"json": {"instances": [{"words": ["a", "é"]}]}},
    ),
}


@pytest.mark.parametrize("name", REQUESTS)
def test_the_gateway_answers_what_the_model_answers_here(local, gateway, name):
    path, body = REQUESTS[name]
    here, there = local.post(path, **body), gateway.post(path, **body)
    assert there.status_code == here.status_code, there.text
    assert_close(there.json(), here.json())


@pytest.mark.parametrize(
    ("path", "model"),
    [("/pants.jpg", "net"), ("/pants.jpg", "colours"), ("/3.png", "digits")],
)
def test_an_image_by_its_url_is_answered_to_1e_5(
    local, gateway, elsewhere, path, model
):
    """Issue 8: gateway, gRPC and SavedModel against the local prediction."""
    document = {"url": elsewhere.url + path}
    here = local.post(f"/predict?model={model}", json=document)
    there = gateway.post(f"/predict?model={model}", json=document)
    assert here.status_code == there.status_code == 200, there.text
    off = assert_close(there.json(), here.json())
    best = there.json()["predictions"][0]
    print(
        f"\n{model} of {path}: {best['label']} {best['probability']:.6f}, off {off:.1g}"
    )


@pytest.mark.parametrize(
    ("model", "rows"),
    [
        ("sums", ROWS),
        ("tenths", [[1, 2, 3]]),
        ("colours", np.full((2, 24, 24, 3), 0.3)),
    ],
    ids=["sums", "tenths", "colours"],
)
def test_open_inference_answers_the_same(local, gateway, model, rows):
    answers = [infer(server, model, np.array(rows)) for server in (local, gateway)]
    assert_close(*answers)


def infer(server, model, rows):
    (one,) = server.get(f"/v2/models/{model}").json()["inputs"]
    data = {"name": one["name"], "datatype": one["datatype"], "shape": rows.shape}
    body = {"inputs": [data | {"data": rows.ravel().tolist()}]}
    answered = server.post(f"/v2/models/{model}/infer", data=json.dumps(body))
    assert answered.status_code == 200, answered.text
    (output,) = answered.json()["outputs"]
    return {key: output[key] for key in ("shape", "datatype", "data")}


def test_the_gateway_says_what_it_serves(gateway):
    shown = {one["name"]: one for one in gateway.get("/models").json()["models"]}
    assert set(shown) == {*exported.CARDS, "digits"}
    assert {one["engine"] for one in shown.values()} == {"tf-serving"}


def test_a_model_that_takes_bytes_is_sent_a_quarter(tmp_path):
    """Pixels as uint8, to be scaled by the model: what docs/scaling.md advises."""
    import keras

    side = 64
    pixels = np.random.default_rng(1).integers(0, 256, (side, side, 3), "uint8")
    layers = [keras.Input(pixels.shape, dtype="uint8"), keras.layers.Rescaling(1 / 9)]
    layers += [keras.layers.GlobalAveragePooling2D(), keras.layers.Softmax()]
    model = keras.Sequential(layers)
    model.save(tmp_path / "model.keras")
    exported.export(tmp_path / "model.keras", tmp_path / "raw")
    card = exported.CARDS["net"].replace("unit", "none")
    exported.card(tmp_path / "cards", "raw", card)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    with (
        ModelServer.of({"raw": tmp_path / "raw"}) as server,
        exported.gateway(tmp_path / "cards", server) as gateway,
    ):
        reply = gateway.ready().post("/predict", **form(stream.getvalue())).json()
        assert 0 < server.seen()["sizes"][-1] - pixels.size < 100
    by_label = {one["label"]: one["probability"] for one in reply["predictions"]}
    expected = model.predict(pixels[np.newaxis], verbose=0)[0]
    assert [by_label[str(n)] for n in range(3)] == pytest.approx(expected, abs=1e-5)


def assert_close(there, here) -> float:
    """Same in form, numbers to 1e-5; the largest difference. Ids differ anyway."""
    if isinstance(here, dict):
        assert set(there) == set(here), there
        return max(
            (assert_close(there[k], here[k]) for k in here if k != "id"), default=0
        )
    if isinstance(here, list):
        assert len(there) == len(here), there
        return max(map(assert_close, there, here), default=0)
    if isinstance(here, float):
        assert there == pytest.approx(here, abs=1e-5, rel=1e-5)
        return abs(there - here)
    assert there == here
    return 0
