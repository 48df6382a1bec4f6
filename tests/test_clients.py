"""The clients in docs/: run as they are, against real servers."""

import os
import re
import subprocess
import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler

import pytest

import made
from browsing import browser, watched_page
from made import picture
from serving import ROOT, Served
from sites import Quiet, Site
from wild import Wild, redirect, reply

DOCS = ROOT / "docs"
sys.path.insert(0, str(DOCS))

from client import Client, Failed, main  # noqa: E402  after the path

ANSWER = reply(b'{"predictions":[{"label":"late","probability":1}],"success":true}')
LABEL = re.compile(r"^(\w+)\t([0-9.e-]+)$", re.M)


@pytest.fixture(scope="module")
def images():
    habits = {"/red.png": reply(picture("red"))}
    with Wild(habits) as server:
        yield server


@pytest.fixture(scope="module")
def answering(tmp_path_factory, images):
    folder = tmp_path_factory.mktemp("models")
    made.colours_by_hand(folder / "colours")
    with Served(folder, "--fetch-urls", images.authority) as served:
        yield served.ready()


@pytest.fixture
def client(answering):
    return Client(answering.url)


@pytest.fixture
def red(tmp_path):
    file = tmp_path / "red.png"
    file.write_bytes(picture("red"))
    return file


def full(times, *, after="0"):
    """A server that is full so many times, and answers then."""
    busy = reply(
        b'{"success":false,"error":"Too many.","code":"overloaded","id":"1"}',
        f"Retry-After: {after}",
        "Access-Control-Allow-Origin: *",
        "Access-Control-Expose-Headers: Retry-After",
        status="503 Service Unavailable",
    )
    late = ANSWER.replace(b"\r\n", b"\r\nAccess-Control-Allow-Origin: *\r\n", 1)
    replies = [busy] * times + [late]
    return Wild({"/predict": lambda _, to: to.sendall(replies.pop(0))})


def test_an_image_is_sent_by_path_bytes_or_url(client, images, red):
    for answer in (
        client.predict(red),
        client.predict(str(red), top=3, model="colours"),
        client.predict(red.read_bytes()),
        client.predict_url(f"{images.url}/red.png"),
    ):
        assert answer[0]["label"] == "red"
        assert answer[0]["probability"] > 0.99
    assert len(client.predict(red, top=1)) == 1


def test_a_refusal_is_raised_in_the_servers_words(client):
    with pytest.raises(Failed, match="not an image that can be read") as caught:
        client.predict(b"no image")
    assert (caught.value.status, caught.value.code) == (422, "not_an_image")
    assert re.fullmatch("[0-9a-f]{32}", caught.value.request_id)
    with pytest.raises(Failed, match="does not take 'text'"):
        client.predict_text("I love it")
    with pytest.raises(Failed, match="could not be fetched"):
        client.predict_url("http://169.254.169.254/")


def test_a_full_server_is_asked_again(red):
    with full(3) as server:
        assert Client(server.url).predict(red)[0]["label"] == "late"
        assert len(server.asked) == 4


@pytest.mark.parametrize("after", ["31", "3600"])
def test_a_server_that_is_full_for_long_is_given_up(red, after):
    with full(1, after=after) as server:
        with pytest.raises(Failed, match="Too many"):
            Client(server.url).predict(red)
        assert len(server.asked) == 1


def test_a_server_that_stays_full_is_given_up(red):
    with full(3) as server, pytest.raises(Failed, match="Too many") as caught:
        Client(server.url, tries=2).predict(red)
    assert (caught.value.status, len(server.asked)) == (503, 2)


@pytest.mark.parametrize(
    ("habit", "status"),
    [
        (reply(b"<html>", status="502 Bad Gateway"), 502),
        (reply(b"[]", status="500 Oh"), 500),
        (reply(b"no JSON"), None),
        (reply(b"{}"), None),
        (b"", None),
    ],
)
def test_an_answer_that_is_not_ours_is_a_failure_too(red, habit, status):
    with Wild({"/predict": habit}) as server, pytest.raises(Failed) as caught:
        Client(server.url).predict(red)
    assert caught.value.status == status
    assert str(caught.value)


def test_where_no_server_is_the_address_is_named(red):
    with Wild({}) as server:
        pass
    with pytest.raises(Failed, match=server.url):
        Client(server.url).predict(red)


