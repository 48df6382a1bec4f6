"""TensorFlow Serving's REST and KServe's V1: requests as their documents write them."""

import gzip
import json
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import requests

from made import picture
from serving import ROOT

COLOURS = [picture(c) for c in ("red", "lime", "blue")]
B64 = [{"b64": b64encode(one).decode()} for one in COLOURS]
OK = {"error_code": "OK", "error_message": ""}
RED = np.zeros((24, 24, 3))
RED[..., 0] = 1


def ask(server, path, **document):
    """As curl -d sends it: the content type says that it is a form."""
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    body = json.dumps(document)
    return server.post(f"/v1/models/{path}", data=body, headers=headers)


def answered(server, path, **document):
    reply = ask(server, path, **document)
    assert reply.status_code == 200, reply.text
    (value,) = reply.json().values()
    return value


def input_of(server, model):
    return server.get(f"/v2/models/{model}/versions/1").json()["inputs"][0]["name"]


def test_the_list_of_models(kinds_server):
    names = kinds_server.get("/v1/models").json()["models"]
    assert {"digits", "colours", "broken"} <= set(names)


def test_status_is_the_union_of_what_kserve_and_tensorflow_serving_read(kinds_server):
    body = kinds_server.get("/v1/models/half").json()
    assert body == {
        "name": "half",
        "ready": True,
        "model_version_status": [{"version": "1", "state": "AVAILABLE", "status": OK}],
    }


def test_status_has_every_version_or_the_one_asked_for(kinds_server):
    def versions(path):
        body = kinds_server.get(f"/v1/models/colours{path}").json()
        return [one["version"] for one in body["model_version_status"]]

    assert versions("") == ["2", "1"]
    assert versions("/versions/1") == ["1"]


def test_status_of_a_model_that_failed_says_why(kinds_server):
    body = kinds_server.get("/v1/models/broken").json()
    assert body["ready"] is False
    (status,) = body["model_version_status"]
    assert status["state"] == "END"
    assert status["status"]["error_code"] == "UNKNOWN"
    assert "zip" in status["status"]["error_message"]


@pytest.mark.parametrize("path", ["lookup/metadata", "lookup/versions/1/metadata"])
def test_metadata_is_a_signature_def(kinds_server, path):
    body = kinds_server.get(f"/v1/models/{path}").json()
    assert body["model_spec"] == {
        "name": "lookup",
        "signature_name": "",
        "version": "1",
    }
    one = body["metadata"]["signature_def"]["signature_def"]["serving_default"]
    assert one["method_name"] == "tensorflow/serving/predict"
    sizes = [{"size": "-1", "name": ""}, {"size": "3", "name": ""}]
    assert one["inputs"] == {
        "indices": {
            "dtype": "DT_INT32",
            "tensor_shape": {"dim": sizes, "unknown_rank": False},
            "name": "indices",
        }
    }
    assert [out["dtype"] for out in one["outputs"].values()] == ["DT_BFLOAT16"]


def test_metadata_says_where_a_model_does_not_tell_its_rank(kinds_server):
    body = kinds_server.get("/v1/models/half/metadata").json()
    one = body["metadata"]["signature_def"]["signature_def"]["serving_default"]
    shape = one["inputs"]["instances"]["tensor_shape"]
    assert shape == {"dim": [], "unknown_rank": True}


def test_half_plus_three_as_the_document_asks_it(kinds_server):
    assert answered(kinds_server, "half:predict", instances=[1.0, 2.0, 5.0]) == [
        3.5,
        4.0,
        5.5,
    ]
    examples = [{"instances": 1.0}, {"instances": 2.0}]
    name = "tensorflow/serving/regress"
    got = answered(kinds_server, "half:regress", signature_name=name, examples=examples)
    assert got == [3.5, 4.0]


@pytest.mark.parametrize(
    "document",
    [
        {"instances": [[1, 2, 3, 4], [0.5, 0, 0, 0]]},
        {"instances": [[1, 2, 3, 4], [0.5, 0, 0, 0]], "signature_name": ""},
        {"inputs": [[1, 2, 3, 4], [0.5, 0, 0, 0]]},
        {"inputs": [[1, 2, 3, 4], [0.5, 0, 0, 0]], "signature_name": "serving_default"},
    ],
    ids=str,
)
@pytest.mark.parametrize("path", ["sums:predict", "sums/versions/1:predict"])
def test_one_input_is_bare_in_rows_and_in_columns(kinds_server, path, document):
    reply = ask(kinds_server, path, **document)
    key = "predictions" if "instances" in document else "outputs"
    assert reply.json() == {key: [[10, -10], [0.5, -0.5]]}


