"""After the answer: why it came about, and saying what it should have been."""

import re
import sqlite3
from contextlib import closing
from io import BytesIO

import pytest
from PIL import Image

from serving import Served
from visiting import answer, file, give, part, visit

pytestmark = pytest.mark.full

EXPLAIN = re.compile(r"/explain\?")
SPOT = (300, 60, 400, 140)  # where the model looks, in a picture of 480 x 320
HOTTEST = """map => {
    const pixels = map.getContext('2d').getImageData(0, 0, map.width, map.height).data;
    let best = 0;
    for (let i = 0; i < pixels.length / 4; i += 1)
        if (pixels[4 * i + 3] > pixels[4 * best + 3]) best = i;
    const box = map.getBoundingClientRect();
    const frame = map.parentElement.getBoundingClientRect();
    const [column, row] = [best % map.width, Math.floor(best / map.width)];
    return [
        (box.left + (column + .5) / map.width * box.width - frame.left) / frame.width,
        (box.top + (row + .5) / map.height * box.height - frame.top) / frame.height,
        pixels[4 * best], pixels[4 * best + 2]];
}"""


def with_spot() -> dict:
    dark = Image.new("RGB", (480, 320), (50, 60, 50))
    dark.paste((250, 245, 220), SPOT)
    stream = BytesIO()
    dark.save(stream, "PNG")
    return {"name": "spot.png", "mimeType": "image/png", "buffer": stream.getvalue()}


def test_the_heat_map_is_hottest_where_the_model_looks(chromium, page_server):
    with visit(chromium, page_server, "spot") as page:
        give(page, with_spot())
        answer(page)
        page.click("[data-testid=why]")
        across, down, red, blue = part(page, "why-map").evaluate(HOTTEST)
        assert SPOT[0] / 480 < across < SPOT[2] / 480
        assert SPOT[1] / 320 < down < SPOT[3] / 320
        assert red > blue, "warm: it speaks for the answer"
        told = part(page, "why-told").inner_text()
        assert re.match("“bright” depends most on the (top )?right of the", told)
        strength = part(page, "why-strength")
        strength.focus()
        page.keyboard.press("Home")
        opacity = "map => getComputedStyle(map).opacity"
        assert part(page, "why-map").evaluate(opacity) == "0"
        page.select_option("[data-testid=why-label]", "dark")
        page.wait_for_selector("text=No single part decides “dark”")
        _, _, red, blue = part(page, "why-map").evaluate(HOTTEST)
        assert blue > red, "cold: the spot speaks against dark"
        assert page.complaints == []


def test_the_words_that_mattered_carry_their_sign(chromium, page_server):
    with visit(chromium, page_server, "sentiment") as page:
        page.fill("#text-input", "The people were lovely but the room was filthy")
        page.click("#text-panel button")
        answer(page)
        page.click("[data-testid=why]")
        words = part(page, "why-words")
        assert "lovely" in words.inner_text()
        marks = words.locator("mark").all_inner_texts()
        assert marks
        assert all(re.search(r"[+−][\d.]+$", mark) for mark in marks)
        assert "depends most on" in part(page, "why-told").inner_text()


def busy_once(route, asked):
    asked.append(route)
    if len(asked) > 1:
        route.continue_()
        return
    sentence = "The server is busy with predictions; explanations wait."
    error = {"success": False, "error": sentence, "code": "overloaded", "id": "0"}
    route.fulfill(status=503, headers={"Retry-After": "1"}, json=error)


def test_a_busy_server_is_asked_for_the_explanation_again(chromium, page_server):
    asked: list = []
    with visit(chromium, page_server) as page:
        page.route(EXPLAIN, lambda route: busy_once(route, asked))
        give(page)
        answer(page)
        page.click("[data-testid=why]")
        page.wait_for_selector("text=explanations wait. Trying again in 1 s.")
        part(page, "why-map")
        assert len(asked) == 2
        assert part(page, "why-label").is_visible()


