"""X-Forwarded-*: believed of the proxies that were named, and of nobody else."""

import json

import pytest

import made
from facenality.errors import InvalidSetting
from facenality.settings import load
from facenality.web.middleware import TrustedProxies
from serving import Served

FORWARDED = {
    "HTTP_X_FORWARDED_FOR": "6.6.6.6, 203.0.113.9",
    "HTTP_X_FORWARDED_PROTO": "https",
    "HTTP_X_FORWARDED_HOST": "shop.example",
    "HTTP_X_FORWARDED_PREFIX": "/digits",
}
NAMES = ("REMOTE_ADDR", "wsgi.url_scheme", "HTTP_HOST", "SCRIPT_NAME")


def seen(trusted, peer, headers=FORWARDED):
    """What an application behind TrustedProxies is told."""

    def application(environ, _start_response):
        return [json.dumps([environ.get(name) for name in NAMES]).encode()]

    environ = {"wsgi.url_scheme": "http", "HTTP_HOST": "x", "SCRIPT_NAME": ""}
    if peer is not None:
        environ["REMOTE_ADDR"] = peer
    (body,) = TrustedProxies(application, trusted)(environ | headers, None)
    return json.loads(body)


@pytest.mark.parametrize(
    ("trusted", "peer"),
    [
        (["10.0.0.1"], "10.0.0.1"),
        (["10.0.0.0/8"], "10.200.3.4"),
        (["192.168.0.0/16", "10.0.0.0/8"], "10.0.0.1"),
        (["::1"], "::1"),
        (["2001:db8::/32"], "2001:db8:0::7"),
        (["10.0.0.0/8"], "::ffff:10.0.0.1"),
        (["fe80::/10"], "fe80::1%eth0"),
        (["unix"], ""),
        (["unix"], None),
        (["0.0.0.0/0"], "8.8.8.8"),
    ],
)
def test_a_trusted_proxy_is_believed(trusted, peer):
    assert seen(trusted, peer) == [
        "203.0.113.9",
        "https",
        "shop.example",
        "/digits",
    ]


@pytest.mark.parametrize(
    ("trusted", "peer"),
    [
        ([], "127.0.0.1"),
        ([], ""),
        (["10.0.0.1"], "10.0.0.2"),
        (["10.0.0.0/8"], "11.0.0.1"),
        (["10.0.0.0/8"], "::1"),
        (["::1"], "127.0.0.1"),
        (["10.0.0.0/8"], "::ffff:11.0.0.1"),
        (["unix"], "127.0.0.1"),
        (["0.0.0.0/0", "::/0"], ""),
    ],
)
def test_whoever_else_sends_them_changes_nothing(trusted, peer):
    assert seen(trusted, peer) == [peer, "http", "x", ""]


def test_a_trusted_proxy_that_says_nothing_changes_nothing():
    assert seen(["10.0.0.1"], "10.0.0.1", {}) == ["10.0.0.1", "http", "x", ""]


@pytest.mark.parametrize("value", ["localhost", "10.0.0.1/8", "10.0.0.0/33", "*"])
def test_what_is_no_network_stops_the_start(monkeypatch, value):
    monkeypatch.setenv("FACENALITY_TRUSTED_PROXIES", f"127.0.0.1,{value}")
    with pytest.raises(InvalidSetting) as caught:
        load()
    assert "--trusted-proxies (FACENALITY_TRUSTED_PROXIES)" in str(caught.value)
    assert value in str(caught.value)
    assert "10.0.0.0/8" in str(caught.value)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("proxies")
    made.quick(root / "quick")
    return root


def client_in_the_log(server, name):
    headers = {
        "X-Forwarded-For": "6.6.6.6, 203.0.113.9",
        "X-Forwarded-Host": "evil.example",
        "Forwarded": "for=6.6.6.6",
        "X-Real-IP": "6.6.6.6",
        "X-Request-ID": name,
    }
    server.get("/livez", headers=headers)
    return server.wait_for_log(rf"id={name} client=(\S+)")[1]


def test_the_log_has_the_peers_address_unless_the_peer_is_trusted(folder):
    with Served(folder) as server:
        assert client_in_the_log(server, "forged") == "127.0.0.1"
    with Served(folder, "--trusted-proxies=10.0.0.0/8") as server:
        assert client_in_the_log(server, "forged") == "127.0.0.1"
    with Served(folder, "--trusted-proxies=10.0.0.0/8,127.0.0.1") as server:
        assert client_in_the_log(server, "behind") == "203.0.113.9"
        odd = {"X-Forwarded-For": "1.1.1.1 id=forged", "X-Request-ID": "odd"}
        server.get("/livez", headers=odd)
        server.wait_for_log(r'id=odd client="1\.1\.1\.1 id=forged" reply_id=')