def test_one_input_may_be_named(kinds_server):
    name = input_of(kinds_server, "sums")
    rows = answered(kinds_server, "sums:predict", instances=[{name: [1, 1, 1, 1]}])
    columns = answered(kinds_server, "sums:predict", inputs={name: [[1, 1, 1, 1]]})
    assert rows == columns == [[4, -4]]


def test_several_inputs_and_outputs_are_named_in_rows(kinds_server):
    rows = [{"a": [1, 2], "b": [3, 5]}, {"b": [0, 0], "a": [1, 1]}]
    assert answered(kinds_server, "two:predict", instances=rows) == [
        {"sum": [4, 7], "less": [-2, -3]},
        {"sum": [1, 1], "less": [1, 1]},
    ]


def test_several_inputs_and_outputs_are_named_in_columns(kinds_server):
    columns = {"a": [[1, 2], [1, 1]], "b": [[3, 5], [0, 0]]}
    assert answered(kinds_server, "two:predict", inputs=columns) == {
        "sum": [[4, 7], [1, 1]],
        "less": [[-2, -3], [1, 1]],
    }


def test_images_are_base64_or_numbers_in_one_request(kinds_server):
    rows = [*B64, RED.tolist(), B64[1]["b64"]]
    scores = answered(kinds_server, "colours/versions/1:predict", instances=rows)
    assert np.argmax(scores, 1).tolist() == [0, 1, 2, 0, 1]
    assert scores[0] == pytest.approx(scores[3])


def test_images_in_columns(kinds_server):
    name = input_of(kinds_server, "colours")
    columns = {name: B64}
    scores = answered(kinds_server, "colours/versions/1:predict", inputs=columns)
    assert np.argmax(scores, 1).tolist() == [0, 1, 2]


def test_the_digits_sample_is_a_three(kinds_server):
    sample = (ROOT / "models" / "digits" / "sample.png").read_bytes()
    image = {"b64": b64encode(sample).decode()}
    (scores,) = answered(kinds_server, "digits:predict", instances=[image])
    assert np.argmax(scores) == 3


def test_texts_are_strings_or_base64(kinds_server):
    rows = ["good good", {"b64": b64encode(b"so bad").decode()}, ["good"]]
    scores = answered(kinds_server, "words:predict", instances=rows)
    assert np.argmax(scores, 1).tolist() == [1, 0, 1]


def test_strings_come_back_as_text_or_as_bytes_by_their_name(kinds_server):
    """An output whose name ends with _bytes is binary, as TensorFlow Serving has it."""
    words = [["a", {"b64": b64encode("ä".encode()).decode()}]]
    assert answered(kinds_server, "shout:predict", instances=words) == [
        {"loud": ["A", "ä"], "raw_bytes": [{"b64": "YQ=="}, {"b64": "w6Q="}]}
    ]


def test_classify_pairs_every_label_with_its_score(kinds_server):
    name = input_of(kinds_server, "colours")
    results = answered(
        kinds_server,
        "colours/versions/1:classify",
        examples=[{name: B64[0]}, {name: B64[2]}],
    )
    assert [pairs[0][0] for pairs in results] == ["red", "blue"]
    assert {label for label, _ in results[0]} == {"red", "green", "blue"}
    assert sum(score for _, score in results[0]) == pytest.approx(1)


def test_a_context_is_part_of_every_example(kinds_server):
    """`sum` and `less` are two numbers each: that is no regression."""
    examples = {"context": {"a": [1, 2]}, "examples": [{"b": [1, 1]}]}
    reply = ask(kinds_server, "two:regress", **examples)
    assert "more than one number" in reply.json()["error"]
    examples["examples"][0]["a"] = [1, 2]
    assert "context" in ask(kinds_server, "two:regress", **examples).json()["error"]


def test_a_request_may_be_larger_than_the_models_batch(kinds_server):
    rows = list(range(20, 220))
    got = answered(kinds_server, "half:predict", instances=rows)
    assert got == [n / 2 + 3 for n in rows]


