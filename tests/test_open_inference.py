"""Open Inference Protocol V2: tritonclient as it comes, and requests by hand."""

import asyncio
import gzip
import json
import signal
import socket
import struct
import time
import zlib
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import ml_dtypes
import numpy as np
import pytest
import requests
import tritonclient.http as triton
from tritonclient.http import aio

from made import picture
from serving import ROOT, Served

SAMPLE = ROOT / "models" / "digits" / "sample.png"
COLOURS = [picture(c) for c in ("red", "lime", "blue")]
EXACT = {
    "BOOL": np.array([[True, False, True, True]]),
    "UINT8": np.array([[1, 2, 3, 255]], np.uint8),
    "UINT16": np.array([[1, 2, 3, 65535]], np.uint16),
    "UINT32": np.array([[1, 2, 3, 65536]], np.uint32),
    "UINT64": np.array([[1, 2, 3, 65536]], np.uint64),
    "INT8": np.array([[1, -2, 3, 127]], np.int8),
    "INT16": np.array([[1, -2, 3, 32767]], np.int16),
    "INT32": np.array([[1, -2, 3, 65536]], np.int32),
    "INT64": np.array([[1, -2, 3, 65536]], np.int64),
    "FP16": np.array([[1.5, -2, 3, 4]], np.float16),
    "FP32": np.array([[1.5, -2, 3, 4]], np.float32),
    "FP64": np.array([[1.5, -2, 3, 4]], np.float64),
}


@pytest.fixture
def client(kinds_server):
    with triton.InferenceServerClient(f"127.0.0.1:{kinds_server.port}") as client:
        yield client


def tensor(name, array, datatype=None, binary=True):
    datatype = datatype or triton._infer_input.np_to_triton_dtype(array.dtype)
    one = triton.InferInput(name, list(array.shape), datatype)
    return one.set_data_from_numpy(array, binary_data=binary)


def wanted(*names, **more):
    return [triton.InferRequestedOutput(name, **more) for name in names]


def name_of(client, model, what="inputs"):
    return client.get_model_metadata(model, "1")[what][0]["name"]


def test_health(client):
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("colours")
    assert client.is_model_ready("colours", "1")
    assert not client.is_model_ready("colours", "3")
    assert not client.is_model_ready("broken")
    assert not client.is_model_ready("cats")


def test_server_metadata_names_the_extensions(client):
    about = client.get_server_metadata()
    assert about["name"] == "facenality"
    assert "binary_tensor_data" in about["extensions"]


def test_model_metadata_tells_the_models_own_shapes(client):
    two = client.get_model_metadata("two")
    assert two["platform"] == "tensorflow_keras"
    assert two["inputs"] == [
        {"name": "a", "datatype": "FP32", "shape": [-1, 2]},
        {"name": "b", "datatype": "FP32", "shape": [-1, 2]},
    ]
    assert {one["name"] for one in two["outputs"]} == {"sum", "less"}
    assert client.get_model_metadata("colours")["versions"] == ["1", "2"]
    assert client.get_model_metadata("shout")["inputs"][0]["datatype"] == "BYTES"
    assert client.get_model_metadata("lookup")["outputs"][0]["datatype"] == "BF16"


def test_an_image_models_metadata_says_that_it_takes_bytes_too(client):
    (one,) = client.get_model_metadata("colours")["inputs"]
    assert (one["datatype"], one["shape"]) == ("FP32", [-1, 24, 24, 3])
    assert "encoded image" in one["parameters"]["BYTES"]


def test_model_config_has_what_is_true_here(client):
    config = client.get_model_config("digits", "1")
    assert config["input"] == [
        {"name": "picture", "data_type": "TYPE_FP32", "dims": [32, 32, 1]}
    ]
    assert config["output"][0]["dims"] == [10]
    assert config["max_batch_size"] == 256
    assert client.get_model_config("words")["input"][0]["data_type"] == "TYPE_STRING"


