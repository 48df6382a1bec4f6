"""/metrics: what it counts is what happened, and clients cannot make it grow."""

import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import gevent
import pytest
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as openmetrics_families,
)

import made
from facenality.errors import InvalidSetting
from facenality.observability import metrics
from facenality.observability.metrics import Metrics
from scraping import samples, value
from serving import Served

RED = made.picture("red")
CONTRACT = {
    "request_total": {"route", "code"},
    "request_duration_seconds_bucket": {"route", "le"},
    "requests_in_progress": set(),
    "queue_depth": {"model"},
    "queue_wait_seconds_bucket": {"model", "le"},
    "decode_seconds_bucket": {"model", "le"},
    "predict_seconds_bucket": {"model", "le"},
    "batch_size_bucket": {"model", "le"},
    "rejected_total": {"reason"},
    "model_info": {"name", "version", "engine", "precision", "sha256"},
    "model_ready": {"name", "version"},
    "model_load_seconds": {"name", "version"},
    "hub_lag_seconds_bucket": {"le"},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a model that can be held, and one that cannot be loaded."""
    root = tmp_path_factory.mktemp("metrics")
    made.quick(root / "quick")
    (root / "broken.keras").write_bytes(b"no model")
    return root


@pytest.fixture(scope="module")
def metered(folder):
    flags = ("--model=quick", "--max-body-bytes=1000000", "--scan-interval-s=0.1")
    with Served(folder, *flags) as server:
        yield server.ready()


def predict(server, picture=RED, **more):
    return server.post("/predict", files={"image": picture}, **more)


@contextmanager
def held(folder):
    """The model answers nothing inside the block."""
    hold = folder / "quick.hold"
    hold.touch()
    try:
        yield
    finally:
        hold.unlink()


def until(fact):
    deadline = time.monotonic() + 20
    while not fact():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_every_metric_of_the_contract_is_there_with_its_labels(metered):
    assert predict(metered).status_code == 200
    metered.post("/predict", json={"instances": [[0]] * 65})
    until(lambda: value(metered, "hub_lag_seconds_count") > 0)
    labels = {s.name: set(s.labels) for s in samples(metered)}
    for name, wanted in CONTRACT.items():
        assert labels.get(f"facenality_{name}") == wanted, name
    for name in ("process_resident_memory_bytes", "process_cpu_seconds_total"):
        assert name in labels
    assert "python_info" in labels


def test_three_predictions_and_two_errors_count_as_exactly_that(metered):
    about = {
        "ok": ("request_total", {"route": "/predict", "code": "200"}),
        "not usable": ("request_total", {"route": "/predict", "code": "422"}),
        "no such model": ("request_total", {"route": "/predict", "code": "404"}),
        "timed": ("request_duration_seconds_count", {"route": "/predict"}),
        "decoded": ("decode_seconds_count", {"model": "quick"}),
        "queued": ("queue_wait_seconds_count", {"model": "quick"}),
        "instances": ("batch_size_sum", {"model": "quick"}),
        "batches": ("batch_size_count", {"model": "quick"}),
        "predicted": ("predict_seconds_count", {"model": "quick"}),
        "rejected": ("rejected_total", {}),
    }

    def now():
        return {key: value(metered, name, **at) for key, (name, at) in about.items()}

    before = now()
    for _ in range(3):
        assert predict(metered).status_code == 200
    assert predict(metered, b"no picture").status_code == 422
    assert predict(metered, params={"model": "nobody"}).status_code == 404
    after = now()
    assert {key: after[key] - before[key] for key in about} == {
        "ok": 3,
        "not usable": 1,
        "no such model": 1,
        "timed": 5,
        "decoded": 3,
        "queued": 3,
        "instances": 3,
        "batches": 3,
        "predicted": 3,
        "rejected": 0,
    }


def test_what_shares_a_batch_is_one_batch(metered, folder):
    before = {
        n: value(metered, n) for n in ("batch_size_count", "predict_seconds_count")
    }
    summed = value(metered, "batch_size_sum")
    with held(folder), ThreadPoolExecutor(1) as pool:
        first = pool.submit(predict, metered)
        until(lambda: value(metered, "requests_in_progress") == 2)
        files = [("image", RED)] * 8
        rest = ThreadPoolExecutor(1).submit(metered.post, "/predict", files=files)
        until(lambda: value(metered, "queue_depth", model="quick") == 8)
        assert value(metered, "requests_in_progress") == 3  # the scrape is one
        (folder / "quick.hold").rename(folder / "quick.held")
        assert {first.result().status_code, rest.result().status_code} == {200}
        (folder / "quick.held").rename(folder / "quick.hold")
    assert {n: value(metered, n) - before[n] for n in before} == dict.fromkeys(
        before, 2
    )
    assert value(metered, "batch_size_sum") - summed == 9
    assert value(metered, "queue_depth") == 0
    assert value(metered, "requests_in_progress") == 1


def test_clients_cannot_make_labels(metered):
    predict(metered)
    metered.get("/nothing")
    before = {(s.name, *s.labels.items()) for s in samples(metered)}
    for i in range(20):
        metered.get(f"/nothing/{i}")
        predict(metered, params={"model": f"model-{i}", "version": i + 1})
        metered.get("/metrics", headers={"User-Agent": f"agent-{i}"})
    after = {(s.name, *s.labels.items()) for s in samples(metered)}
    new = after - before
    assert {name for name, *_ in new} <= {
        "facenality_request_total",
        "facenality_request_duration_seconds_bucket",
        "facenality_request_duration_seconds_count",
        "facenality_request_duration_seconds_sum",
    }
    assert not any(str(i) in str(new) and "model-" in str(new) for i in range(20))
    routes = {s.labels["route"] for s in samples(metered) if "route" in s.labels}
    assert routes <= {"/predict", "/readyz", "/metrics", "(no route)"}


def test_a_broken_model_is_not_ready_and_a_served_one_tells_what_it_is(metered):
    assert value(metered, "model_ready", name="quick", version="1") == 1
    assert value(metered, "model_ready", name="broken", version="1") == 0
    (served,) = [s for s in samples(metered) if s.name == "facenality_model_info"]
    told = metered.get("/models").json()["models"][0]
    assert served.labels == {
        "name": "quick",
        "version": "1",
        **{key: told[key] for key in ("engine", "precision", "sha256")},
    }
    seconds = value(metered, "model_load_seconds", name="quick")
    assert seconds == pytest.approx(told["load_seconds"], abs=0.001)


def test_an_update_that_failed_is_told_until_it_is_mended(metered, folder):
    program = folder / "quick" / "model.py"
    right = program.read_text()
    program.write_text("1 / 0")
    until(lambda: value(metered, "model_update_refused", name="quick") == 1)
    assert value(metered, "model_ready", name="quick") == 1
    program.write_text(right + "\n# mended\n")
    until(lambda: value(metered, "model_update_refused") == 0)


# --- what was turned away


def gone(server) -> None:
    """Ask, and hang up while the answer is awaited."""
    head = "POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\n"
    head += f"Content-Length: {len(RED)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server.port)) as sock:
        sock.sendall(head.encode() + RED)
        until(lambda: value(server, "requests_in_progress") == 2)


def test_what_is_turned_away_counts_by_its_reason(folder):
    flags = ("--model=quick", "--request-timeout-s=1", "--max-queue-wait-s=0.01")
    with Served(folder, *flags) as server:
        server.ready()
        assert value(server, "rejected_total") == 0, "a probe refuses no work"
        with held(folder):
            assert predict(server).status_code == 504
        until(lambda: predict(server).status_code == 200)
        with held(folder):
            gone(server)
            until(lambda: value(server, "rejected_total", reason="client_gone") == 1)
            # The batch of the one who left is in the model, and overdue.
            assert predict(server).json()["code"] == "overloaded"
        assert predict(server, b"x" * 16_000_000).status_code == 413
        reply = server.post("/predict", params={"model": "broken"}, data=b"x")
        assert reply.json()["code"] == "model_not_loaded"
        counted = {
            s.labels["reason"]: s.value
            for s in samples(server)
            if s.name == "facenality_rejected_total"
        }
    assert counted.pop("expired") >= 1  # more on a machine that is very busy
    counted["overloaded"] = min(1, counted["overloaded"])  # the same
    assert counted == {
        "client_gone": 1,
        "overloaded": 1,
        "too_large": 1,
        "model_not_loaded": 1,
    }


def test_a_prediction_before_the_model_is_there_counts_as_loading(colours):
    with Served(colours) as server:
        assert predict(server).status_code == 503
        assert value(server, "rejected_total", reason="loading") == 1
        assert value(server, "model_ready", name="colours") == 0


# --- formats


@pytest.mark.parametrize(
    "accept",
    [
        "",
        "*/*",
        "text/plain;version=",
        ";;;,,,",
        "text/plain;version=abc",
        "text/plain;escaping=\xff",
    ],
)
def test_whatever_is_accepted_it_is_the_text_format(metered, accept):
    reply = metered.get("/metrics", headers={"Accept": accept})
    assert reply.status_code == 200
    assert reply.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert "_created" not in reply.text


@pytest.mark.parametrize("version", ["1.0.0", "abc", "9.9.9", ""])
def test_prometheus_gets_openmetrics(metered, version):
    accept = f"application/openmetrics-text;version={version},text/plain;q=0.5"
    reply = metered.get("/metrics", headers={"Accept": accept})
    kind = "application/openmetrics-text; version=1.0.0"
    assert reply.headers["Content-Type"].startswith(kind)
    names = {family.name for family in openmetrics_families(reply.text)}
    assert {"facenality_request", "facenality_batch_size", "facenality_model"} <= names


def test_metrics_are_for_no_other_origin(metered):
    reply = metered.get("/metrics", headers={"Origin": "https://shop.example"})
    assert "Access-Control-Allow-Origin" not in reply.headers


# --- the hub, and several processes


def test_a_hub_that_stands_still_is_seen(monkeypatch):
    monkeypatch.setattr(metrics, "INTERVAL", 0.05)
    told = []
    greenlet = gevent.spawn(metrics.watch_loop_lag, told.append)
    gevent.sleep(0.12)
    time.sleep(0.5)  # the hub's own thread: nothing else runs
    gevent.sleep(0.06)
    greenlet.kill()
    assert len(told) >= 2
    assert 0.4 < max(told) < 5
    assert min(told) >= 0


def test_two_processes_that_share_a_folder_add_up(tmp_path):
    made.quick(tmp_path / "models" / "quick")
    shared = tmp_path / "shared"
    shared.mkdir()
    env = {"PROMETHEUS_MULTIPROC_DIR": str(shared)}
    models = tmp_path / "models"
    with Served(models, env=env) as one, Served(models, env=env) as other:
        for server in (one.ready(), other.ready(), other):
            assert predict(server).status_code == 200
        for server in (one, other):
            at = {"route": "/predict", "code": "200"}
            assert value(server, "request_total", **at) == 3
            assert value(server, "batch_size_sum", model="quick") == 3
            assert value(server, "requests_in_progress") == 1
            assert value(server, "model_ready", name="quick") == 1


def test_a_folder_to_share_that_is_not_there_stops_the_start(monkeypatch):
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", "/nowhere")
    with pytest.raises(InvalidSetting, match="PROMETHEUS_MULTIPROC_DIR is '/nowhere'"):
        Metrics()