def test_requests_may_be_compressed(kinds_server):
    body = gzip.compress(b'{"instances": [1.0]}')
    headers = {"Content-Encoding": "gzip"}
    path = "/v1/models/half:predict"
    reply = kinds_server.post(path, data=body, headers=headers)
    assert reply.json() == {"predictions": [3.5]}
    bomb = gzip.compress(b" " * 9 * 2**20)
    assert kinds_server.post(path, data=bomb, headers=headers).status_code == 413


def test_many_clients_each_get_their_own(kinds_server):
    def one(n):
        return answered(kinds_server, "half:predict", instances=[n, n + 1])

    numbers = range(20, 84)
    with ThreadPoolExecutor(16) as pool:
        for n, got in zip(numbers, pool.map(one, numbers), strict=True):
            assert got == [n / 2 + 3, (n + 1) / 2 + 3]


BAD = {
    "rows and columns": {"instances": [1], "inputs": [1]},
    "neither": {"instance": [1]},
    "rows that are none": {"instances": 5},
    "no rows": {"instances": []},
    "columns that are none": {"inputs": 5},
    "no columns": {"inputs": {}},
    "empty columns": {"inputs": []},
    "a column that is none": {"inputs": {"instances": 5}},
    "bytes instead of columns": {"inputs": B64[0]},
    "another name": {"instances": [{"x": 1}]},
    "another column": {"inputs": {"x": [1]}},
    "bytes for numbers": {"instances": [B64[0]]},
    "text for numbers": {"instances": ["1"]},
    "null": {"instances": [None]},
    "ragged numbers": {"instances": [[[1, 2], [3]]]},
    "another signature": {"instances": [1], "signature_name": "classify"},
    "a signature that is no name": {"instances": [1], "signature_name": [1]},
}


@pytest.mark.parametrize("what", BAD)
def test_a_bad_request_is_400_with_a_sentence(kinds_server, what):
    reply = ask(kinds_server, "half:predict", **BAD[what])
    assert reply.status_code == 400, reply.text
    assert reply.json()["error"].endswith(".")
    assert reply.json()["success"] is False


@pytest.mark.parametrize(
    ("path", "document"),
    [
        ("two:predict", {"instances": [[1, 2]]}),
        ("two:predict", {"instances": [{"a": [1, 2]}]}),
        ("two:predict", {"instances": [{"a": [1, 2], "b": [1, 2], "c": [1, 2]}]}),
        ("two:predict", {"inputs": [[1, 2]]}),
        ("two:predict", {"inputs": {"a": [[1, 2]]}}),
        ("two:predict", {"inputs": {"a": [[1, 2]], "b": [[1, 2], [3, 4]]}}),
        ("words:predict", {"instances": [1]}),
        ("words:predict", {"instances": [["a", "b"]]}),
        ("words:predict", {"instances": [{"b64": "?"}]}),
        ("words:predict", {"instances": [{"b64": "/w=="}]}),
        ("words:predict", {"instances": [{"b64": 5}]}),
        ("shout:predict", {"instances": [["a"]]}),
        ("lookup:predict", {"instances": [[1.5, 1, 1]]}),
        ("half:classify", {"examples": [{"instances": 1}]}),
        ("colours:classify", {"instances": B64}),
        ("colours:classify", {"examples": []}),
        ("colours:classify", {"examples": {}}),
        ("colours:classify", {"examples": ["red"]}),
        ("colours:classify", {"examples": [{}], "context": []}),
        ("colours:classify", {"examples": [{}], "context": {"x": 1}}),
        ("colours:regress", {"examples": [{}], "signature_name": "x"}),
    ],
    ids=str,
)
def test_what_a_model_cannot_take_is_400(kinds_server, path, document):
    reply = ask(kinds_server, path, **document)
    assert reply.status_code == 400, reply.text
    assert reply.json()["error"].endswith(".")


@pytest.mark.parametrize("axes", [33, 64, 400])
@pytest.mark.parametrize("model", ["words", "shout", "half"])
def test_lists_nested_too_deeply_are_400(kinds_server, model, axes):
    deep = "[" * axes + '"a"' + "]" * axes
    path = f"/v1/models/{model}:predict"
    reply = kinds_server.post(path, data=f'{{"instances": [{deep}]}}')
    assert reply.status_code == 400, reply.text


@pytest.mark.parametrize("body", [b"", b"{", b"[1]", b"5", b"null", b"\xff"])
def test_what_is_no_json_object_is_400(kinds_server, body):
    assert kinds_server.post("/v1/models/half:predict", data=body).status_code == 400


