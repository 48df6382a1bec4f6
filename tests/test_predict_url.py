"""POST /predict with {"url": …}, against a real server and real servers elsewhere."""

import os
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

import made
from facenality.features.url_images.fetcher import MAX_FETCHES
from made import picture
from serving import ROOT, Served
from test_addresses import FORBIDDEN, spellings
from wild import Authority, Wild, drips, hangs, head, redirect, reply

PNG = picture("red", (640, 427))
HABITS = {
    "/red.png": reply(PNG, "Content-Type: text/html"),
    "/blue.jpg": reply(picture("blue", form="JPEG")),
    "/text": reply(b"no picture"),
    "/cut.png": reply(PNG[:200]),
    "/there": redirect("/red.png"),
    "/metadata": redirect("http://169.254.169.254/latest/meta-data/"),
    "/loop": redirect("/loop"),
    "/hang": hangs(),
    "/drip": drips(head()),
    "/drip-head": drips(b"HTTP/1.1 200 OK\r\nX: "),
    "/drip-length": drips(head("Content-Length: 15000000")),
    "/too-large": head(f"Content-Length: {15 * 2**20 + 1}"),
    "/larger-than-said": head() + bytes(15 * 2**20 + 1),
    "/large": reply(bytes(15 * 2**20)),
}


@pytest.fixture(scope="module")
def elsewhere():
    with Wild(HABITS) as server:
        yield server


@pytest.fixture(scope="module")
def secured(tmp_path_factory):
    authority = Authority(tmp_path_factory.mktemp("authority"))
    with Wild(HABITS, tls=authority.serves("DNS:localhost")) as server:
        server.authority_file = authority.file
        yield server


WORDS = """
def load(folder): return None
def predict(model, texts): return [[0.0, 1.0] for _ in texts]
"""


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    made.colours_by_hand(folder / "colours")
    (folder / "words").mkdir()
    (folder / "words" / "model.py").write_text(WORDS)
    (folder / "words" / "model.toml").write_text(
        'task = "text-classification"\nlabels = ["a", "b"]\n'
    )
    return folder


@pytest.fixture(scope="module")
def fetching(models, elsewhere, secured):
    """A server that may fetch from those two, and trusts the second's certificate."""
    flags = ("--fetch-urls", f"{elsewhere.authority}, {secured.authority}")
    env = {"SSL_CERT_FILE": str(secured.authority_file)}
    with Served(models, "--model=colours", *flags, env=env) as served:
        yield served.ready()


@pytest.fixture(scope="module")
def public(models):
    with Served(models, "--model=colours", "--fetch-urls", "public") as served:
        yield served.ready()


def ask(server, url):
    return server.post("/predict", json={"url": url})


@pytest.mark.parametrize("path", ["/red.png", "/there"])
@pytest.mark.parametrize("which", ["elsewhere", "secured"])
def test_an_image_by_its_url_is_answered_as_if_it_had_been_sent(
    fetching, elsewhere, secured, which, path
):
    source = {"elsewhere": elsewhere, "secured": secured}[which]
    by_url = ask(fetching, source.url + path)
    sent = fetching.post("/predict", files={"image": PNG}).json()
    assert by_url.status_code == 200
    assert by_url.json() | {"id": 0} == sent | {"id": 0}
    assert sent["predictions"][0]["label"] == "red"


def test_server_timing_says_how_long_the_fetch_took(fetching, elsewhere):
    header = ask(fetching, f"{elsewhere.url}/blue.jpg").headers["Server-Timing"]
    parts = [part.split(";")[0] for part in header.split(", ")]
    assert parts == ["fetch", "decode", "queue", "predict"]


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/text", "not_an_image"),
        ("/cut.png", "broken_image"),
        ("/large", "not_an_image"),
    ],
)
def test_what_was_fetched_is_judged_as_what_is_sent(fetching, elsewhere, path, code):
    reply_ = ask(fetching, elsewhere.url + path)
    assert (reply_.status_code, reply_.json()["code"]) == (422, code)


