"""POST /predict over a real socket: every form of the contract, every error as JSON."""

import json
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from made import picture

PNG = picture("red")
TEXT = b64encode(PNG).decode()


def form(*parts, field="image"):
    return {"files": [(field, ("picture", part)) for part in parts]}


def labels(body) -> list[str]:
    return [prediction["label"] for prediction in body["predictions"]]


@pytest.mark.parametrize(
    "request_",
    [
        form(PNG),
        form(PNG, field="file"),
        {"data": PNG, "headers": {"Content-Type": "image/png"}},
        {"data": PNG, "headers": {"Content-Type": "image/whatever"}},
        {"json": {"image": TEXT}},
        {"json": {"image": f"data:image/png;base64,{TEXT}"}},
    ],
    ids=["image", "file", "raw", "raw of any type", "base64", "data URL"],
)
def test_one_picture_in_any_form_gets_one_reply(server, request_):
    reply = server.post("/predict", **request_)
    body = reply.json()
    assert reply.status_code == 200
    assert list(body) == ["success", "predictions", "model", "id"]
    assert body["success"] is True
    assert labels(body)[0] == "red"
    assert body["predictions"][0]["probability"] > 0.99
    assert body["model"] == {"name": "colours", "version": "1"}
    assert len(body["id"]) == 32


def test_a_chunked_body_is_read(server):
    reply = server.post(
        "/predict",
        data=iter([PNG[:50], PNG[50:]]),
        headers={"Content-Type": "image/png"},
    )
    assert labels(reply.json())[0] == "red"


def test_several_files_get_results_in_their_order(server):
    sent = [picture(c) for c in ("red", "lime", "blue")]
    body = server.post("/predict", **form(*sent[:1], b"broken", *sent[1:])).json()
    assert body["success"] is True
    assert [
        labels(r)[0] if "predictions" in r else r["code"] for r in body["results"]
    ] == [
        "red",
        "not_an_image",
        "green",
        "blue",
    ]


def test_both_fields_of_one_form_are_read(server):
    files = [("file", ("a", picture("lime"))), ("image", ("b", picture("blue")))]
    body = server.post("/predict", files=files).json()
    assert [labels(r)[0] for r in body["results"]] == ["blue", "green"]


def test_instances_may_be_images_and_numbers(server):
    numbers = np.zeros((24, 24, 3))
    numbers[..., 2] = 1
    instances = [TEXT, numbers.tolist(), "no base64", [1, 2]]
    body = server.post("/predict", json={"instances": instances}).json()
    first, second, third, fourth = body["results"]
    assert labels(first)[0] == "red"
    assert labels(second)[0] == "blue"
    assert third["code"] == "not_base64"
    assert fourth["code"] == "wrong_shape"


def test_one_instance_still_answers_a_list(server):
    body = server.post("/predict", json={"instances": [TEXT]}).json()
    assert len(body["results"]) == 1


def test_when_no_input_can_be_used_the_status_is_422(server):
    reply = server.post("/predict", **form(b"one", b"two"))
    body = reply.json()
    assert reply.status_code == 422
    assert body["success"] is False
    assert [r["code"] for r in body["results"]] == ["not_an_image"] * 2


@pytest.mark.parametrize(("top", "count"), [("1", 1), ("2", 2), ("3", 3), ("99", 3)])
def test_top_says_how_many_labels(server, top, count):
    body = server.post(f"/predict?top={top}", **form(PNG)).json()
    assert len(body["predictions"]) == count


JSON = {"Content-Type": "application/json"}
BAD = {
    "no body": ({}, 415, "unsupported_type"),
    "text": ({"data": "hi", "headers": {"Content-Type": "text/plain"}}, 415, None),
    "a form without a file": ({"files": {"other": b"x"}}, 400, "no_file"),
    "a form without parts": (
        {"data": b"", "headers": {"Content-Type": "multipart/form-data; boundary=x"}},
        400,
        "no_file",
    ),
    "a form without boundary": (
        {"data": b"x", "headers": {"Content-Type": "multipart/form-data"}},
        400,
        None,
    ),
    "no image": (form(b"hello"), 422, "not_an_image"),
    "an empty file": (form(b""), 422, "not_usable"),
    "a cut image": (form(PNG[:60]), 422, "broken_image"),
    "broken JSON": ({"data": b"{", "headers": JSON}, 400, "malformed"),
    "JSON that is not UTF-8": ({"data": b'{"a":"\xff"}', "headers": JSON}, 400, None),
    "deep JSON": ({"data": b"[" * 100_000, "headers": JSON}, 400, "malformed"),
    "a JSON list": ({"json": [TEXT]}, 400, "malformed"),
    "no known field": ({"json": {"picture": TEXT}}, 400, "malformed"),
    "two fields": ({"json": {"image": TEXT, "instances": [TEXT]}}, 400, "malformed"),
    "a number as image": ({"json": {"image": 5}}, 400, "malformed"),
    "no base64": ({"json": {"image": "?"}}, 422, "not_base64"),
    "a text": ({"json": {"text": "I love it"}}, 422, "not_usable"),
    "a URL": ({"json": {"url": "https://example.com/a.png"}}, 422, "not_usable"),
    "no instances": ({"json": {"instances": []}}, 400, "malformed"),
    "65 instances": ({"json": {"instances": [TEXT] * 65}}, 413, "too_many_inputs"),
    "65 files": (form(*[PNG] * 65), 413, "too_many_inputs"),
}