def test_an_explanation_that_fails_says_why_and_can_be_asked_again(
    chromium, page_server
):
    error = {"success": False, "error": "Not there in time.", "code": "expired"}
    with visit(chromium, page_server) as page:
        page.route(EXPLAIN, lambda route: route.fulfill(status=504, json=error))
        give(page)
        answer(page)
        page.click("[data-testid=why]")
        assert part(page, "why-error").inner_text() == "Not there in time."
        page.unroute(EXPLAIN)
        page.click("[data-testid=why-status] button")
        part(page, "why-map")


def kept_now(kept) -> list:
    return [file for file in kept.rglob("*") if file.suffix in (".png", ".jpg")]


def test_a_correction_is_stored_with_consent_and_can_be_deleted(
    chromium, page_server, kept
):
    with visit(chromium, page_server) as page:
        give(page, file("pink.png", (250, 40, 90)))
        answer(page)
        page.click("[data-testid=correct]")
        consent = part(page, "consent").inner_text()
        assert "stored on this server, for at most 90 days" in consent
        assert "delete" in consent
        labels = page.locator("[data-testid=correct-label] option").all_inner_texts()
        assert labels == ["Choose a label", "green", "blue"], "not the one it said"
        assert kept_now(kept) == [], "nothing before consent"
        page.select_option("[data-testid=correct-label]", "blue")
        page.click("[data-testid=correct-send]")
        part(page, "correct-delete")
        assert "stored as “blue”" in part(page, "correct-status").inner_text()
        assert len(kept_now(kept)) == 1
        with closing(sqlite3.connect(kept / "index.sqlite")) as index:
            ((label, model),) = index.execute("SELECT label, model FROM uploads")
        assert (label, model) == ("blue", "colours")
        assert page.evaluate("document.activeElement.dataset.testid") == (
            "correct-delete"
        )
        page.keyboard.press("Enter")
        page.wait_for_selector("text=Deleted. The server no longer has it.")
        assert kept_now(kept) == []
        assert page.complaints == []


def test_what_a_server_keeps_of_all_is_said_and_can_be_deleted(
    chromium, several, tmp_path
):
    where = ("--keep-uploads=all", f"--uploads-dir={tmp_path}", "--model=colours")
    with (
        Served(several, *where) as keeping,
        visit(chromium, keeping.ready()) as page,
    ):
        assert "keeps the pictures that you send" in page.inner_text("#kept-note")
        give(page)
        answer(page)
        page.click("[data-testid=forget]")
        assert "without its metadata" in part(page, "extra").inner_text()
        while not kept_now(tmp_path):  # it is stored after the answer
            page.wait_for_timeout(50)
        page.click("[data-testid=forget-send]")
        page.wait_for_selector("text=Deleted. The server no longer has it.")
        assert kept_now(tmp_path) == []


def test_a_server_that_keeps_nothing_is_not_asked_to(chromium, several_server):
    with visit(chromium, several_server) as page:
        give(page)
        answer(page)
        assert page.locator("[data-testid=why]").is_visible()
        assert not page.locator("[data-testid=correct]").is_visible()


def test_closing_a_panel_ends_what_it_asked(chromium, page_server):
    with visit(chromium, page_server) as page:
        page.route(EXPLAIN, lambda _route: None)  # never answered
        give(page)
        answer(page)
        with page.expect_event("requestfailed") as failed:
            page.click("[data-testid=why]")
            page.wait_for_selector("text=Hiding one part after another")
            page.click("[data-testid=why]")
        assert "ABORTED" in failed.value.failure


def test_many_labels_are_typed_and_a_wrong_one_is_refused(chromium, page_server):
    """The list of labels is long: the page is told so, the server is real."""
    with visit(chromium, page_server) as page:
        page.route(
            re.compile("/models$"), lambda route: with_more_labels(route, page_server)
        )
        page.reload()
        give(page)
        answer(page)
        page.click("[data-testid=correct]")
        field = part(page, "correct-label")
        assert field.evaluate("e => e.list.options.length") == 22
        field.fill("vermilion")
        page.click("[data-testid=correct-send]")
        page.wait_for_selector("text=The model has no label “vermilion”")


def with_more_labels(route, server):
    body = server.get("/models").json()
    for model in body["models"]:
        model["labels"] += [f"shade {i}" for i in range(20)]
    route.fulfill(json=body)
