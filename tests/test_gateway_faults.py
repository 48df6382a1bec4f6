"""Whatever TensorFlow Serving does, a client hears a status of the contract."""

import time

import pytest

import exported
from standing_in import ModelServer

pytestmark = pytest.mark.full

TIMEOUT = 2.0
ROW = [1, 2, 3, 4]

UNAVAILABLE = (503, "model_server_unavailable")
BAD, FAILED = (502, "bad_answer"), (500, "model_failed")
FAULTS = [
    ({"kind": "slow", "seconds": 0.5}, (200, None)),
    ({"kind": "status", "code": "UNAVAILABLE", "times": 2}, (200, None)),
    ({"kind": "status", "code": "UNAVAILABLE"}, UNAVAILABLE),
    ({"kind": "status", "code": "RESOURCE_EXHAUSTED"}, UNAVAILABLE),
    ({"kind": "status", "code": "NOT_FOUND"}, UNAVAILABLE),
    ({"kind": "status", "code": "FAILED_PRECONDITION"}, UNAVAILABLE),
    ({"kind": "status", "code": "UNIMPLEMENTED"}, UNAVAILABLE),
    ({"kind": "status", "code": "PERMISSION_DENIED"}, UNAVAILABLE),
    ({"kind": "status", "code": "INTERNAL"}, FAILED),
    ({"kind": "status", "code": "UNKNOWN"}, FAILED),
    ({"kind": "status", "code": "INVALID_ARGUMENT"}, FAILED),
    ({"kind": "slow", "seconds": 2 * TIMEOUT}, (504, "expired")),
    ({"kind": "hang"}, (504, "expired")),
    ({"kind": "drops a row"}, BAD),
    ({"kind": "adds a row"}, BAD),
    ({"kind": "adds an axis"}, BAD),
    ({"kind": "drops a score"}, BAD),
    ({"kind": "whole numbers"}, BAD),
    ({"kind": "words"}, BAD),
    ({"kind": "no outputs"}, BAD),
    ({"kind": "another name"}, BAD),
    ({"kind": "torn"}, BAD),
    ({"kind": "another version"}, BAD),
    ({"kind": "nan"}, FAILED),
]


@pytest.fixture(scope="module", params=["fields", "content"])
def server(request):
    content = ["--content"] if request.param == "content" else []
    with ModelServer.asleep(0, 1, *content) as one:
        yield one


@pytest.fixture(scope="module")
def gateway(server, tmp_path_factory):
    models = tmp_path_factory.mktemp("cards")
    pinned = 'task = "tensor"\n[tf_serving]\nversion = 1\n'
    exported.card(models, "sums", pinned)
    flags = (f"--request-timeout-s={TIMEOUT}",)
    with exported.gateway(models, server, flags=flags) as served:
        yield served.ready()


@pytest.fixture
def well(server):
    yield
    server.well()


def ask(gateway, *rows):
    return gateway.post("/predict", json={"instances": rows or [ROW]})


@pytest.mark.parametrize(("fault", "expected"), FAULTS, ids=str)
def test_a_fault_is_told_by_its_status_and_a_sentence(
    gateway, server, well, fault, expected
):
    server.fault(**fault)
    started = time.monotonic()
    reply = gateway.post("/v1/models/sums:predict", json={"instances": [ROW]})
    took = time.monotonic() - started
    body = reply.json()
    assert (reply.status_code, body.get("code")) == expected, body
    assert took < TIMEOUT + 1
    if reply.status_code == 200:
        assert body["predictions"] == [[10, 5]]
    else:
        assert body["error"].endswith(".")
        assert "Traceback" not in reply.text
        assert server.host not in reply.text, "where it is, is nobody's business"
    assert ("Retry-After" in reply.headers) == (reply.status_code == 503)
    server.well()
    assert ask(gateway).status_code == 200, "and then it is well again"


def test_a_fault_of_one_model_leaves_probes_alone(gateway, server, well):
    """Answers are wrong, but somebody is there: ready and live."""
    server.fault("status", code="INTERNAL")
    ask(gateway)
    assert gateway.get("/livez").status_code == 200
    assert gateway.get("/readyz").status_code == 200


def test_the_deadline_travels(gateway, server, well):
    """TensorFlow Serving hears how long anybody will wait for its answer."""
    assert ask(gateway).status_code == 200
    assert 0 < server.seen()["seconds_left"][-1] < TIMEOUT + 0.1


def test_an_expired_request_is_cancelled_there(gateway, server, well):
    before = server.seen()["left"]
    server.fault("hang")
    ask(gateway)
    deadline = time.monotonic() + 5
    while server.seen()["left"] == before:
        assert time.monotonic() < deadline, "it would compute on for nobody"
        time.sleep(0.02)


def test_tensors_are_sent_as_their_bytes(gateway, server, well):
    before = server.seen()["forms"].get("content", 0)
    ask(gateway, ROW, ROW)
    forms = server.seen()["forms"]
    assert forms["content"] > before
    assert "fields" not in forms


def test_a_request_for_another_version_is_told_so(gateway):
    reply = gateway.post("/predict?model=sums&version=9", json={"instances": [ROW]})
    assert (reply.status_code, reply.json()["code"]) == (404, "no_such_version")