def test_one_bad_instance_fails_the_request_and_is_named(kinds_server):
    rows = [B64[0], B64[1], {"b64": "aaaa"}, B64[2]]
    reply = ask(kinds_server, "colours:predict", instances=rows)
    assert (reply.status_code, reply.json()["code"]) == (400, "not_an_image")
    assert reply.json()["error"].startswith("Instance 2: ")


def test_a_model_that_answers_nan_has_failed(kinds_server):
    """TensorFlow Serving would write NaN, which is not JSON."""
    reply = ask(kinds_server, "half:predict", instances=[1.0, -1.0])
    assert (reply.status_code, reply.json()["code"]) == (500, "model_failed")


def test_an_instance_that_the_model_fails_on_is_not_the_clients_mistake(kinds_server):
    reply = ask(kinds_server, "half:predict", instances=[1, 13])
    assert (reply.status_code, reply.json()["code"]) == (500, "model_failed")
    assert "Instance" not in reply.json()["error"]


@pytest.mark.parametrize(
    ("verb", "document"),
    [
        ("predict", {"instances": [1] * 257}),
        ("predict", {"inputs": [1] * 257}),
        ("regress", {"examples": [{}] * 257}),
    ],
    ids=["rows", "columns", "examples"],
)
def test_more_instances_than_one_request_may_bring_are_413(
    kinds_server, verb, document
):
    reply = ask(kinds_server, f"half:{verb}", **document)
    assert (reply.status_code, reply.json()["code"]) == (413, "too_many_inputs")


def test_more_texts_than_an_instance_may_have_are_413(kinds_server):
    rows = [["a"] * 20_000]
    assert ask(kinds_server, "shout:predict", instances=rows).status_code == 413


@pytest.mark.parametrize("whole", [True, False], ids=["whole", "chunked"])
def test_a_large_body_is_413(kinds_server, whole):
    body = b" " * (9 * 2**20)
    body = body if whole else iter([body])
    reply = kinds_server.post("/v1/models/half:predict", data=body)
    assert (reply.status_code, reply.json()["code"]) == (413, "too_large")


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "cats", 404, "no_such_model"),
        ("GET", "cats/metadata", 404, "no_such_model"),
        ("GET", "half/versions/7", 404, "no_such_version"),
        ("GET", "half/versions/x", 404, "no_such_version"),
        ("GET", "half/labels/stable", 404, "not_found"),
        ("GET", "broken/metadata", 503, "model_not_loaded"),
        ("GET", "half:predict", 405, "method_not_allowed"),
        ("POST", "half", 405, "method_not_allowed"),
        ("POST", "half:explain", 404, "not_found"),
        ("POST", "half:predict:predict", 404, "not_found"),
        ("POST", "cats:predict", 404, "no_such_model"),
        ("POST", "half/versions/7:predict", 404, "no_such_version"),
        ("POST", f"half/versions/{2**64}:predict", 404, "no_such_version"),
        ("POST", "half/labels/stable:predict", 404, "not_found"),
        ("POST", "broken:predict", 503, "model_not_loaded"),
    ],
)
def test_errors_are_a_string_for_those_clients(
    kinds_server, method, path, status, code
):
    url = f"{kinds_server.url}/v1/models/{path}"
    reply = requests.request(method, url, json={"instances": [1]}, timeout=30)
    assert (reply.status_code, reply.json()["code"]) == (status, code)
    assert isinstance(reply.json()["error"], str)


def test_other_origins_may_ask(kinds_server):
    origin = {"Origin": "https://shop.example"}
    for path in ("", "/half", "/half/metadata", "/half:predict", "/cats"):
        reply = kinds_server.get(f"/v1/models{path}", headers=origin)
        assert reply.headers["Access-Control-Allow-Origin"] == "*"
    preflight = requests.options(
        f"{kinds_server.url}/v1/models/half:predict",
        headers=origin | {"Access-Control-Request-Method": "POST"},
        timeout=30,
    )
    assert preflight.status_code == 200


def test_where_the_time_went_is_told(kinds_server):
    header = ask(kinds_server, "half:predict", instances=[1]).headers["Server-Timing"]
    assert [part.split(";")[0] for part in header.split(", ")] == [
        "decode",
        "queue",
        "predict",
    ]
