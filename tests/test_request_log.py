"""One line a request, as text or JSON; what clients send cannot forge one."""

import json
import re
import signal
import socket

import pytest
from flask import Flask, g

import made
from facenality.errors import Expired, UnprocessableInput
from facenality.observability.metrics import Metrics
from facenality.pipeline import Answer
from facenality.scheduling.batcher import Row
from facenality.web import access_log
from facenality.web.access_log import Times
from serving import Served

RED = made.picture("red")
EVIL = "x\x1b[31m\x85\u2028\u202e 2026-01-01 00:00:00,000 INFO forged=\"1\" 'x'"
TEXT_LINE = re.compile(
    r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} (INFO   |WARNING|ERROR  ) \S"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("logs")
    made.quick(root / "quick")
    return root


@pytest.fixture(scope="module")
def text(folder):
    with Served(folder) as server:
        yield server.ready()


@pytest.fixture(scope="module")
def structured(folder):
    flags = ("--log-format=json", "--text-tokens=s3cret", "--text-model=quick")
    with Served(folder, *flags, "--api-keys=k3y-of-the-house") as server:
        yield server.ready()


KEY = {"X-API-Key": "k3y-of-the-house"}


def lines(server):
    return [json.loads(line) for line in server.log().splitlines()]


def line_of(server, **sent):
    """The line of the request with this X-Request-ID."""
    server.wait_for_log(f'"id": "{sent["id"]}"')
    (line,) = [one for one in lines(server) if one.get("id") == sent["id"]]
    return line


def test_a_predictions_line_has_every_field(structured):
    headers = KEY | {"X-Request-ID": "mine-1"}
    files = [("image", RED), ("image", b"no picture"), ("image", RED)]
    reply = structured.post("/predict?top=1", files=files, headers=headers)
    assert reply.status_code == 200
    line = line_of(structured, id="mine-1")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line.pop("time"))
    for name in ("ms", "decode_ms", "queue_ms", "predict_ms"):
        assert 0 <= line.pop(name) < 30_000
    assert line.pop("batch") in (1, 2)
    assert line.pop("reply_id") == reply.json()["id"]
    assert line == {
        "level": "info",
        "method": "POST",
        "route": "/predict",
        "status": 200,
        "id": "mine-1",
        "client": "127.0.0.1",
        "model": "quick",
        "version": "1",
        "inputs": 3,
        "failed": 1,
    }


def test_the_times_of_the_line_are_those_of_server_timing(structured):
    headers = KEY | {"X-Request-ID": "timed"}
    reply = structured.post("/predict", files={"image": RED}, headers=headers)
    shown = re.findall(r"dur=([\d.]+)", reply.headers["Server-Timing"])
    line = line_of(structured, id="timed")
    assert [line[f"{part}_ms"] for part in ("decode", "queue", "predict")] == [
        float(number) for number in shown
    ]


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ({"files": {"image": b"x"}}, {"status": 422, "code": "not_an_image"}),
        ({"data": b"x"}, {"status": 415, "code": "unsupported_type", "model": "quick"}),
        ({"params": {"model": "no"}}, {"status": 404, "code": "no_such_model"}),
        ({"headers": {"X-API-Key": "?"}}, {"status": 401, "code": "unauthorized"}),
    ],
)
def test_a_refusals_line_has_its_code(structured, sent, expected):
    name = f"refused-{expected['status']}"
    headers = KEY | {"X-Request-ID": name} | sent.pop("headers", {})
    structured.post("/predict", headers=headers, **sent)
    assert expected.items() <= line_of(structured, id=name).items()


def test_text_says_the_same_in_a_sentence_and_pairs(text):
    files = {"image": RED}
    text.post("/predict", files=files, headers={"X-Request-ID": "mine-2"})
    text.get("/nothing", headers={"X-Request-ID": "mine-3"})
    number = r"\d+\.\d"
    text.wait_for_log(
        rf" INFO    POST /predict 200 {number} ms id=mine-2 client=127\.0\.0\.1 "
        r"reply_id=[0-9a-f]{32} "
        rf"model=quick version=1 batch=1 decode_ms={number} queue_ms={number} "
        rf"predict_ms={number}\n"
    )
    text.wait_for_log(
        rf" INFO    GET \(no route\) 404 {number} ms id=mine-3 "
        r"client=127\.0\.0\.1 reply_id=[0-9a-f]{32} code=not_found\n"
    )


def test_a_model_that_fails_leaves_a_traceback_in_one_object(structured, text):
    black = {"image": made.picture("black")}
    assert structured.post("/predict", files=black, headers=KEY).status_code == 500
    structured.wait_for_log("black")
    (failed,) = [one for one in lines(structured) if "traceback" in one]
    assert failed["level"] == "error"
    assert failed["message"] == "the model failed on an instance"
    assert "ValueError: black\nINFO forged" in failed["traceback"]
    assert text.post("/predict", files=black).status_code == 500
    text.wait_for_log(r"\n  \| ValueError: black\n  \| INFO forged")


