"""Explanations wait: for predictions, for each other; and they end with their client.

The model takes a sixteenth of a second for each picture, so that one explanation (49
pictures) is under way for long enough to be met.
"""

import socket
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

import made
from made import picture
from serving import Served

PNG = {"files": {"image": picture("grey")}}
EACH = 0.06


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    one = tmp_path_factory.mktemp("slow")
    made.tones(one / "slow", EACH)
    return one


@pytest.fixture(scope="module")
def server(folder):
    with Served(folder) as served:
        yield served.ready()


@pytest.fixture
def pool():
    with ThreadPoolExecutor(4) as threads:
        yield threads


def begin(server) -> socket.socket:
    """Ask for an explanation, and do not wait for it."""
    client = socket.create_connection(("127.0.0.1", server.port))
    body = PNG["files"]["image"]
    head = "POST /explain HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\n"
    client.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    return client


def let_it_begin() -> None:
    """It takes three seconds, so that it is still under way afterwards."""
    time.sleep(0.5)


def test_a_second_explanation_is_refused_and_a_client_that_leaves_ends_the_first(
    server,
):
    with begin(server):
        let_it_begin()
        reply = server.post("/explain", **PNG)
        assert (reply.status_code, reply.json()["code"]) == (503, "overloaded")
        assert "Another explanation" in reply.json()["error"]
        assert 1 <= int(reply.headers["Retry-After"]) <= 2
    server.wait_for_log(r"POST /explain 499")
    assert server.post("/explain", **PNG).status_code == 200


def test_predictions_overtake_the_explanation_and_both_are_answered(server, pool):
    ended = []

    def ask(path):
        reply = server.post(path, **PNG)
        ended.append(path)
        return reply

    explained = pool.submit(ask, "/explain")
    let_it_begin()
    for _ in range(5):
        assert ask("/predict").json()["success"]
    assert explained.result().json()["heatmap"]["rows"] == 7
    assert ended == ["/predict"] * 5 + ["/explain"]


def test_while_predictions_fill_every_batch_the_explanation_gives_way(folder, pool):
    """Batches of one have no room for it."""
    flags = ("--max-queue-wait-s", "1", "--max-batch-size", "1")
    with Served(folder, *flags) as server:
        server.ready()
        many = [("image", PNG["files"]["image"])] * 60  # four seconds of work
        busy = pool.submit(server.post, "/predict", files=many)
        let_it_begin()
        reply = server.post("/explain", **PNG)
        assert (reply.status_code, reply.json()["code"]) == (503, "overloaded")
        assert "busy with predictions" in reply.json()["error"]
        assert reply.headers["Retry-After"] == "1"
        assert busy.result().status_code == 200


def test_under_a_steady_load_an_explanation_is_answered_too(server, pool):
    """A client that asks again as soon as it is answered; no prediction is refused."""
    explained = pool.submit(server.post, "/explain", **PNG)
    answers = []
    while not explained.done():
        answers.append(server.post("/predict", **PNG).status_code)
    assert explained.result().status_code == 200
    assert set(answers) == {200}
    assert len(answers) > 10


def test_an_explanation_that_takes_too_long_ends_at_its_deadline(tmp_path):
    made.tones(tmp_path / "slow", 0.6)
    with Served(tmp_path, "--request-timeout-s", "1") as server:
        server.ready()
        reply = server.post("/explain", **PNG)
        assert (reply.status_code, reply.json()["code"]) == (504, "expired")
        assert "1 s" in reply.json()["error"]
        assert server.post("/predict", **PNG).status_code == 200


def test_a_slow_model_is_explained_in_fewer_parts(folder):
    with Served(folder, "--request-timeout-s", "2") as server:
        reply = server.ready().post("/explain", **PNG)
        assert reply.status_code == 200
        heatmap = reply.json()["heatmap"]
        assert heatmap["rows"] * heatmap["cols"] < 49


def test_a_server_that_drains_does_not_wait_for_an_explanation(folder, pool):
    with Served(folder) as server:
        server.ready()
        explained = pool.submit(server.post, "/explain", **PNG)
        let_it_begin()
        assert server.terminate(10) == 0
        reply = explained.result()
        assert (reply.status_code, reply.json()["code"]) == (503, "draining")


def test_who_waited_too_long_in_the_queue_is_told_to_come_later(tmp_path, pool):
    """A model.py that was never warmed admits all that come before its first batch."""
    made.tones(tmp_path / "slow", 1.5)
    flags = ("--max-queue-wait-s", "1", "--max-batch-size", "1")
    with Served(tmp_path, *flags) as server:
        server.ready()
        ask = partial(server.post, "/predict", **PNG)
        replies = [one.result() for one in [pool.submit(ask) for _ in range(4)]]
    codes = sorted(reply.status_code for reply in replies)
    assert codes[0] == 200
    assert codes[-1] == 503
    assert all(r.headers["Retry-After"] for r in replies if r.status_code == 503)
