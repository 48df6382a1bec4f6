"""docker-compose.gateway.yml up: a gateway, and TensorFlow Serving or its stand-in."""

import base64
import json
import time

import numpy as np
import pytest
import standing_image
from composed import SAMPLE, Composed, assert_confined

import exported
from serving import ROOT, Served

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]
URL = "http://127.0.0.1:5000"
GATEWAY = "facenality-gateway"
DIGITS = ROOT / "models" / "digits" / "model.keras"
WORDS = ("-H", "Content-Type: application/json", "--data-binary")


@pytest.fixture(scope="module")
def composed(engine, tmp_path_factory):
    models = tmp_path_factory.mktemp("exported") / "models"
    exported.export(DIGITS, models / "digits")
    compose = engine.composes()[-1]
    with Composed(
        engine, standing_image.COMPOSE, compose, SAVED_MODELS=models
    ) as composed:
        for container in composed.containers("tf-serving"):
            composed.healthy(container)
        yield composed.healthy(GATEWAY)


def asked(composed, path="/readyz", *words):
    """Status and body."""
    reply = composed.curl("-w", "\n%{http_code}", f"{URL}{path}", *words)
    body, _, status = reply.rpartition("\n")
    return int(status), json.loads(body)


def until(question, seconds=60.0):
    """Wait until `question()` is true; the seconds it took."""
    started = time.monotonic()
    while not question():
        assert time.monotonic() < started + seconds, "it did not come about"
        time.sleep(0.2)
    return time.monotonic() - started


def replicas_asked(composed) -> set[str]:
    """Addresses on port 8500 (hexadecimal 2134) that the gateway is connected to."""
    table = composed.engine.docker("exec", GATEWAY, "cat", "/proc/net/tcp")
    rows = [line.split() for line in table.splitlines()[1:]]
    return {row[2] for row in rows if row[2].endswith(":2134") and row[3] == "01"}


def test_an_uploaded_picture_is_answered_as_by_the_local_model(composed):
    assert composed.predict(URL) == "3"
    picture = base64.b64encode(SAMPLE.read_bytes()).decode()
    asks = {"instances": [{"b64": picture}]}
    path = "/v1/models/digits:predict"
    _, remote = asked(composed, path, *WORDS, json.dumps(asks))
    with Served(ROOT / "models", "--engine=tensorflow", "--model=digits") as server:
        local = server.ready().post(path, json=asks).json()
    rows = [np.array(one["predictions"]) for one in (remote, local)]
    assert rows[0].shape == (1, 10)
    difference = float(abs(rows[0] - rows[1]).max())
    print(f"\nlargest difference to the local model: {difference:.1e}")
    assert difference < 1e-5


def test_either_compose_reads_the_file(engine):
    for compose in engine.composes():
        engine.run(*compose, "-f", standing_image.COMPOSE, "config", "--quiet")


def test_both_containers_are_confined(composed):
    assert_confined(composed, GATEWAY, 10001)
    for container in composed.containers("tf-serving"):
        assert_confined(composed, container, 10002)


def test_model_servers_have_no_way_out(composed):
    networks = composed.inspect(composed.containers("tf-serving")[0])["NetworkSettings"]
    (name,) = networks["Networks"]
    assert json.loads(composed.engine.docker("network", "inspect", name))[0]["Internal"]


def test_readyz_follows_tensorflow_serving_down_and_up(composed):
    composed.compose("stop", "tf-serving")
    down = until(lambda: asked(composed)[0] == 503)
    _, body = asked(composed)
    assert body["error"].startswith("Model digits: TensorFlow Serving ")
    assert asked(composed, "/livez")[0] == 200
    form = ("-F", f"image=@{SAMPLE}")
    status, body = asked(composed, "/predict", *form)
    assert (status, body["code"]) == (503, "model_server_unavailable")
    composed.compose("start", "tf-serving")
    up = until(lambda: asked(composed)[0] == 200)
    assert composed.predict(URL) == "3"
    print(f"\n/readyz: 503 after {down:.1f} s, 200 {up:.1f} s after the start")


def test_a_replica_more_gets_its_share_and_one_less_costs_no_answer(composed):
    (first,) = composed.containers("tf-serving")
    composed.up("--scale", "tf-serving=2", "--no-recreate")
    for container in composed.containers("tf-serving"):
        composed.healthy(container)
    found = until(lambda: len(replicas_asked(composed)) == 2)
    composed.engine.docker("stop", first)
    assert [composed.predict(URL) for _ in range(20)] == ["3"] * 20
    assert asked(composed)[0] == 200
    print(f"\nthe second replica was asked {found:.0f} s after it was healthy")


def test_the_gateway_needs_little_memory(composed):
    """Issue 8: resident at most 150 MB; the peak, with all that was asked before."""
    status = composed.engine.docker("exec", GATEWAY, "cat", "/proc/1/status")
    sizes = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    now, peak = (int(sizes[key].split()[0]) / 1024 for key in ("VmRSS", "VmHWM"))
    print(f"\nresident: {now:.0f} MiB now, {peak:.0f} MiB at most")
    assert now < 150


def test_the_gateway_ends_clean(composed):
    composed.compose("stop", "gateway")
    assert composed.inspect(GATEWAY)["State"]["ExitCode"] == 0
