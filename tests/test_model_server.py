"""The stand-in answers TensorFlow Serving's own stubs as TensorFlow Serving does."""

import asyncio
import time

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis.get_model_metadata_pb2 import (
    GetModelMetadataRequest,
    SignatureDefMap,
)
from tensorflow_serving.apis.get_model_status_pb2 import GetModelStatusRequest
from tensorflow_serving.apis.model_service_pb2_grpc import ModelServiceStub
from tensorflow_serving.apis.predict_pb2 import PredictRequest
from tensorflow_serving.apis.prediction_service_pb2_grpc import PredictionServiceStub

import exported
import made
from model_server.saved_model import SavedModel
from standing_in import ModelServer

ROWS = np.array([[1, 2, 3, 4], [5, 6, 7, 8]], "float32")
SUMS = np.array([[10, -10], [26, -26]], "float32")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    place = tmp_path_factory.mktemp("standin")
    made.sums(place / "sums.keras")
    exported.export(place / "sums.keras", place / "sums", 1)
    exported.export(place / "sums.keras", place / "sums", 2)
    made.two_by_two(place / "keras")
    exported.export(place / "keras" / "model.keras", place / "two")
    made.shout(place / "strings")
    exported.export(place / "strings" / "saved_model", place / "shout")
    return place


@pytest.fixture(scope="module")
def server(place):
    models = {name: place / name for name in ("sums", "two", "shout")}
    labels = ("--label=old=1", "--label=new=2", "--label=none=3")
    with ModelServer.of(models, "--policy=all", *labels) as one:
        yield one


@pytest.fixture(scope="module")
def channel(server):
    with grpc.insecure_channel(server.host) as channel:
        yield channel


@pytest.fixture
def stub(channel):
    return PredictionServiceStub(channel)


def request(model="sums", inputs=None, filtered=(), **spec):
    asked = PredictRequest()
    asked.model_spec.name = model
    for key, value in spec.items():
        if key == "version":
            asked.model_spec.version.value = value
        else:
            setattr(asked.model_spec, key, value)
    for name, array in (inputs or {}).items():
        asked.inputs[name].CopyFrom(tf.make_tensor_proto(array))
    asked.output_filter.extend(filtered)
    return asked


def sums_input(stub):
    asked = GetModelMetadataRequest(metadata_field=["signature_def"])
    asked.model_spec.name = "sums"
    answered = stub.GetModelMetadata(asked, timeout=10)
    signatures = SignatureDefMap()
    assert answered.metadata["signature_def"].Unpack(signatures)
    (name,) = signatures.signature_def["serving_default"].inputs
    return name, answered, signatures.signature_def["serving_default"]


def test_metadata_is_the_signature_in_an_any(stub):
    name, answered, signature = sums_input(stub)
    assert answered.model_spec.name == "sums"
    assert answered.model_spec.version.value == 2
    assert signature.method_name == "tensorflow/serving/predict"
    assert signature.inputs[name].dtype == tf.float32.as_datatype_enum
    assert [d.size for d in signature.inputs[name].tensor_shape.dim] == [-1, 4]


@pytest.mark.parametrize(
    ("spec", "version"),
    [({}, 2), ({"version": 1}, 1), ({"version_label": "old"}, 1)],
    ids=str,
)
def test_predictions_are_the_models_and_say_which_version(stub, spec, version):
    name, *_ = sums_input(stub)
    answered = stub.Predict(request(inputs={name: ROWS}, **spec), timeout=10)
    (output,) = answered.outputs.values()
    assert np.array_equal(tf.make_ndarray(output), SUMS)
    assert len(output.float_val) == 4, "typed fields are its default"
    assert answered.model_spec.version.value == version
    assert answered.model_spec.signature_name == "serving_default"


def test_outputs_come_as_content_where_it_is_told_so(place):
    with (
        ModelServer.of({"sums": place / "sums"}, "--content") as server,
        grpc.insecure_channel(server.host) as channel,
    ):
        stub = PredictionServiceStub(channel)
        name, *_ = sums_input(stub)
        answered = stub.Predict(request(inputs={name: ROWS}), timeout=10)
        (output,) = answered.outputs.values()
        assert np.frombuffer(output.tensor_content, "float32").tolist() == [
            *(10, -10, 26, -26)
        ]
        assert server.seen()["forms"] == {"content": 1}


def test_only_the_outputs_of_the_filter_are_answered(stub):
    inputs = {"a": ROWS[:, :2], "b": ROWS[:, 2:]}
    both = stub.Predict(request("two", inputs), timeout=10)
    one = stub.Predict(request("two", inputs, ["less"]), timeout=10)
    assert sorted(both.outputs) == ["less", "sum"]
    assert list(one.outputs) == ["less"]
    assert tf.make_ndarray(one.outputs["less"]).tolist() == [[-2, -2], [-2, -2]]


def test_strings_are_bytes(stub):
    answered = stub.Predict(
        request("shout", {"words": [["a", "b"], ["c", "é"]]}), timeout=10
    )
    assert answered.outputs["loud"].string_val[:3] == [b"A", b"B", b"C"]


