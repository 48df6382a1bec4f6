"""The whole way: `app.py export`, TensorFlow Serving, the card, the gateway."""

import shutil
import subprocess
import sys

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis.predict_pb2 import PredictRequest
from tensorflow_serving.apis.prediction_service_pb2_grpc import PredictionServiceStub

import exported
import made
import networks
from serving import ROOT, Served
from standing_in import ModelServer
from test_gateway_equal import PHOTO, SAMPLE, assert_close

pytestmark = pytest.mark.full

PICTURES = {"digits": SAMPLE, "net": PHOTO, "traits": PHOTO}
FLAGS = {"digits": ("--with-decoding",), "net": (), "traits": ("--with-decoding",)}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("whole")


@pytest.fixture(scope="module")
def local(place):
    models = place / "local"
    shutil.copytree(ROOT / "models" / "digits", models / "digits")
    made.traits(models / "traits")
    networks.network().save(models / "net.keras")
    with Served(models, "--model=digits") as server:
        yield server.ready()


@pytest.fixture(scope="module")
def server(place, local):
    """TensorFlow Serving, of what `app.py export` wrote."""
    bases = {name: place / "exported" / name for name in PICTURES}
    for name, base in bases.items():
        card = place / "cards" / name / "model.toml"
        card.parent.mkdir(parents=True)
        where = [f"--card={card}", f"--model={name}", f"--models-dir={place / 'local'}"]
        subprocess.run(
            [sys.executable, "app.py", "export", base, *where, *FLAGS[name]],
            cwd=ROOT,
            check=True,
            capture_output=True,
        )
    with ModelServer.of(bases) as server:
        yield server


@pytest.fixture(scope="module")
def gateway(place, server):
    """With the cards that it wrote, and nothing else."""
    flags = ("--model=digits",)
    with exported.gateway(place / "cards", server, flags=flags) as served:
        yield served.ready()


@pytest.mark.parametrize("name", PICTURES)
def test_the_gateway_answers_what_was_exported(local, gateway, name):
    form = {"files": {"image": PICTURES[name]}}
    answers = [
        server.post(f"/predict?model={name}&top=10", **form)
        for server in (gateway, local)
    ]
    assert [one.status_code for one in answers] == [200, 200], answers[0].text
    off = assert_close(*(one.json() for one in answers))
    print(f"\n{name}: off by {off:.1g}")


def test_encoded_pictures_go_to_tensorflow_serving_itself(local, server):
    """With decoding, whoever speaks gRPC needs no gateway: bytes in, labels out."""
    asked = PredictRequest()
    asked.model_spec.name = "digits"
    asked.inputs["image_bytes"].CopyFrom(tf.make_tensor_proto([SAMPLE, SAMPLE]))
    with grpc.insecure_channel(server.host) as channel:
        outputs = PredictionServiceStub(channel).Predict(asked, timeout=20).outputs
    answered = {name: tf.make_ndarray(one) for name, one in outputs.items()}
    scores = next(one for one in answered.values() if one.dtype == np.float32)
    reply = local.post("/predict?model=digits&top=1", files={"image": SAMPLE}).json()
    (best,) = reply["predictions"]
    assert scores.shape[0] == 2
    assert np.abs(scores.max(axis=1) - best["probability"]).max() < 1e-3
    words = [one for one in answered.values() if one.dtype == object]
    assert any(best["label"].encode() in one.ravel().tolist() for one in words)