def test_the_repository_index_has_every_version(client):
    index = {
        (one["name"], one["version"]): one
        for one in client.get_model_repository_index()
    }
    assert index["colours", "1"]["state"] == "READY"
    assert index["broken", "1"]["state"] == "UNAVAILABLE"
    assert "zip" in index["broken", "1"]["reason"]


@pytest.mark.parametrize("binary_out", [True, False], ids=["binary out", "JSON out"])
@pytest.mark.parametrize("binary_in", [True, False], ids=["binary in", "JSON in"])
def test_numbers_go_to_the_model_as_they_are(client, binary_in, binary_out):
    batch = np.zeros((3, 24, 24, 3), np.float32)
    for i in range(3):
        batch[i, ..., i] = 1
    sent = tensor(name_of(client, "colours"), batch, binary=binary_in)
    output = name_of(client, "colours", "outputs")
    outputs = wanted(output, binary_data=binary_out)
    answer = client.infer("colours", [sent], "1", outputs=outputs, request_id="my id")
    scores = answer.as_numpy(output)
    assert scores.dtype == np.float32
    assert scores.argmax(1).tolist() == [0, 1, 2]
    assert answer.get_response()["id"] == "my id"
    assert answer.get_response()["model_version"] == "1"
    assert ("data" in answer.get_output(output)) is not binary_out


@pytest.mark.parametrize("binary", [True, False], ids=["binary", "JSON"])
@pytest.mark.parametrize("datatype", EXACT)
def test_every_datatype_is_cast_where_nothing_is_lost(client, datatype, binary):
    array = EXACT[datatype]
    sent = tensor(name_of(client, "sums"), array, datatype, binary)
    answer = client.infer("sums", [sent])
    total = array.astype(np.float32).sum()
    got = answer.as_numpy(name_of(client, "sums", "outputs"))
    assert got.tolist() == [[total, -total]]


def test_bf16_comes_and_goes(client):
    array = np.array([[1, 2, 3]], ml_dtypes.bfloat16)
    one = triton.InferInput("indices", [1, 3], "BF16")
    one._raw_data = array.tobytes()  # how it is set differs from version to version
    one._parameters["binary_data_size"] = 6
    answer = client.infer("lookup", [one])
    (output,) = answer.get_response()["outputs"]
    assert (output["datatype"], output["shape"]) == ("BF16", [1, 3])
    tenths = np.frombuffer(answer._buffer, ml_dtypes.bfloat16).astype(np.float32)
    assert tenths == pytest.approx([0.1, 0.2, 0.3], abs=0.01)


def test_pixels_as_uint8_are_cast_not_preprocessed(client):
    pixels = np.full((1, 8, 8, 1), 50, np.uint8)
    answer = client.infer("traits", [tensor(name_of(client, "traits"), pixels)])
    output = name_of(client, "traits", "outputs")
    assert answer.as_numpy(output).tolist() == [[50, 25]]


@pytest.mark.parametrize("shape", [(3,), (3, 1)], ids=str)
def test_bytes_are_encoded_images(client, kinds_server, shape):
    array = np.array(COLOURS, object).reshape(shape)
    output = name_of(client, "colours", "outputs")
    sent = tensor(name_of(client, "colours"), array)
    scores = client.infer("colours", [sent], "1").as_numpy(output)
    assert scores.argmax(1).tolist() == [0, 1, 2]
    form = {"files": {"image": COLOURS[1]}}
    best = kinds_server.post("/predict?model=colours&version=1", **form).json()
    assert scores[1].max() == pytest.approx(best["predictions"][0]["probability"])


def test_images_in_json_are_base64(client):
    texts = np.array([b64encode(COLOURS[2])], object)
    sent = tensor(name_of(client, "colours"), texts, binary=False)
    answer = client.infer("colours", [sent], "1")
    output = name_of(client, "colours", "outputs")
    assert answer.as_numpy(output).argmax() == 2


