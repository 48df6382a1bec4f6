"""API keys: asked for where work is done, and nowhere else."""

import signal
import socket

import pytest

import made
from facenality.app import cli
from facenality.settings import Settings, load
from facenality.web.auth import Keys
from serving import Served

RED = {"image": made.picture("red")}
KEY = "k3y-of-the-house"
UMLAUT = "schlüssel-der-küche"


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("keys")
    made.quick(root / "models" / "quick")
    (root / "keys").write_text(f"# the kitchen's\n{UMLAUT}\n\n  spaced-key-of-mine  \n")
    return root


@pytest.fixture(scope="module")
def keyed(root):
    flags = (f"--api-keys={KEY}, short", f"--api-keys-file={root / 'keys'}")
    tokens = ("--text-tokens=t", "--text-model=quick")
    with Served(root / "models", *flags, *tokens) as server:
        yield server.ready()


def ask(server, headers=None, **more):
    return server.post("/predict", files=RED, headers=headers or {}, **more)


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": f"Bearer {KEY}"},
        {"Authorization": f"bearer {KEY}"},
        {"Authorization": f"BEARER   {KEY}  "},
        {"X-API-Key": KEY},
        {"x-api-key": f"{KEY} "},
        {"X-API-Key": "short"},
        {"X-API-Key": UMLAUT.encode()},
        {"Authorization": b"Bearer " + UMLAUT.encode()},
        {"X-API-Key": "spaced-key-of-mine"},
        {"Authorization": "Basic dXNlcjpwYXNz", "X-API-Key": KEY},
        {"Authorization": f"Bearer {KEY}", "X-API-Key": "wrong"},
    ],
    ids=str,
)
def test_a_right_key_lets_in(keyed, headers):
    assert ask(keyed, headers).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": ""},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer "},
        {"Authorization": KEY},
        {"Authorization": f"Basic {KEY}"},
        {"Authorization": f"Bearer{KEY}"},
        {"Authorization": f"Bearer {KEY[:-1]}"},
        {"Authorization": f"Bearer {KEY}x"},
        {"Authorization": f"Bearer {KEY.upper()}"},
        {"Authorization": f"Bearer {KEY}, short"},
        {"X-API-Key": f"{KEY},short"},
        {"X-API-Key": ""},
        {"X-API-Key": "# the kitchen's"},
        {"X-API-Key": UMLAUT.encode("latin-1")},
        {"X-API-Key": b"\xff\xfe"},
        {"Cookie": f"X-API-Key={KEY}"},
    ],
    ids=str,
)
def test_any_other_is_refused_with_401(keyed, headers):
    reply = ask(keyed, headers, params={"api_key": KEY})
    assert reply.status_code == 401
    assert reply.headers["WWW-Authenticate"] == "Bearer"
    body = reply.json()
    assert (body["success"], body["code"]) == (False, "unauthorized")
    assert "Authorization: Bearer KEY" in body["error"]
    assert len(body["id"]) == 32


def test_a_key_sent_in_two_headers_is_none(keyed):
    head = (
        f"POST /predict HTTP/1.1\r\nHost: x\r\nX-API-Key: {KEY}\r\n"
        f"X-API-Key: short\r\nContent-Length: 0\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", keyed.port), timeout=10) as sock:
        sock.sendall(head.encode())
        assert sock.recv(1000).startswith(b"HTTP/1.1 40")  # 401, or 400


def test_the_refusal_comes_before_the_body(keyed):
    head = (
        b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\n"
        b"Content-Length: 9000000\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", keyed.port), timeout=10) as sock:
        sock.sendall(head)  # and nothing of the body
        assert sock.recv(1000).startswith(b"HTTP/1.1 401")


def test_another_origin_reads_the_refusal_and_asks_without_a_key(keyed):
    origin = {"Origin": "https://shop.example"}
    refused = ask(keyed, origin)
    assert refused.status_code == 401
    assert refused.headers["Access-Control-Allow-Origin"] == "*"
    import requests

    asks = origin | {
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization, x-api-key",
    }
    reply = requests.options(f"{keyed.url}/predict", headers=asks, timeout=30)
    assert reply.status_code == 200
    allowed = reply.headers["Access-Control-Allow-Headers"].lower()
    assert "authorization" in allowed
    assert "x-api-key" in allowed