@pytest.mark.parametrize("what", BAD)
def test_bad_input_gets_its_status_and_a_sentence(server, what):
    request_, status, code = BAD[what]
    reply = server.post("/predict", **request_)
    body = reply.json()
    assert reply.status_code == status
    assert reply.headers["Content-Type"] == "application/json"
    assert body["success"] is False
    assert body["error"].endswith((".", "?"))
    assert len(body["id"]) == 32
    assert code in (None, body["code"])
    assert "Traceback" not in reply.text


@pytest.mark.parametrize("value", ["0", "-1", "1.5", "x", "", "٣", "1e3", "1" * 19])
@pytest.mark.parametrize("name", ["top", "version"])
def test_a_number_in_the_query_must_be_one(server, name, value):
    reply = server.post(f"/predict?{name}={value}", **form(PNG))
    assert reply.status_code == 400
    assert f"?{name}=" in reply.json()["error"]


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/predict", 405, "method_not_allowed"),
        ("GET", "/nothing", 404, "not_found"),
        ("POST", "/predict?model=cats", 404, "no_such_model"),
        ("POST", "/predict?version=9", 404, "no_such_version"),
        ("POST", "/predict?version=20261121013502", 404, "no_such_version"),
    ],
)
def test_a_wrong_route_model_or_version_is_json_too(server, method, path, status, code):
    import requests

    reply = requests.request(method, server.url + path, timeout=30, **form(PNG))
    assert (reply.status_code, reply.json()["code"]) == (status, code)
    assert status != 405 or reply.headers["Allow"] == "OPTIONS, POST"


def test_json_has_a_smaller_limit_than_pictures(server):
    huge = json.dumps({"image": "A" * (9 * 2**20)})
    reply = server.post("/predict", data=huge, headers=JSON)
    assert reply.status_code == 413
    assert "8 MiB" in reply.json()["error"]
    chunked = server.post("/predict", data=iter([huge.encode()]), headers=JSON)
    assert chunked.status_code == 413


def test_the_request_id_is_echoed_when_it_is_harmless(server):
    def ask(given):
        return server.post("/predict", headers={"X-Request-ID": given}, **form(PNG))

    assert ask("abc-1.2_3").headers["X-Request-ID"] == "abc-1.2_3"
    for given in ("x" * 65, "a b", "ü".encode()):
        reply = ask(given)
        assert reply.headers["X-Request-ID"] == reply.json()["id"]


def test_server_timing_says_where_the_time_went(server):
    header = server.post("/predict", **form(PNG)).headers["Server-Timing"]
    parts = [part.split(";")[0] for part in header.split(", ")]
    assert parts == ["decode", "queue", "predict"]
    assert 'desc="batch 1"' in header


def test_other_origins_may_call_predict(server):
    origin = {"Origin": "https://shop.example"}
    for reply in (
        server.post("/predict", headers=origin, **form(PNG)),
        server.post("/predict", headers=origin),  # 415
        server.post("/predict?model=x", headers=origin),  # 404
        server.get("/predict", headers=origin),  # 405
        server.get("/models", headers=origin),
    ):
        assert reply.headers["Access-Control-Allow-Origin"] == "*"
        exposed = reply.headers["Access-Control-Expose-Headers"]
        assert set(exposed.split(", ")) == {
            "X-Request-ID",
            "Retry-After",
            "Server-Timing",
        }
        assert "Access-Control-Allow-Credentials" not in reply.headers


def test_a_preflight_allows_the_contracts_headers(server):
    import requests

    reply = requests.options(
        server.url + "/predict",
        headers={
            "Origin": "https://shop.example",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization, content-type, x-api-key",
        },
        timeout=30,
    )
    assert reply.status_code == 200
    assert "POST" in reply.headers["Access-Control-Allow-Methods"]
    allowed = reply.headers["Access-Control-Allow-Headers"].lower()
    assert {"authorization", "content-type", "x-api-key"} <= set(allowed.split(", "))