@pytest.mark.parametrize("binary", [True, False], ids=["binary", "JSON"])
@pytest.mark.parametrize("shape", [(2,), (2, 1)], ids=str)
def test_texts_are_bytes(client, shape, binary):
    texts = np.array([b"bad bad", b"so good"], object).reshape(shape)
    answer = client.infer(
        "words", [tensor(name_of(client, "words"), texts, None, binary)]
    )
    output = name_of(client, "words", "outputs")
    assert answer.as_numpy(output).argmax(1).tolist() == [0, 1]


@pytest.mark.parametrize("binary", [True, False], ids=["binary", "JSON"])
def test_strings_come_back_as_bytes(client, binary):
    words = np.array([["a", "ä"], ["b", ""]], object)
    outputs = wanted("loud", "raw_bytes", binary_data=binary)
    answer = client.infer("shout", [tensor("words", words)], outputs=outputs)
    loud = [["A", "ä"], ["B", ""]]  # TensorFlow's upper() knows ASCII
    if binary:
        loud = [[word.encode() for word in row] for row in loud]
    assert answer.as_numpy("loud").tolist() == loud
    assert answer.as_numpy("raw_bytes").shape == (2, 2)


def test_several_inputs_and_outputs_in_any_order(client):
    a, b = np.array([[1, 2], [0, 1]], "f4"), np.array([[3, 5], [1, 1]], "f4")
    answer = client.infer("two", [tensor("b", b), tensor("a", a, binary=False)])
    assert answer.as_numpy("sum").tolist() == [[4, 7], [1, 2]]
    assert answer.as_numpy("less").tolist() == [[-2, -3], [-1, 0]]


def test_only_the_requested_outputs_come_in_their_order(client):
    a = tensor("a", np.ones((1, 2), "f4")), tensor("b", np.ones((1, 2), "f4"))
    answer = client.infer("two", list(a), outputs=wanted("less"))
    assert [one["name"] for one in answer.get_response()["outputs"]] == ["less"]
    mixed = wanted("sum", binary_data=False) + wanted("less")
    answer = client.infer("two", list(a), outputs=mixed)
    assert answer.as_numpy("sum").tolist() == [[2, 2]]
    assert answer.as_numpy("less").tolist() == [[0, 0]]


def test_classes_come_as_score_index_and_label(client):
    sent = tensor("picture", np.array([SAMPLE.read_bytes()], object))
    answer = client.infer("digits", [sent], outputs=wanted("digit", class_count=3))
    best = answer.as_numpy("digit")
    assert best.shape == (1, 3)
    score, index, label = best[0, 0].decode().split(":")
    assert float(score) > 0.99
    assert (index, label) == ("3", "3")
    few = client.infer("digits", [sent], outputs=wanted("digit", class_count=99))
    assert few.as_numpy("digit").shape == (1, 10)


def test_a_request_may_be_larger_than_the_models_batch(client):
    batch = np.arange(200 * 4, dtype="f4").reshape(200, 4)
    answer = client.infer("sums", [tensor(name_of(client, "sums"), batch)])
    got = answer.as_numpy(name_of(client, "sums", "outputs"))
    assert got[:, 0] == pytest.approx(batch.sum(1))


@pytest.mark.parametrize("how", ["gzip", "deflate"])
def test_requests_may_be_compressed(client, how):
    sent = tensor(name_of(client, "sums"), np.ones((1, 4), "f4"))
    answer = client.infer(
        "sums",
        [sent],
        request_compression_algorithm=how,
        response_compression_algorithm=how,
    )
    assert answer.as_numpy(name_of(client, "sums", "outputs")).tolist() == [[4, -4]]


def test_asynchronous_requests(client):
    name, output = name_of(client, "sums"), name_of(client, "sums", "outputs")
    waiting = [
        client.async_infer("sums", [tensor(name, np.full((1, 4), i, "f4"))])
        for i in range(8)
    ]
    got = [one.get_result().as_numpy(output)[0, 0] for one in waiting]
    assert got == [4 * i for i in range(8)]