@pytest.mark.parametrize(
    "path",
    ["/", "/docs", "/livez", "/readyz", "/healthz", "/metrics", "/models"],
)
def test_what_does_no_work_needs_no_key(keyed, path):
    assert keyed.get(path).status_code == 200


def test_the_route_with_a_token_asks_for_no_key(keyed):
    reply = keyed.post("/api/v1/t/predict", json={})
    assert "does not take text" in reply.json()["error"]
    assert ask(keyed, {"X-API-Key": "t"}).status_code == 401


def test_without_keys_all_are_let_in(server):
    assert ask(server).status_code == 200
    assert ask(server, {"Authorization": "Bearer whatever"}).status_code == 200


def test_sighup_takes_the_new_keys_and_a_bad_file_keeps_the_old(root):
    file = root / "rotated"
    file.write_text("first-key-of-sixteen\n")

    def statuses(*keys):
        return [ask(server, {"X-API-Key": key}).status_code for key in keys]

    def hangup():
        before = server.log().count("keys: ")
        server.process.send_signal(signal.SIGHUP)
        server.wait_for_log("(?s)" + ".*keys: " * (before + 1))

    with Served(root / "models", f"--api-keys-file={file}") as server:
        server.ready()
        file.write_text("first-key-of-sixteen\nsecond-key-of-sixteen\n")
        assert statuses("first-key-of-sixteen", "second-key-of-sixteen") == [200, 401]
        hangup()
        assert statuses("first-key-of-sixteen", "second-key-of-sixteen") == [200, 200]
        file.write_text("second-key-of-sixteen\n")
        hangup()
        assert statuses("first-key-of-sixteen", "second-key-of-sixteen") == [401, 200]
        file.write_bytes(b"\xff\xfe\x00")
        hangup()
        server.wait_for_log(
            "keys: not reloaded, the old value stays in force: .*cannot be read"
        )
        assert statuses("first-key-of-sixteen", "second-key-of-sixteen") == [401, 200]
        file.write_text("# none\n")
        hangup()
        server.wait_for_log("there is no API key: every prediction will be refused")
        assert statuses("second-key-of-sixteen", "") == [401, 401]


# --- secrets stay secret


def test_weak_keys_are_counted_in_the_log_and_not_shown(keyed):
    line = keyed.wait_for_log("1 of 4 API keys are shorter than 16 characters")[0]
    assert line
    for key in (KEY, UMLAUT, "spaced-key-of-mine"):
        assert key not in keyed.log()
    assert ": short" not in keyed.log()


def test_settings_do_not_show_secrets(monkeypatch, capsys):
    monkeypatch.setenv("FACENALITY_API_KEYS", "k1-secret,k2-secret")
    monkeypatch.setenv("FACENALITY_TEXT_TOKENS", "t-secret")
    settings = load()
    assert settings.api_keys == ("k1-secret", "k2-secret")
    assert "secret" not in repr(settings) + str(settings)
    with pytest.raises(SystemExit):
        cli.parse(["--help"])
    assert "secret" not in capsys.readouterr().out


def test_an_error_of_a_setting_shows_no_secret():
    from facenality.errors import InvalidSetting

    with pytest.raises(InvalidSetting) as caught:
        load({"api_keys": {"k": "v-secret"}})
    assert "--api-keys (FACENALITY_API_KEYS)" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_key_of_bytes_that_are_no_text_is_a_key_as_well(tmp_path):
    keys = Keys((b"k\xffy-of-the-cellar".decode("utf-8", "surrogateescape"),), None)
    sent = b"k\xffy-of-the-cellar".decode("utf-8", "surrogateescape")
    assert keys.allow(sent)
    assert not keys.allow("k\xffy-of-the-cellar")


def test_no_keys_are_the_default():
    assert Settings().api_keys == ()
    assert not Keys((), None).configured


@pytest.mark.parametrize(
    "path",
    [
        "/predict",
        "/explain",
        "/feedback",
        "/v1/models/colours:predict",
        "/v1/models/colours:classify",
        "/v1/models/colours:regress",
        "/v2/models/colours/infer",
        "/v2/models/colours/versions/1/infer",
    ],
)
def test_every_route_that_does_work_wants_a_key(keyed, path):
    assert keyed.post(path, json={}).status_code == 401
    known = keyed.post(path, json={}, headers={"X-API-Key": KEY})
    assert known.status_code != 401