def test_the_key_is_sent_and_follows_no_redirect(red):
    with Wild({"/predict": ANSWER}) as other, Wild({}) as server:
        server.habits["/predict"] = redirect(f"{other.url}/predict")
        Client(f"{server.url}/", key="secret").predict(red)
        assert "Authorization: Bearer secret" in server.asked[0]
        assert "secret" not in other.asked[0]


def run(*arguments, **env):
    return subprocess.run(
        [sys.executable, DOCS / "client.py", *arguments],
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_the_command_prints_a_line_for_each_prediction(answering, images, red):
    done = run(red, "--server", answering.url, "--top", "2")
    assert (done.returncode, done.stderr) == (0, "")
    assert [label for label, _ in LABEL.findall(done.stdout)] == ["red", "green"]
    url = f"{images.url}/red.png"
    assert run("--url", url, "--server", answering.url).stdout.startswith("red\t")


def test_the_command_says_why_there_is_no_answer(answering, red, capsys):
    server = ["--server", answering.url]
    assert main(["--text", "I love it", *server]) == 1
    assert "does not take 'text'" in capsys.readouterr().err
    assert main(["--url", "http://10.0.0.1/", *server]) == 1
    assert "could not be fetched" in capsys.readouterr().err
    assert main([str(red.parent / "missing.png"), *server]) == 1
    assert "missing.png" in capsys.readouterr().err
    assert main([str(red), *server]) == 0
    assert capsys.readouterr().out.startswith("red\t")


def test_the_command_takes_the_key_from_the_environment(red):
    with Wild({"/predict": ANSWER}) as server:
        done = run(red, "--server", server.url, API_KEY="from-outside")
        assert done.stdout == "late\t1\n"
        assert "Authorization: Bearer from-outside" in server.asked[0]


def test_the_command_explains_itself():
    done = run("--help")
    assert done.returncode == 0
    for option in ("--url", "--text", "--server", "--key", "--model", "--top"):
        assert option in done.stdout


class Folder(Quiet, SimpleHTTPRequestHandler):
    """Another site, with client.js on it."""

    extensions_map = {".js": "text/javascript", "": "text/html"}  # noqa: RUF012


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    (folder / "index.html").write_text("<!doctype html><title>Another site</title>")
    (folder / "client.js").write_text((DOCS / "client.js").read_text())
    with Site(partial(Folder, directory=str(folder))) as other:
        yield other.url


@pytest.fixture(scope="module")
def page(site):
    with browser() as chromium, watched_page(chromium) as one:
        one.goto(site)
        yield one


def in_page(page, expression, argument):
    """`expression` of `predict` and `it`; what it throws comes as a list."""
    return page.evaluate(
        f"""async (it) => {{
            const {{ predict, Failed }} = await import('./client.js');
            const blob = new Blob([new Uint8Array(it.image ?? [])]);
            try {{ return await {expression}; }}
            catch (why) {{
                return [why instanceof Failed, why.status, why.code, why.message];
            }}
        }}""",
        argument,
    )


def test_javascript_of_another_origin_gets_predictions(page, answering, images):
    it = {"server": answering.url, "image": list(picture("blue"))}
    answer = in_page(page, "predict(it.server, blob, {top: 2})", it)
    assert [one["label"] for one in answer] == ["blue", "red"]
    it = {"server": f"{answering.url}/", "url": f"{images.url}/red.png"}
    answer = in_page(page, "predict(it.server, {url: it.url}, {key: 'k'})", it)
    assert answer[0]["label"] == "red"


def test_javascript_throws_the_servers_words(page, answering):
    it = {"server": answering.url, "image": [1, 2]}
    assert in_page(page, "predict(it.server, blob)", it)[:3] == [
        True,
        422,
        "not_an_image",
    ]
    failed = in_page(page, "predict(it.server, {text: 'good'}, {model: 'x'})", it)
    assert failed[:3] == [True, 404, "no_such_model"]


def test_javascript_waits_as_long_as_it_is_asked_to(page):
    with full(2) as server:
        answer = in_page(page, "predict(it, new Blob(['x']))", server.url)
        assert answer[0]["label"] == "late"
        assert len(server.asked) == 3
    with full(1, after="99") as server:
        failed = in_page(page, "predict(it, new Blob(['x']))", server.url)
        assert failed == [True, 503, "overloaded", "Too many."]