def test_the_asyncio_client(kinds_server):
    async def ask():
        async with aio.InferenceServerClient(f"127.0.0.1:{kinds_server.port}") as one:
            assert await one.is_model_ready("two")
            inputs = [tensor(n, np.ones((1, 2), "f4")) for n in "ab"]
            return (await one.infer("two", inputs)).as_numpy("sum")

    assert asyncio.run(ask()).tolist() == [[2, 2]]


def test_requests_of_many_clients_share_batches_and_keep_apart(kinds_server):
    def ask(i):
        body = request([{"name": "instances", "shape": [1], "datatype": "FP32"}])
        body["inputs"][0]["data"] = [i]
        reply = kinds_server.post("/v2/models/half/infer", json=body)
        return reply.json()["outputs"][0]["data"]

    with ThreadPoolExecutor(16) as pool:
        numbers = range(20, 84)
        assert list(pool.map(ask, numbers)) == [[i / 2 + 3] for i in numbers]


def test_where_the_time_went_is_told(kinds_server):
    reply = kinds_server.post("/v2/models/half/infer", json=half([1.0]))
    assert reply.headers["Content-Type"] == "application/json"
    assert reply.headers["Server-Timing"].startswith("decode;dur=")


def request(inputs, **more):
    return {"inputs": inputs} | more


def half(data, shape=None, datatype="FP32", **more):
    shape = [len(data)] if shape is None else shape
    one = {"name": "instances", "shape": shape, "datatype": datatype, "data": data}
    return request([one], **more)


def square(data, shape, datatype="FP32"):
    one = {"name": "a", "shape": shape, "datatype": datatype, "data": data}
    return [one, one | {"name": "b"}]


@pytest.mark.parametrize("data", [[1, 2, 3, 4], [[1, 2], [3, 4]]], ids=str)
def test_json_data_is_flat_or_nested(kinds_server, data):
    """As the specification's example has it; nothing is asked of the outputs."""
    body = request(square(data, [2, 2]), id="42", parameters={"priority": 1})
    reply = kinds_server.post("/v2/models/two/versions/1/infer", json=body)
    by_name = {one["name"]: one for one in reply.json()["outputs"]}
    assert reply.json()["id"] == "42"
    assert by_name["sum"] == {
        "name": "sum",
        "datatype": "FP32",
        "shape": [2, 2],
        "data": [2, 4, 6, 8],
    }


def test_a_model_that_answers_nan_can_tell_it_in_binary_only(kinds_server):
    path = "/v2/models/half/infer"
    reply = kinds_server.post(path, json=half([-1.0]))
    assert (reply.status_code, reply.json()["code"]) == (500, "model_failed")
    body = half([-1.0, 4.0], parameters={"binary_data_output": True})
    reply = kinds_server.post(path, json=body)
    head = int(reply.headers["Inference-Header-Content-Length"])
    assert reply.headers["Content-Type"] == "application/octet-stream"
    assert json.loads(reply.content[:head])["outputs"][0]["datatype"] == "FP64"
    assert np.isnan(struct.unpack("<2d", reply.content[head:])[0])
    assert struct.unpack("<2d", reply.content[head:])[1] == 5