@pytest.mark.parametrize("path", ["/predict", "/v1/models", "/v2/models/m/infer"])
def test_a_preflight_allows_every_header_that_it_names(server, path):
    """Uploaders, tracers and pages that compress send headers of their own."""
    import requests

    named = "cache-control, content-encoding, traceparent, x-requested-with"
    reply = requests.options(
        server.url + path,
        headers={
            "Origin": "https://shop.example",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": named,
        },
        timeout=30,
    )
    assert reply.status_code == 200
    assert reply.headers["Access-Control-Allow-Origin"] == "*"
    assert reply.headers["Access-Control-Allow-Headers"] == named
    assert "Access-Control-Allow-Credentials" not in reply.headers


@pytest.mark.parametrize(
    "path", ["/", "/livez", "/readyz", "/healthz", "/models/m/examples/a.png"]
)
def test_the_page_and_the_probes_are_for_their_own_origin(server, path):
    reply = server.get(path, headers={"Origin": "https://shop.example"})
    assert "Access-Control-Allow-Origin" not in reply.headers


def test_64_clients_with_good_and_broken_files_each_get_their_own_answer(server):
    """And /livez answers throughout; how fast is `make bench`'s to say."""
    kinds = {
        "red": picture("red", (640, 427), "JPEG"),
        "green": picture("lime", (1200, 900), "PNG"),
        "blue": picture("blue", (200, 300), "WEBP"),
        "not_an_image": b"no picture",
        "broken_image": picture("red")[:60],
    }
    jobs = [list(kinds)[i % len(kinds)] for i in range(320)]

    def client(kind):
        body = server.post("/predict", **form(kinds[kind])).json()
        return labels(body)[0] if body["success"] else body["code"]

    with ThreadPoolExecutor(65) as pool:
        probes = pool.submit(
            lambda: [server.get("/livez").elapsed.total_seconds() for _ in range(40)]
        )
        assert list(pool.map(client, jobs)) == jobs
        assert max(probes.result()) < 2, "the hub stood still"


def test_several_models_answer_by_name_and_version(several_server):
    post = several_server.post
    grey = picture((100, 100, 100))
    traits = post("/predict?model=traits", **form(grey)).json()["predictions"]
    assert traits == [
        {"label": "brightness", "value": 100},
        {"label": "half", "value": 50},
    ]
    sums = post("/predict?model=sums", json={"instances": [[1, 2, 3, 4]]}).json()
    assert sums["results"][0]["predictions"] == [{"values": [10, -10]}]
    assert post("/predict?model=sums", **form(grey)).status_code == 422
    newest = post("/predict", **form(PNG)).json()
    oldest = post("/predict?version=1", **form(PNG)).json()
    assert (newest["model"]["version"], oldest["model"]["version"]) == ("2", "1")
    first = [b["predictions"][0]["probability"] for b in (newest, oldest)]
    assert first[0] < 0.6 < 0.99 < first[1]


def test_a_model_that_could_not_be_loaded_says_why(several_server):
    reply = several_server.post("/predict?model=broken", **form(PNG))
    assert reply.status_code == 503
    assert reply.json()["code"] == "model_not_loaded"
    assert int(reply.headers["Retry-After"]) >= 1


def test_models_describes_all_that_is_served(several_server):
    body = several_server.get("/models").json()
    assert body["default"] == "colours"
    assert [f["name"] for f in body["failed"]] == ["broken"]
    by_name = {(m["name"], m["version"]): m for m in body["models"]}
    newest = by_name["colours", "2"]
    assert newest["default"] is True
    assert by_name["colours", "1"]["default"] is False
    assert newest["versions"] == ["1", "2"]
    assert newest["labels"] == ["red", "green", "blue"]
    assert newest["input"]["shape"] == [24, 24, 3]
    assert newest["engine"] == "tensorflow"
    assert len(newest["sha256"]) == 64
    assert by_name["sums", "1"]["task"] == "tensor"
    assert "rescales" in " ".join(by_name["traits", "1"]["inferred"])


def test_readyz_is_ready_and_says_what_failed(several_server):
    for path in ("/readyz", "/healthz"):
        reply = several_server.get(path)
        assert reply.status_code == 200
        assert reply.json()["failed"][0]["name"] == "broken"


def test_the_log_has_a_line_for_each_request_and_none_forged(server):
    given = "my-own-id"
    server.post("/predict?model=%0aforged", headers={"X-Request-ID": given})
    server.wait_for_log(
        rf"POST /predict 404 [0-9.]+ ms id={given} "
        r"client=127\.0\.0\.1 reply_id=[0-9a-f]{32} code=no_such_model\n"
    )
    server.get("/some%0aforged")
    server.wait_for_log(r"GET \(no route\) 404")
    assert "\nforged" not in server.log()