def test_every_refusal_is_the_same_reply(fetching, elsewhere, public):
    """What happened is the operator's to know, and no map of the network for others."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        free = closed.getsockname()[1]
    urls = [
        "no URL",
        "ftp://localhost/",
        "http://10.0.0.1/",
        "http://169.254.169.254/",
        "http://localhost/",
        f"http://localhost:{free}/",
        f"http://127.0.0.1:{elsewhere.port}/red.png",  # it was not named so
        f"{elsewhere.url}/missing",
        f"{elsewhere.url}/metadata",
        f"{elsewhere.url}/loop",
        f"{elsewhere.url}/too-large",
        f"{elsewhere.url}/larger-than-said",
        elsewhere.url.replace("http://", "http://user@") + "/red.png",
        "http://elsewhere.example/",
    ]
    with ThreadPoolExecutor(16) as pool:
        replies = list(pool.map(lambda url: ask(fetching, url), urls))
    assert {(r.status_code, r.json()["code"]) for r in replies} == {
        (422, "not_fetched")
    }
    (sentence,) = {r.json()["error"] for r in replies}
    assert "15 MiB" in sentence
    assert "10 s" in sentence
    assert {tuple(sorted(r.json())) for r in replies} == {
        ("code", "error", "id", "success")
    }
    assert all("Server-Timing" not in r.headers for r in replies)
    fetching.wait_for_log("a URL was not fetched: its server answered 404")
    assert ask(public, f"{elsewhere.url}/red.png").json()["error"] == sentence


def test_a_real_server_connects_to_no_forbidden_address(public, elsewhere):
    """A taste of test_addresses.py over HTTP; the listener is on every loopback."""
    ours = [f"http://{host}:{elsewhere.port}/" for host in ("localhost", "127.0.0.1")]
    urls = ours + [spellings(a)[i % 13] for i, a in enumerate(FORBIDDEN)]
    before = elsewhere.connections
    with ThreadPoolExecutor(64) as pool:
        codes = list(pool.map(lambda url: ask(public, url).json()["code"], urls))
    assert set(codes) == {"not_fetched"}
    assert elsewhere.connections == before


def test_ten_seconds_hold_while_servers_drip_and_others_are_served(fetching, elsewhere):
    """All places are taken by drips: one more is refused at once, nobody else waits."""
    paths = ["/hang", "/drip", "/drip-head", "/drip-length"]

    def timed(path):
        started = time.monotonic()
        return ask(fetching, elsewhere.url + path), time.monotonic() - started

    with ThreadPoolExecutor(MAX_FETCHES) as pool:
        before = elsewhere.connections
        slow = [pool.submit(timed, paths[i % 4]) for i in range(MAX_FETCHES)]
        while elsewhere.connections < before + MAX_FETCHES:
            time.sleep(0.02)
        refused = ask(fetching, f"{elsewhere.url}/red.png")
        sent = fetching.post("/predict", files={"image": PNG})
        alive = fetching.get("/livez")
        assert not any(one.done() for one in slow), "the others had to wait for it"
        results = [one.result() for one in slow]
    assert (refused.status_code, refused.json()["code"]) == (503, "overloaded")
    assert int(refused.headers["Retry-After"]) >= 1
    assert sent.json()["predictions"][0]["label"] == "red"
    assert alive.status_code == 200
    for reply_, seconds in results:
        assert reply_.json()["code"] == "not_fetched"
        assert 10 <= seconds < 14
    assert ask(fetching, f"{elsewhere.url}/red.png").status_code == 200


def test_a_client_that_leaves_ends_its_fetch(fetching, elsewhere):
    hung_up, came = elsewhere.hung_up, elsewhere.connections
    body = b'{"url": "%s/hang"}' % elsewhere.url.encode()
    with socket.create_connection(("127.0.0.1", fetching.port)) as client:
        client.sendall(
            b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
        )
        while elsewhere.connections == came:
            time.sleep(0.01)
    elsewhere.wait_for_hung_up(hung_up + 1)  # sooner than the ten seconds
    fetching.wait_for_log(r"POST /predict 499 ")


@pytest.mark.parametrize("value", [5, None, ["http://a.example/"], {"url": "x"}])
def test_a_url_must_be_a_string(fetching, value):
    reply_ = fetching.post("/predict", json={"url": value})
    assert (reply_.status_code, reply_.json()["code"]) == (400, "malformed")


def test_strings_in_instances_are_no_urls(fetching, elsewhere):
    before = elsewhere.connections
    body = fetching.post("/predict", json={"instances": [f"{elsewhere.url}/red.png"]})
    assert body.json()["results"][0]["code"] == "not_base64"
    assert elsewhere.connections == before


def test_models_of_text_take_no_url_and_fetch_nothing(fetching, elsewhere):
    before = elsewhere.connections
    reply_ = fetching.post("/predict?model=words", json={"url": elsewhere.url})
    assert reply_.status_code == 422
    assert "does not take 'url'" in reply_.json()["error"]
    assert elsewhere.connections == before


def test_a_wrong_setting_stops_the_start_with_one_line():
    setting = "https://a.example"
    done = subprocess.run(
        [sys.executable, "app.py"],
        cwd=ROOT,
        env={**os.environ, "FACENALITY_FETCH_URLS": setting},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert f"(FACENALITY_FETCH_URLS) is {setting!r}: " in done.stderr