BAD = {
    "no object": [1],
    "no inputs": {},
    "empty inputs": request([]),
    "inputs no list": request({"name": "instances"}),
    "an input no object": request(["instances"]),
    "an unknown input": request([{"name": "x", "shape": [1], "datatype": "FP32"}]),
    "a name no string": request([{"name": [1], "shape": [1], "datatype": "FP32"}]),
    "an input twice": request(half([1])["inputs"] * 2),
    "an unknown datatype": half([1], datatype="FP31"),
    "a datatype no string": half([1], datatype={"FP32": 1}),
    "no shape": half([1], shape={}),
    "an empty shape": half([1], shape=[]),
    "a length of zero": half([], shape=[0]),
    "a negative length": half([1], shape=[-1]),
    "a length no number": half([1], shape=[True]),
    "a broken length": half([1], shape=[1.0]),
    "a huge length": half([1], shape=[2**63]),
    "huge lengths": half([1], shape=[1, 2**31 - 1, 2**31 - 1, 2**31 - 1]),
    "many axes": half([1], shape=[1] * 33),
    "too little data": half([1], shape=[2]),
    "too much data": half([1, 2, 3], shape=[2]),
    "ragged data": half([[1, 2], [3]], shape=[2, 2]),
    "deep data": half([[[[1]]]], shape=[1]),
    "data of another shape": half([[[1, 2], [3, 4], [5, 6]]], shape=[1, 2, 3]),
    "no data": request([{"name": "instances", "shape": [1], "datatype": "FP32"}]),
    "strings for numbers": half(["1"]),
    "null": half([None]),
    "a fraction in INT32": half([1.5], datatype="INT32"),
    "too large for UINT8": half([300], datatype="UINT8"),
    "too large for FP16": half([1e9], datatype="FP16"),
    "too large for anything": half([10**400]),
    "bytes for numbers": half(["eA=="], datatype="BYTES"),
    "parameters no object": half([1], parameters=[1]),
    "binary_data_output no truth": half([1], parameters={"binary_data_output": 1}),
    "an id no string": half([1], id=5),
    "a long id": half([1], id="x" * 257),
    "half a surrogate pair as id": half([1], id="\ud800"),
    "an unknown output": half([1], outputs=[{"name": "x"}]),
    "an output without name": half([1], outputs=[{}]),
    "an output twice": half([1], outputs=[{"name": "scores"}] * 2),
    "outputs no list": half([1], outputs="scores"),
    "classes no number": half(
        [1], outputs=[{"name": "scores", "parameters": {"classification": "3"}}]
    ),
    "classes of no row": half(
        [1], outputs=[{"name": "scores", "parameters": {"classification": 3}}]
    ),
    "shared memory": request(
        [half([1])["inputs"][0] | {"parameters": {"shared_memory_region": "r"}}]
    ),
    "data and its binary size": request(
        [half([1])["inputs"][0] | {"parameters": {"binary_data_size": 4}}]
    ),
}


@pytest.mark.parametrize("what", BAD)
def test_a_bad_request_is_400_with_a_sentence(kinds_server, what):
    reply = kinds_server.post("/v2/models/half/infer", data=json.dumps(BAD[what]))
    assert reply.status_code == 400, reply.text
    assert reply.json()["error"].endswith(".")
    assert reply.json()["success"] is False
    assert len(reply.content) < 2000


@pytest.mark.parametrize(
    ("model", "entry"),
    [
        ("two", {"name": "a", "shape": [1, 2], "datatype": "FP32", "data": [1, 2]}),
        ("words", {"shape": [1, 2], "datatype": "BYTES", "data": ["a", "b"]}),
        ("words", {"shape": [1], "datatype": "FP32", "data": [1]}),
        ("words", {"shape": [1], "datatype": "BYTES", "data": [1]}),
        ("words", {"shape": [1], "datatype": "BYTES", "data": ["\ud800"]}),
        ("shout", {"name": "words", "shape": [1, 2], "datatype": "BYTES", "data": [1]}),
        ("lookup", {"name": "indices", "shape": [1, 2], "datatype": "INT32"}),
        ("colours", {"shape": [24, 24, 3], "datatype": "FP32", "data": [0]}),
        ("colours", {"shape": [1], "datatype": "BYTES", "data": ["?"]}),
    ],
)
def test_what_does_not_fit_a_model_is_400(kinds_server, model, entry):
    about = kinds_server.get(f"/v2/models/{model}").json()
    entry = {"name": about["inputs"][0]["name"]} | entry
    body = json.dumps(request([entry]))
    reply = kinds_server.post(f"/v2/models/{model}/infer", data=body)
    assert reply.status_code == 400, reply.text


