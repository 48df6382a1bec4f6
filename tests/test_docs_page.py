"""/docs in a real browser: all of the document, a form that asks, no other server."""

import json
import os
import subprocess
from urllib.parse import urlsplit

import pytest

from browsing import browser, watched_page
from conforming import KEY, models
from made import picture
from serving import Served

pytestmark = pytest.mark.full

RED = {"name": "red.png", "mimeType": "image/png", "buffer": picture("red")}


@pytest.fixture(scope="module")
def documented(tmp_path_factory):
    folder = models(tmp_path_factory.mktemp("docs") / "models")
    with Served(folder, "--model=digits", f"--api-keys={KEY}") as server:
        yield server.ready()


@pytest.fixture(scope="module")
def chromium():
    with browser() as one:
        yield one


@pytest.fixture
def page(chromium, documented):
    """The page, which asks no other server and must not complain about anything."""
    asked = set()
    with watched_page(chromium) as one:
        one.on("request", lambda request: asked.add(urlsplit(request.url).netloc))
        one.goto(f"{documented.url}/docs")
        one.wait_for_selector("details.operation")
        yield one
        assert one.complaints == []
        assert asked == {urlsplit(documented.url).netloc}


def test_every_operation_of_the_document_stands_on_the_page(page, documented):
    told = documented.get("/openapi.json").json()["paths"]
    expected = {
        f"{method} {path}" for path, methods in told.items() for method in methods
    }
    summaries = page.locator("details.operation > summary")
    first_two = "s => `${s.children[0].textContent} ${s.children[1].textContent}`"
    shown = summaries.evaluate_all(f"all => all.map({first_two})")
    assert set(shown) == expected
    for summary in summaries.all():
        summary.click()
    bodies = page.locator("details[open] > .operation-body")
    bodies.nth(len(expected) - 1).wait_for()
    assert bodies.count() == len(expected)
    assert "undefined" not in page.inner_text("main")


def send(page, operation):
    """Press Send; the status line and the answer."""
    page.click(f"#{operation} button.primary")
    page.wait_for_function(
        "id => /^\\d/.test(document.querySelector(`#${id} [role=status]`).textContent)",
        arg=operation,
    )
    status = page.inner_text(f"#{operation} [role=status]")
    return status, json.loads(page.text_content(f"#{operation} .try > pre"))


def test_a_picture_is_asked_from_the_page_with_the_key(page):
    page.click("#predict > summary")
    page.set_input_files("#predict-file", RED)
    status, answer = send(page, "predict")
    assert (status[:3], answer["code"]) == ("401", "unauthorized")
    page.complaints.clear()  # the browser itself reports the 401
    page.fill("#key", KEY)
    page.fill("#predict-top", "1")
    status, answer = send(page, "predict")
    assert status.startswith("200, application/json")
    assert [one["label"] for one in answer["predictions"]] == ["red"]


def test_parameters_of_a_path_stand_in_the_address(page, documented):
    page.click("#v2_model > summary")
    page.fill("#v2_model-name", "sentiment")
    assert f"{documented.url}/v2/models/sentiment'" in page.inner_text("#v2_model pre")
    status, answer = send(page, "v2_model")
    assert (status[:3], answer["name"]) == ("200", "sentiment")


@pytest.mark.parametrize("kind", ["multipart/form-data", "image/*", "application/json"])
def test_the_curl_command_does_what_the_form_does(page, tmp_path, kind):
    page.click("#predict > summary")
    page.select_option("#predict-kind", kind)
    if kind != "application/json":
        page.set_input_files("#predict-file", RED)
    (tmp_path / "red.png").write_bytes(RED["buffer"])
    done = subprocess.run(
        ["sh", "-c", page.inner_text("#predict .snippet code")],
        env=os.environ | {"KEY": KEY},
        cwd=tmp_path,
        capture_output=True,
        timeout=30,
        check=False,
    )
    assert json.loads(done.stdout)["predictions"][0]["label"] == "red", done


def test_a_route_that_the_address_names_is_open(page, documented):
    page.goto(f"{documented.url}/docs#explain")
    page.reload()
    page.wait_for_selector("#explain[open] .operation-body")
    assert page.locator("details.operation[open]").count() == 1


def test_on_a_phone_nothing_is_wider_than_the_screen(chromium, documented):
    size = {"width": 360, "height": 700}
    with watched_page(chromium, viewport=size) as page:
        page.goto(f"{documented.url}/docs#predict")
        page.wait_for_selector("#predict[open] .operation-body")
        assert page.evaluate("document.documentElement.scrollWidth") == 360
        assert page.complaints == []