GOOD = {"words": [["a", "b"]]}
REFUSED = [
    (request("cats"), "NOT_FOUND", "Servable not found for request: Latest(cats)"),
    (
        request("shout", GOOD, version=7),
        "NOT_FOUND",
        "Servable not found for request: Specific(shout, 7)",
    ),
    (
        request("shout", GOOD, version_label="x"),
        "INVALID_ARGUMENT",
        "Unrecognized servable version label: x",
    ),
    (
        request("sums", GOOD, version_label="none"),
        "INVALID_ARGUMENT",
        "Unrecognized servable version label: none",
    ),
    (PredictRequest(), "INVALID_ARGUMENT", "Missing ModelSpec"),
    (
        request("shout", GOOD, signature_name="x"),
        "FAILED_PRECONDITION",
        'Serving signature key "x" not found.',
    ),
    (
        request("two", {"a": ROWS[:, :2]}),
        "INVALID_ARGUMENT",
        "input size does not match signature: 1!=2 len({a}) != len({a,b}). "
        "Sent extra: {}. Missing but required: {b}.",
    ),
    (
        request("shout", {"x": [["a", "b"]]}),
        "INVALID_ARGUMENT",
        "input tensor alias not found in signature: x. Inputs expected to be in the "
        "set {words}.",
    ),
    (
        request("shout", GOOD, ["x"]),
        "INVALID_ARGUMENT",
        "output tensor alias not found in signature: x Outputs expected to be in the "
        "set {loud,raw_bytes}.",
    ),
    (
        request("shout", {"words": ROWS}),
        "INVALID_ARGUMENT",
        "Expects arg[0] to be string but float is provided",
    ),
]


IDS = [sentence[:30] for _, _, sentence in REFUSED]


@pytest.mark.parametrize(("asked", "code", "sentence"), REFUSED, ids=IDS)
def test_what_is_wrong_is_refused_in_its_words(stub, asked, code, sentence):
    with pytest.raises(grpc.RpcError) as caught:
        stub.Predict(asked, timeout=10)
    assert (caught.value.code().name, caught.value.details()) == (code, sentence)


def test_a_wrong_shape_is_an_invalid_argument(stub):
    name, *_ = sums_input(stub)
    with pytest.raises(grpc.RpcError) as caught:
        stub.Predict(request(inputs={name: ROWS[:, :3]}), timeout=10)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_status_says_which_versions_are_there(channel):
    stub, asked = ModelServiceStub(channel), GetModelStatusRequest()
    asked.model_spec.name = "sums"
    states = stub.GetModelStatus(asked, timeout=10).model_version_status
    assert {(one.version, one.state) for one in states} == {(1, 30), (2, 30)}
    asked.model_spec.name = "cats"
    with pytest.raises(grpc.RpcError, match="Could not find any versions of model"):
        stub.GetModelStatus(asked, timeout=10)


def test_a_new_version_takes_over_and_the_old_one_goes(place, tmp_path):
    base = tmp_path / "sums"
    exported.export(place / "sums.keras", base, 1)
    with (
        ModelServer.of({"sums": base}) as server,
        grpc.insecure_channel(server.host) as channel,
    ):
        stub = PredictionServiceStub(channel)
        name, *_ = sums_input(stub)
        exported.export(place / "sums.keras", base, 2)
        deadline, version = time.monotonic() + 20, 1
        while version == 1:
            assert time.monotonic() < deadline, server.log()
            answered = stub.Predict(request(inputs={name: ROWS}), timeout=10)
            version = answered.model_spec.version.value
        with pytest.raises(grpc.RpcError, match=r"Specific\(sums, 1\)"):
            stub.Predict(request(inputs={name: ROWS}, version=1), timeout=10)


def test_calls_that_are_under_way_are_answered_though_their_version_goes(place):
    async def answers() -> list[dict]:
        one = SavedModel(place / "sums" / "1")
        signature = one.signatures["serving_default"]
        given = {next(iter(signature.inputs)): tf.make_tensor_proto(ROWS)}
        asked = [one.predict(signature, given, [*signature.outputs]) for _ in range(4)]
        calls = [asyncio.create_task(call) for call in asked]
        await asyncio.sleep(0)  # they have begun
        one.close()
        return await asyncio.gather(*calls)

    for answered in asyncio.run(answers()):
        assert [part.tolist() for part in answered.values()] == [SUMS.tolist()]


def test_a_sleeping_server_has_so_many_sleep_at_a_time():
    """Four calls of 0.2 s, two at once: 0.4 s, and each gets its own sum."""
    with (
        ModelServer.asleep(0.2, 2) as server,
        grpc.insecure_channel(server.host) as channel,
    ):
        stub = PredictionServiceStub(channel)
        rows = [np.full((1, 4), number, "float32") for number in range(4)]
        started = time.monotonic()
        calls = [stub.Predict.future(request(inputs={"rows": r})) for r in rows]
        answers = [tf.make_ndarray(c.result(10).outputs["sums"]) for c in calls]
        assert 0.39 < time.monotonic() - started < 2
        assert [one.tolist() for one in answers] == [
            [[4 * number, 2 * number]] for number in range(4)
        ]
        assert server.seen()["rows"] == [1, 1, 1, 1]


def test_it_counts_calls_that_were_cancelled():
    with (
        ModelServer.asleep(0) as server,
        grpc.insecure_channel(server.host) as channel,
    ):
        server.fault("hang")
        call = PredictionServiceStub(channel).Predict.future(request())
        while not server.seen()["in_progress"]:
            time.sleep(0.01)
        call.cancel()
        deadline = time.monotonic() + 10
        while server.seen()["left"] != 1:
            assert time.monotonic() < deadline
            time.sleep(0.01)