def test_an_output_asked_for_twice_is_400(kinds_server):
    outputs = [{"name": "sum"}] * 2
    body = request(square([1, 2], [1, 2]), outputs=outputs)
    reply = kinds_server.post("/v2/models/two/infer", json=body)
    assert "twice" in reply.json()["error"]


def test_inputs_of_different_lengths_are_400(kinds_server):
    a, b = square([1, 2], [1, 2])
    b = b | {"shape": [2, 2], "data": [1, 2, 3, 4]}
    reply = kinds_server.post("/v2/models/two/infer", json=request([a, b]))
    assert "first axis" in reply.json()["error"]


def test_one_bad_instance_fails_the_request_and_is_named(kinds_server):
    array = np.array([*COLOURS, b"no image"], object)
    texts = [b64encode(one).decode() for one in array]
    about = kinds_server.get("/v2/models/colours").json()
    one = {"name": about["inputs"][0]["name"], "shape": [4], "datatype": "BYTES"}
    body = request([one | {"data": texts}])
    reply = kinds_server.post("/v2/models/colours/infer", json=body)
    assert (reply.status_code, reply.json()["code"]) == (400, "not_an_image")
    assert reply.json()["error"].startswith("Instance 3: ")


def test_more_instances_than_one_request_may_bring_are_413(kinds_server):
    reply = kinds_server.post("/v2/models/half/infer", json=half([1] * 257))
    assert (reply.status_code, reply.json()["code"]) == (413, "too_many_inputs")


def binary(size=8, shape=(2,), datatype="FP32", **more):
    one = {"name": "instances", "shape": list(shape), "datatype": datatype}
    return request([one | {"parameters": {"binary_data_size": size}}], **more)


def post_binary(server, document, tail, length=None, **headers):
    head = json.dumps(document).encode()
    length = str(len(head)) if length is None else length
    headers |= {"Inference-Header-Content-Length": length}
    path = "/v2/models/half/infer"
    return server.post(path, data=head + tail, headers=headers)


EIGHT = np.array([1, 2], "<f4").tobytes()
LYING = {
    "longer than the body": (binary(), EIGHT, "100000"),
    "zero": (binary(), EIGHT, "0"),
    "negative": (binary(), EIGHT, "-5"),
    "no number": (binary(), EIGHT, "12x"),
    "signed": (binary(), EIGHT, "+12"),
    "many digits": (binary(), EIGHT, "9" * 5000),
    "short": (binary(), EIGHT, "10"),
    "one more": (binary(), EIGHT, str(len(json.dumps(binary())) + 1)),
    "bytes of no input": (binary(), EIGHT + b"x", None),
    "too few bytes": (binary(), EIGHT[:7], None),
    "a size of another shape": (binary(shape=(3,)), EIGHT, None),
    "a size too large": (binary(size=10**30), EIGHT, None),
    "a negative size": (binary(size=-8), EIGHT, None),
    "a size no number": (binary(size="8"), EIGHT, None),
    "a size that is a truth": (binary(size=True, shape=(1,)), b"x", None),
    "a shape beyond all memory": (binary(shape=(1, 2**31 - 1, 2**31 - 1)), EIGHT, None),
    "NaN": (binary(), np.array([1, np.nan], "<f4").tobytes(), None),
    "infinity": (binary(), np.array([1, np.inf], "<f4").tobytes(), None),
    "no truth": (binary(2, datatype="BOOL"), b"\0\2", None),
    "BYTES for numbers": (binary(5, (1,), "BYTES"), b"\1\0\0\0x", None),
}


@pytest.mark.parametrize("what", LYING)
def test_lengths_and_sizes_that_lie_are_400(kinds_server, what):
    document, tail, length = LYING[what]
    reply = post_binary(kinds_server, document, tail, length)
    assert reply.status_code == 400, reply.text
    assert reply.json()["error"].endswith(".")


