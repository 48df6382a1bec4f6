"""What goes wrong in a body reaches Flask, and is answered as any other error."""

import json
import re
import socket

import pytest

from serving import Served
from texting import PREDICT, texting


def exchange(server: Served, data: bytes) -> tuple[int, dict[str, str], dict]:
    """Status, fields and document of the only reply to `data`."""
    with socket.create_connection(("127.0.0.1", server.port), 10) as sock:
        sock.sendall(data)
        parts = []
        while part := sock.recv(65536):
            parts.append(part)
    head, _, body = b"".join(parts).decode().partition("\r\n\r\n")
    status, *lines = head.split("\r\n")
    fields = dict(line.split(": ", 1) for line in lines)
    return int(status.split()[1]), fields, json.loads(body)


def check(fields: dict[str, str], document: dict) -> None:
    """The contract's form of an error on a route that other sites may call."""
    assert document["success"] is False
    assert re.fullmatch(r"[0-9a-f]{32}", document["id"])
    assert fields["X-Request-ID"] == document["id"]
    assert fields["Connection"] == "close"


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    """With little time and room for bodies."""
    flags = ("--body-timeout-s=0.5", "--max-body-bytes=64")
    with texting(tmp_path_factory.mktemp("models"), *flags) as server:
        yield server


POST = (
    f"POST {PREDICT} HTTP/1.1\r\nHost: x\r\nOrigin: https://a.example\r\n"
    "Content-Type: application/json\r\n"
).encode()
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
WRONG = {
    "slow": (POST + b"Content-Length: 9\r\n\r\n{", 408, "body_timeout"),
    "slow chunks": (CHUNKED + b"9\r\n{", 408, "body_timeout"),
    "too large": (POST + b"Content-Length: 65\r\n\r\n{", 413, "too_large"),
    "too large in chunks": (CHUNKED + b"41\r\n{", 413, "too_large"),
    "broken chunks": (CHUNKED + b"zz\r\n{", 400, "malformed"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_wrong_body_is_answered_by_the_route(quick, kind):
    data, status, code = WRONG[kind]
    got, fields, document = exchange(quick, data)
    assert (got, document["code"]) == (status, code)
    check(fields, document)
    assert fields["Access-Control-Allow-Origin"] == "*"
    assert "Retry-After" in fields["Access-Control-Expose-Headers"]
    quick.wait_for_log(f"POST /api/v1/<token>/predict {status}")
    assert "Traceback" not in quick.log()


def test_a_broken_form_in_chunks_is_answered_too(server):
    head = (
        b"POST /predict HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
        b"Content-Type: multipart/form-data; boundary=b\r\n\r\n"
    )
    part = (
        b'--b\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\nabc'
    )
    chunk = b"%x\r\n%b\r\n" % (len(part), part)
    status, fields, document = exchange(server, head + chunk + b"zz\r\n")
    assert (status, document["code"]) == (400, "malformed")
    check(fields, document)


def test_a_head_that_is_refused_leaves_one_line_in_the_log(quick):
    secret = b"GET /secret HTTP/1.1\r\nHost: a b\r\n\r\n"
    status, fields, document = exchange(quick, secret)
    assert (status, document["code"]) == (400, "malformed")
    check(fields, document)
    quick.wait_for_log("a malformed request was refused: 400 malformed id=")
    assert document["id"] in quick.log()
    assert "secret" not in quick.log()
