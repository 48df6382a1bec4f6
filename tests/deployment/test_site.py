"""The way of a request: TLS, nginx as shipped, Docker's network, the container."""

import json
import os
import sys

import pytest
from composed import SAMPLE, first_label

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]
MIB = 1024 * 1024


def padded(tmp_path, size: int):
    """The sample with bytes after its end, which decoders ignore."""
    picture = tmp_path / "picture.png"
    picture.write_bytes(SAMPLE.read_bytes().ljust(size, b"\0"))
    return "--data-binary", f"@{picture}", "-H", "Content-Type: image/png"


def test_a_picture_is_predicted_through_tls_nginx_network_and_container(site):
    print(site.curl("/predict", "-F", f"image=@{SAMPLE}", "-v", "--stderr", "-"))
    assert first_label(site.curl("/predict", "-F", f"image=@{SAMPLE}")) == "3"


def test_http_2_is_spoken(site):
    version = site.curl("/livez", "--http2", "-o", "/dev/null", "-w", "%{http_version}")
    assert version == "2"


def test_browsers_are_told_to_stay_with_https(site):
    _, headers, _ = site.asked("/readyz")
    assert (
        int(headers["strict-transport-security"].removeprefix("max-age=")) >= 63072000
    )
    assert headers["server"] == "nginx", "without its version"


def test_http_is_sent_to_https(site):
    reply = site.composed.curl("--include", "-H", "Host: a.example", "127.0.0.1/x?y=1")
    assert reply.startswith("HTTP/1.1 301 ")
    assert "Location: https://a.example/x?y=1\n" in reply


def test_15_mib_pass(site, tmp_path):
    status, _, body = site.asked("/predict", *padded(tmp_path, 15 * MIB))
    assert status == 200, body
    assert first_label(body) == "3"


def test_a_byte_more_is_refused_as_the_app_would(site, tmp_path):
    status, headers, body = site.asked("/predict", *padded(tmp_path, 15 * MIB + 1))
    assert status == 413
    assert headers["content-type"] == "application/json"
    assert headers["access-control-allow-origin"] == "*"
    assert json.loads(body)["code"] == "too_large"
    assert not json.loads(body)["success"]


@pytest.mark.parametrize(
    ("head", "status", "code"),
    [
        (b"nonsense\r\n\r\n", 400, "malformed"),
        (b"GET / HTTP/1.1\r\n\r\n", 400, "malformed"),
        (b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414, "malformed"),
        (
            b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 9000 + b"\r\n\r\n",
            431,
            "head_too_large",
        ),
    ],
)
def test_a_head_that_cannot_be_read_is_the_clients_fault(site, head, status, code):
    first, body = site.said_to(head)
    assert f" {status} " in first
    assert json.loads(body)["code"] == code


def test_metrics_are_not_for_the_outside(site):
    status, _, body = site.asked("/metrics")
    assert (status, json.loads(body)["code"]) == (404, "not_found")
    inside = site.composed.curl("http://127.0.0.1:5000/metrics")
    assert "facenality_" in inside


def test_who_the_client_is_nginx_says_and_not_the_client(site):
    forged = (
        "X-Forwarded-For: 6.6.6.6",
        "X-Real-IP: 6.6.6.6",
        "Forwarded: for=6.6.6.6",
    )
    headers = [word for header in forged for word in ("-H", header)]
    id_ = "a-forged-request"
    site.curl(
        "/models", "--interface", "127.0.0.7", "-H", f"X-Request-ID: {id_}", *headers
    )
    log = site.composed.log("facenality")
    (line,) = [line for line in log.splitlines() if id_ in line]
    assert "client=127.0.0.7" in line
    assert "6.6.6.6" not in log


def test_tokens_in_paths_stay_out_of_nginx_log(site):
    site.curl("/api/v1/a-secret-token/predict", "-d", "{}")
    log = site.nginx_log()
    assert "/api/v1/<token>/predict" in log
    assert "a-secret-token" not in log


def test_sslyze_finds_nothing_against_mozillas_intermediate_profile(site):
    said = site.composed.engine.beside(
        *(sys.executable, "-m", "sslyze", "--mozilla_config=intermediate"),
        *("--certinfo_ca_file", site.certificate, "127.0.0.1:443"),
    )
    assert "127.0.0.1:443: OK - Compliant" in said


def test_while_the_container_is_down_clients_are_asked_to_wait(site):
    site.composed.engine.docker("stop", "facenality")
    try:
        status, headers, body = site.asked("/predict", "-F", f"image=@{SAMPLE}")
    finally:
        site.composed.engine.docker("start", "facenality")
    assert (status, headers["retry-after"]) == (503, "5")
    assert json.loads(body)["code"] == "unavailable"
    assert headers["access-control-allow-origin"] == "*"
    assert site.composed.inspect("facenality")["State"]["ExitCode"] == 0


def test_restarts_under_load_lose_nothing_that_was_accepted(site):
    """RESTARTS=20 is the long form."""
    with site.load() as told:
        for _ in range(int(os.environ.get("RESTARTS", "2"))):
            site.wait_for_predictions(20)
            site.composed.engine.docker("restart", "facenality")
        site.wait_for_predictions(20)
    assert set(told) == {"200", "503"}
    log = site.composed.log("facenality")
    assert "the drain timed out" not in log
