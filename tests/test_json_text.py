"""JSON in and out: what is no JSON is a sentence, and no body stops the hub."""

import gc
import json
import threading
import time

import numpy as np
import orjson
import pytest

from facenality.errors import Malformed, ModelFailed, TooLarge
from facenality.tasks import describe
from facenality.web import json_body, json_chunked
from serving import Served
from sleeping import sleeper

MIB = 1 << 20


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (
            b'{"a":[1,-0.5,1e3,true,null,"\xc3\xa9"]}',
            {"a": [1, -0.5, 1e3, True, None, "é"]},
        ),
        (b"\xef\xbb\xbf[1]", [1]),
        (b'{"a":1,"a":2}', {"a": 2}),
        (b'"\\ud83d\\ude00"', "😀"),
        (b'["\\ud800","whole"]', ["\ud800", "whole"]),
        (b'{"\\udc00":1}', {"\udc00": 1}),
        (b"-0", 0),
        (b"1e-400", 0.0),
        (b"18446744073709551615", 2**64 - 1),
        (b"[" * 900 + b"]" * 900, None),
    ],
)
def test_json_is_read(text, value):
    got = json_body.loads(text)
    assert value is None or got == value


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b" ",
        b"{",
        b"[1,]",
        b"[1] [2]",
        b"{'a':1}",
        b"NaN",
        b"[Infinity]",
        b"-Infinity",
        b"1e400",
        b"-1e400",
        b"1" * 5000,
        b"01",
        b"0x10",
        b'"\x00"',
        b'"a\nb"',
        b'"\xff"',
        b'"\xed\xa0\x80"',
        '"é"'.encode("latin-1"),
        '{"a":1}'.encode("utf-16"),
        b"[" * 100_000,
        b"[" * 5000 + b"]" * 5000,
        b'["\\ud800"' + b"[" * 5000,
        b'"\\ud8"',
        b"nul",
    ],
)
def test_what_is_no_json_is_said_to_be_none(text):
    with pytest.raises(Malformed, match=r"not JSON: .*\.$") as caught:
        json_body.loads(text)
    assert len(str(caught.value)) < 200
    assert gc.isenabled()


@pytest.mark.parametrize("body", [b"[]", b"{}", b'{"a":0}', b"[[[[]]]]", b"0"])
def test_too_many_lists_keys_and_values_are_refused_before_they_are_made(body):
    count = 8 * MIB // (len(body) + 1)
    with pytest.raises(TooLarge, match="lists and keys") as caught:
        json_body.loads(b"[" + b",".join([body] * count) + b"]")
    assert caught.value.code == "too_many_values"


def test_ten_pictures_of_numbers_are_not_too_many():
    pixel = b"[" + b",".join([b"128"] * 3) + b"]"
    row = b"[" + b",".join([pixel] * 224) + b"]"
    one = b"[" + b",".join([row] * 224) + b"]"
    document = json_body.loads(b'{"instances":[' + b",".join([one] * 10) + b"]}")
    assert np.shape(document["instances"]) == (10, 224, 224, 3)


def test_parsing_does_not_wake_the_collector():
    seen = []
    gc.callbacks.append(lambda *_: seen.append(1))
    try:
        gc.disable()
        body = b"[" + b",".join([b"[]"] * 400_000) + b"]"
        seen.clear()
        gc.enable()
        orjson.loads(body)
        woken = len(seen)
        seen.clear()
        with json_chunked.paused():
            orjson.loads(body)
        assert len(seen) == 0 < woken
    finally:
        gc.callbacks.pop()


def test_floats_are_written_as_json_has_them():
    row = np.array([0.1, 1e-30, 16_777_217.0, -0.0], "float32")
    text = json_body.dumps({"values": describe.values(row)})
    assert json.loads(text)["values"] == row.tolist()


@pytest.mark.parametrize(
    "scores",
    [
        np.array([1.0, np.nan]),
        np.array([np.inf], "float32"),
        np.array([-np.inf], "float16"),
        np.array([1 + 2j]),
        np.array(["2026-11-21"], "datetime64[D]"),
    ],
    ids=str,
)
def test_scores_that_json_cannot_carry_are_the_models_failure(scores):
    with pytest.raises(ModelFailed, match="model answered"):
        describe.values(scores)
    with pytest.raises(ModelFailed):
        describe.values({"out": scores})