def test_an_input_that_expired_counts_though_its_neighbour_was_answered():
    metrics, app = Metrics(), Flask("several")
    row = Row(None, queue_seconds=0.2, predict_seconds=0.3, batch_size=4)
    slow = Row(None, queue_seconds=0.1, predict_seconds=0.5, batch_size=2)
    access_log.set_up(app, metrics)

    @app.post("/predict")
    def predict():
        g.id = g.request_id = "x"
        access_log.answered(
            [Answer(row, 0.1, []), Expired("late"), UnprocessableInput("odd")]
        )
        access_log.answered([Answer(slow, 0.0, [])])
        assert g.account.times == Times(0.1, 0.2, 0.5, 4)
        assert (g.account.inputs, g.account.failed) == (4, 2)
        return "partly"

    reply = app.test_client().post("/predict")
    reply.close()  # as a server does when it has been sent
    assert reply.status_code == 200
    text = metrics.exposition("")[0].decode()
    assert 'facenality_rejected_total{reason="expired"} 1.0' in text
    assert "not_usable" not in text


def test_what_the_server_refuses_before_flask_is_counted_too():
    metrics = Metrics()
    metrics.answered_early(431, "head_too_large")
    metrics.answered_early(400, "malformed")
    metrics.answered_early(503, "overloaded", "/predict")
    text = metrics.exposition("")[0].decode()
    assert 'facenality_rejected_total{reason="head_too_large"} 1.0' in text
    assert 'facenality_rejected_total{reason="overloaded"} 1.0' in text
    assert "malformed" not in text, "an answer, and nothing turned away"
    for labels in (
        'code="431",route="(no route)"',
        'code="400",route="(no route)"',
        'code="503",route="/predict"',
    ):
        assert f"facenality_request_total{{{labels}}} 1.0" in text


# --- what clients send


def raw(server, request: bytes) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as sock:
        sock.sendall(request)
        sock.shutdown(socket.SHUT_WR)
        while sock.recv(65536):
            pass


def attack(server) -> None:
    """Everything a client may name, with what a forger would put there."""
    evil = EVIL.encode()
    form = (
        b'--b\r\nContent-Disposition: form-data; name="image"; filename="'
        + evil
        + b'\\n"\r\nContent-Type: '
        + evil
        + b"\r\n\r\n"
        + RED
        + b"\r\n--b--\r\n"
    )
    quoted = "x%0AINFO%20forged%1b%E2%80%A8"
    requests = [
        b"GET /" + quoted.encode() + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /\x1b[31m\xe2\x80\xa8 HTTP/1.1\r\nHost: x\r\n\r\n",
        b'FORGED\x1b[31m"=\xe2\x80\xa8 /predict HTTP/1.1\r\nHost: x\r\n\r\n',
        b"GET /x y z HTTP/1.1 INFO forged\r\n\r\n",
        b"\x1b[31mINFO forged\n\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX-Request-ID: " + evil + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX-Request-ID: a\rINFO forged\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nUser-Agent: " + evil + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: " + evil + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: " + evil + b"\r\n\r\n",
        b"POST /predict?model=" + quoted.encode() + b" HTTP/1.1\r\nHost: x\r\n"
        b"X-API-Key: k3y-of-the-house\r\nContent-Length: 0\r\n\r\n",
        b"POST /predict HTTP/1.1\r\nHost: x\r\nX-API-Key: k3y-of-the-house\r\n"
        b"Content-Type: multipart/form-data; boundary=b\r\n"
        b"Content-Length: %d\r\n\r\n" % len(form) + form,
        b"POST /predict HTTP/1.1\r\nHost: x\r\nX-API-Key: k3y-of-the-house\r\n"
        b"Content-Type: " + evil + b"\r\nContent-Length: 0\r\n\r\n",
    ]
    for request in requests:
        raw(server, request)


def test_no_client_forges_a_line_of_text(text):
    before = len(text.log())
    attack(text)
    text.get("/livez", headers={"X-Request-ID": "last"})
    text.wait_for_log("id=last")
    log = text.log()[before:]
    assert log.count("\n") >= 10
    for line in log.split("\n")[:-1]:
        assert TEXT_LINE.match(line), line
        assert line.isprintable()
        assert "INFO forged" not in line
        assert ' id="' not in line


def test_no_client_forges_a_line_of_json(structured):
    before = len(structured.log())
    attack(structured)
    structured.get("/livez", headers={"X-Request-ID": "last"})
    structured.wait_for_log('"last"')
    log = structured.log()[before:]
    assert log.isascii()
    for line in log.split("\n")[:-1]:
        event = json.loads(line)
        assert {"time", "level"} <= set(event)
        assert "message" in event or "route" in event
        assert "forged" not in str(event.get("message"))


def test_secrets_are_in_no_line(structured):
    wrong = "Bearer wr0ng-secret"
    structured.post("/predict", headers={"Authorization": wrong})
    structured.post("/predict?key=wr0ng-secret", headers=KEY)
    structured.post("/api/v1/s3cret/predict", json={})
    structured.post("/api/v1/wr0ng-secret/predict", json={})
    structured.process.send_signal(signal.SIGHUP)
    structured.wait_for_log("keys: reloaded")
    for secret in ("s3cret", "k3y-of-the-house", "wr0ng-secret"):
        assert secret not in structured.log()


def test_every_line_of_a_run_with_json_is_an_object(structured):
    assert len(lines(structured)) > 10
