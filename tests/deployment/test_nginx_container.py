"""docker-compose.nginx.yml up: nginx in a container before gunicorn in another."""

import json

import pytest
from composed import SAMPLE, Composed, assert_confined, first_label

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]
URL = "http://127.0.0.1:8080"


@pytest.fixture(scope="module")
def composed(engine):
    compose = engine.composes()[-1]
    with Composed(engine, "docker-compose.nginx.yml", compose) as one:
        yield one.healthy("facenality-api")


def test_a_picture_is_predicted_through_both_containers(composed):
    assert composed.predict(URL) == "3"


def test_the_api_container_runs_gunicorn_with_its_workers(composed):
    log = composed.log("facenality-api")
    assert "Starting gunicorn" in log
    assert log.count("Booting worker") == 2


def test_both_containers_are_confined(composed):
    assert_confined(composed, "facenality-api", 10001)
    assert_confined(composed, "facenality-nginx", 101)


def test_the_app_sees_the_client_and_not_what_it_claims(composed):
    forged = ("-H", "X-Forwarded-For: 6.6.6.6", "-H", "X-Request-ID: a-forged-one")
    composed.curl(f"{URL}/models", *forged)
    log = composed.log("facenality-api")
    (line,) = [line for line in log.splitlines() if "a-forged-one" in line]
    assert "6.6.6.6" not in line
    assert "client=172.16.240.20" not in line


def test_metrics_are_closed_and_answers_are_json(composed):
    assert json.loads(composed.curl(f"{URL}/metrics"))["code"] == "not_found"


def test_a_large_picture_passes(composed, tmp_path):
    picture = tmp_path / "picture.png"
    picture.write_bytes(SAMPLE.read_bytes().ljust(15 * 1024 * 1024, b"\0"))
    words = ("--data-binary", f"@{picture}", "-H", "Content-Type: image/png")
    assert first_label(composed.curl(f"{URL}/predict", *words)) == "3"