@pytest.mark.parametrize(
    "tail",
    [
        b"",
        b"\1\0",
        b"\5\0\0\0x",
        b"\xff\xff\xff\xffx",
        b"\1\0\0\0xy",
        b"\1\0\0\0\xff",
        b"\1\0\0\0a\1\0\0\0b",
    ],
)
def test_bytes_behind_lying_prefixes_are_400(kinds_server, tail):
    name = kinds_server.get("/v2/models/words").json()["inputs"][0]["name"]
    one = binary(len(tail), (1,), "BYTES")["inputs"][0] | {"name": name}
    head = json.dumps(request([one])).encode()
    headers = {"Inference-Header-Content-Length": str(len(head))}
    path = "/v2/models/words/infer"
    reply = kinds_server.post(path, data=head + tail, headers=headers)
    assert reply.status_code == 400, reply.text


@pytest.mark.parametrize("tail", [EIGHT], ids=["two numbers"])
def test_a_header_length_without_lies_is_answered(kinds_server, tail):
    reply = post_binary(kinds_server, binary(), tail)
    assert reply.json()["outputs"][0]["data"] == [3.5, 4]


BOMB = zlib.compress(b"[" + b" " * 100 * 2**20)
PACKED = {
    "a bomb": ("deflate", BOMB, 413),
    "a gzip bomb": ("gzip", gzip.compress(b"0" * 50 * 2**20), 413),
    "no gzip": ("gzip", b"{}", 400),
    "cut short": ("gzip", gzip.compress(b'{"inputs":[]}')[:-9], 400),
    "two members": ("gzip", gzip.compress(b"{}") * 2, 400),
    "an unknown encoding": ("br", b"x", 415),
    "two encodings": ("gzip, gzip", b"x", 415),
}


@pytest.mark.parametrize("what", PACKED)
def test_bad_compression_is_refused(kinds_server, what):
    encoding, body, status = PACKED[what]
    headers = {"Content-Encoding": encoding}
    reply = kinds_server.post("/v2/models/half/infer", data=body, headers=headers)
    assert reply.status_code == status, reply.text


def test_large_bodies_are_refused_before_they_are_read(kinds_server):
    path = "/v2/models/half/infer"
    reply = kinds_server.post(path, data=b" " * (9 * 2**20))
    assert (reply.status_code, "JSON" in reply.json()["error"]) == (413, True)
    assert kinds_server.post(path, data=b" " * (16 * 2**20)).status_code == 413


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v2/models/cats", 404, "no_such_model"),
        ("GET", "/v2/models/cats/ready", 404, "no_such_model"),
        ("GET", "/v2/models/half/versions/7/ready", 404, "no_such_version"),
        ("GET", "/v2/models/half/versions/x", 404, "no_such_version"),
        ("GET", "/v2/models/half/versions/01/config", 404, "no_such_version"),
        ("GET", "/v2/models/broken", 503, "model_not_loaded"),
        ("GET", "/v2/models/half/infer", 405, "method_not_allowed"),
        ("GET", "/v2/models/half/stats", 404, "not_found"),
        ("POST", "/v2/models/cats/infer", 404, "no_such_model"),
        ("POST", "/v2/models/broken/infer", 503, "model_not_loaded"),
        ("POST", "/v2/models/half/infer", 400, "malformed"),
        ("POST", "/v2/repository/models/half/load", 404, "not_found"),
    ],
)
def test_errors_are_a_string_for_those_clients(
    kinds_server, method, path, status, code
):
    reply = requests.request(method, kinds_server.url + path, timeout=30)
    assert (reply.status_code, reply.json()["code"]) == (status, code)
    assert isinstance(reply.json()["error"], str)


def test_tritonclient_shows_the_sentence(client):
    with pytest.raises(triton.InferenceServerException, match="no output 'x'") as info:
        client.infer(
            "half", [tensor("instances", np.ones(1, "f4"))], outputs=wanted("x")
        )
    assert info.value.status() == "400"


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/v2", True),
        ("/v2/models/half", True),
        ("/v2/models/half/infer", True),
        ("/v2/health/live", True),
        ("/v2/health/ready", True),
        ("/v2nothing", False),
    ],
)
def test_other_origins_may_ask_about_models_and_health(kinds_server, path, allowed):
    reply = kinds_server.get(path, headers={"Origin": "https://shop.example"})
    assert ("Access-Control-Allow-Origin" in reply.headers) is allowed
    if allowed:
        exposed = reply.headers["Access-Control-Expose-Headers"].lower()
        assert "inference-header-content-length" in exposed