NAN = """
def load(folder): return None
def predict(model, instances): return [[x and float("nan")] for [x] in instances]
"""


def test_an_instance_whose_answer_is_nan_fails_alone(tmp_path):
    folder = tmp_path / "m" / "odd"
    folder.mkdir(parents=True)
    (folder / "model.py").write_text(NAN)
    (folder / "model.toml").write_text('task = "tensor"\n')
    with Served(tmp_path / "m") as server:
        sent = {"instances": [[0], [1], [0]]}
        results = server.ready().post("/predict", json=sent).json()["results"]
    assert [r.get("code") for r in results] == [None, "model_failed", None]
    assert "NaN" in results[1]["error"]


WIDE = """
import numpy as np
def load(folder): return None
def predict(model, instances): return np.full((len(instances), 1_000_000), 0.123, "f4")
"""


def hostile() -> list[bytes]:
    """8 MiB each, of what takes parsers longest."""
    rows = b",".join([b"[0,0]"] * 500_000)
    return [
        b'{"instances":[' + b",".join([b"[]"] * 2_700_000) + b"]}",
        b'{"instances":[' + b",".join([b"0"] * 2_400_000) + b"]}",
        b'{"instances":[[' + b",".join([b"0"] * 2_400_000) + b"]]}",
        b'{"instances":[[' + rows + b"]]}",
        b'{"instances":[' + b",".join([b"[" * 500 + b"]" * 500] * 1000) + b"]}",
        b"{" + b",".join(b'"%d":0' % n for n in range(500_000)) + b"}",
        b'{"image":"' + b"A" * (8 * MIB - 20) + b'"}',
        b'{"image":"' + b"\\u0041" * 1_390_000 + b'"}',
        b'{"text":"\\ud800' + b"[" * 8_000_000 + b'"}',
    ]


def test_livez_is_answered_while_heavy_bodies_arrive_and_heavy_replies_leave(tmp_path):
    """The longest gap was 2.6 s for the first of them; the bound is a generous one."""
    sleeper(tmp_path / "m" / "sums", 0)
    folder = tmp_path / "m" / "wide"
    folder.mkdir()
    (folder / "model.py").write_text(WIDE)
    (folder / "model.toml").write_text('task = "tensor"\n')
    with Served(tmp_path / "m", "--model", "sums") as server:
        server.ready()
        gaps, over = [], threading.Event()

        def probe():
            while not over.is_set():
                began = time.monotonic()
                assert server.get("/livez").status_code == 200
                gaps.append(time.monotonic() - began)

        prober = threading.Thread(target=probe)
        prober.start()
        try:
            json_type = {"Content-Type": "application/json"}
            for body in hostile():
                reply = server.post("/predict", data=body, headers=json_type)
                assert reply.status_code < 500, reply.text[:200]
                assert reply.json()["success"] is (reply.status_code == 200)
            wide = server.post("/predict?model=wide", json={"instances": [[1]]})
            assert len(wide.json()["results"][0]["predictions"][0]["values"]) == 10**6
            two = server.post("/predict?model=wide", json={"instances": [[1]] * 2})
            assert two.json()["results"][1]["code"] == "reply_too_large"
        finally:
            over.set()
            prober.join()
    assert len(gaps) > 20
    assert max(gaps) < 2


@pytest.mark.parametrize(
    ("instances", "status", "code"),
    [
        ([[1.0], [1.0]], 500, "model_failed"),
        (["a text", "another"], 422, "not_usable"),
        ([[1.0], "a text"], 422, "not_usable"),
    ],
    ids=["the model failed on each", "none is an input", "one of each"],
)
def test_when_no_instance_is_answered_the_status_says_whose_fault_it_is(
    tmp_path, instances, status, code
):
    folder = tmp_path / "m" / "odd"
    folder.mkdir(parents=True)
    (folder / "model.py").write_text(NAN)
    (folder / "model.toml").write_text('task = "tensor"\n')
    with Served(tmp_path / "m") as server:
        reply = server.ready().post("/predict", json={"instances": instances})
    assert (reply.status_code, reply.json()["code"]) == (status, code)
    assert len(reply.json()["results"]) == 2
