"""What Docker asks every ten seconds: `python -m facenality.app.healthcheck`."""

import os
import socket
import subprocess
import sys

import pytest

from facenality.app.healthcheck import ready
from serving import ROOT, Served
from test_tls import certify


def check(served: Served, **more: str) -> int:
    """The exit status of the health check in a container that has this server."""
    done = subprocess.run(
        [sys.executable, "-m", "facenality.app.healthcheck"],
        cwd=ROOT,
        env=os.environ | {"FACENALITY_PORT": str(served.port)} | more,
        capture_output=True,
        timeout=20,
        check=False,
    )
    assert done.stderr == b""
    return done.returncode


def test_a_ready_server_is_healthy(server):
    assert check(server) == 0
    assert ready({"FACENALITY_PORT": str(server.port)})


def test_one_that_has_nothing_to_serve_is_not(tmp_path):
    with Served(tmp_path) as served:
        assert check(served) == 1


def test_one_that_speaks_tls_is_asked_so(by_hand, tmp_path):
    cert, key = certify(tmp_path, "one.example")
    with Served(by_hand, "--tls-cert", str(cert), "--tls-key", str(key)) as served:
        served.wait_for_log("ready in", 60)
        assert check(served, FACENALITY_TLS_CERT=str(cert)) == 0
        assert ready(
            {"FACENALITY_PORT": str(served.port), "FACENALITY_TLS_CERT": str(cert)}
        )


@pytest.mark.parametrize("scheme", ["plain", "tls"])
def test_nobody_there_is_not_healthy(scheme):
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))  # bound, and listening to nobody
        environ = {"FACENALITY_PORT": str(sock.getsockname()[1])}
        if scheme == "tls":
            environ["FACENALITY_TLS_CERT"] = "cert.pem"
        assert not ready(environ)


def test_one_that_does_not_speak_http_is_not_healthy():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        command = [sys.executable, "-m", "facenality.app.healthcheck"]
        environ = os.environ | {"FACENALITY_PORT": str(port)}
        asking = subprocess.Popen(
            command, cwd=ROOT, env=environ, stderr=subprocess.PIPE
        )
        connection, _ = listening.accept()
        with connection:
            connection.recv(1000)
            connection.sendall(b"220 mail.example ready\r\n")
        _, stderr = asking.communicate(timeout=20)
        assert (asking.returncode, stderr) == (1, b"")