SLOW = {"name": "instances", "shape": [1], "datatype": "FP32", "data": [1]}


@pytest.fixture(scope="module")
def slow(tmp_path_factory):
    """A server whose one model waits for a file while it loads and predicts."""
    folder = tmp_path_factory.mktemp("slow")
    (folder / "models" / "slow").mkdir(parents=True)
    (folder / "models" / "slow" / "model.toml").write_text('task = "tensor"\n')
    (folder / "models" / "slow" / "model.py").write_text(
        "import pathlib, time\n"
        f"go = pathlib.Path({str(folder / 'go')!r})\n"
        "def load(folder):\n"
        "    while not go.exists(): time.sleep(0.01)\n"
        "def predict(model, x):\n"
        "    while not go.exists(): time.sleep(0.01)\n"
        "    return x\n"
    )
    with Served(folder / "models") as server:
        server.go = folder / "go"
        yield server


def test_a_model_on_its_way_is_not_ready_and_says_how_far_it_is(slow):
    slow.wait_for_log("running model.py")
    for path in ("/v2/health/ready", "/v2/models/slow/ready", "/v2/models/slow"):
        reply = slow.get(path)
        assert (reply.status_code, reply.json()["code"]) == (503, "loading")
        assert int(reply.headers["Retry-After"]) >= 1
    assert slow.get("/v2/health/live").json() == {"live": True}
    status = slow.get("/v1/models/slow").json()
    assert status["ready"] is False
    assert status["model_version_status"][0]["state"] == "LOADING"
    index = slow.post("/v2/repository/index").json()
    assert index[0]["state"] == "LOADING"
    slow.go.touch()
    slow.ready()
    assert slow.get("/v2/models/slow/ready").json() == {"name": "slow", "ready": True}


def test_a_client_that_leaves_takes_its_instances_along(slow):
    slow.go.touch()
    slow.ready()
    slow.go.unlink()
    body = json.dumps(request([SLOW])).encode()
    head = (
        f"POST /v2/models/slow/infer HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}"
    )
    with socket.create_connection(("127.0.0.1", slow.port)) as connection:
        connection.sendall(head.encode() + b"\r\n\r\n" + body)
        time.sleep(0.3)
    slow.wait_for_log("/infer 499")
    slow.go.touch()


def test_a_draining_server_is_not_ready(slow):
    slow.go.touch()
    slow.ready()
    slow.go.unlink()
    paths = ("/v2/health/ready", "/v2/models/slow/ready", "/v1/models/slow")
    with ExitStack() as stack:
        pool = stack.enter_context(ThreadPoolExecutor(1))
        address = ("127.0.0.1", slow.port)
        early = [stack.enter_context(socket.create_connection(address)) for _ in paths]
        answer = pool.submit(slow.post, "/v2/models/slow/infer", json=request([SLOW]))
        time.sleep(0.3)
        slow.process.send_signal(signal.SIGTERM)
        slow.wait_for_log("drain")
        replies = [ask(c, path) for c, path in zip(early, paths, strict=True)]
        slow.go.touch()
        assert answer.result().json()["outputs"][0]["data"] == [1]
    ready, model_ready, status = replies
    assert (ready["code"], model_ready["code"]) == ("draining", "draining")
    assert status["ready"] is False
    assert status["model_version_status"][0]["state"] == "UNLOADING"


def ask(connection, path):
    """On a connection that was accepted before the drain."""
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    reply = b"".join(iter(lambda: connection.recv(4096), b""))
    return json.loads(reply.partition(b"\r\n\r\n")[2])
