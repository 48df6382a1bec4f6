"""The answers of a visit: gallery, filter, order, and the files to take home."""

import csv
import io
import json

import pytest

from visiting import answer, file, give, top, visit

pytestmark = pytest.mark.full

# What version 2 of colours is sure of, the surest first.
PICTURES = {"=blue.png": "blue", "red.png": (200, 0, 0), "green.png": (0, 120, 0)}


@pytest.fixture(scope="module")
def page(chromium, page_server):
    """A visit with three answers and a failure; tests put the tools back."""
    with visit(chromium, page_server, accept_downloads=True) as one:
        broken = {"name": "bad.png", "mimeType": "image/png", "buffer": b"no picture"}
        give(one, *(file(name, colour) for name, colour in PICTURES.items()), broken)
        answer(one, 3)
        one.wait_for_selector("[data-state=error]")
        yield one


def shown(page) -> list[str]:
    """The top answers in view, in their order."""
    cards = page.locator("[data-testid=result]:visible")
    return [(top(card).split() or ["failed"])[0] for card in cards.all()]


def test_the_gallery_can_be_filtered_and_sorted(page):
    page.click("#view-gallery")
    assert page.get_attribute("#results", "data-view") == "gallery"
    assert page.inner_text("#results-count") == "4 answers"
    page.select_option("#results-order", "surest")
    assert shown(page) == ["blue", "red", "green", "failed"]
    page.select_option("#results-order", "name")
    names = page.locator("[data-testid=result]:visible .card-name").all_inner_texts()
    assert [name.split()[0] for name in names][:2] == ["=blue.png", "bad.png"]
    page.select_option("#results-filter", "red")
    assert shown(page) == ["red"]
    assert page.inner_text("#results-count") == "1 of 4 answers"
    page.select_option("#results-filter", label="Failed")
    assert shown(page) == ["failed"]
    page.select_option("#results-filter", "")
    page.select_option("#results-order", "newest")
    page.click("#view-list")


def test_a_tile_opens_its_card_by_keyboard_too(page):
    page.click("#view-gallery")
    tile = page.get_by_role("button", name="Open red.png")
    tile.focus()
    page.keyboard.press("Enter")
    assert page.get_attribute("#results", "data-view") == "list"
    label = page.evaluate("document.activeElement.getAttribute('aria-label')")
    assert label == "Remove red.png"


def downloaded(page, kind) -> str:
    with page.expect_download() as download:
        page.click(f"#take-{kind}")
    assert download.value.suggested_filename == f"facenality.{kind}"
    return download.value.path().read_text("utf-8-sig")


def test_the_csv_has_a_line_for_each_input_and_no_formulas(page):
    lines = list(csv.DictReader(io.StringIO(downloaded(page, "csv"))))
    names = [line["input"] for line in lines]
    assert names == ["'=blue.png", "red.png", "green.png", "bad.png"], "no formula"
    blue, red, green, bad = lines
    assert float(blue["number 1"]) == pytest.approx(0.576, abs=1e-3)
    assert (red["label 1"], red["model"], red["version"]) == ("red", "colours", "2")
    assert green["error"] == ""
    assert "not an image" in bad["error"]


def test_the_json_holds_the_answers_as_the_server_sent_them(page):
    told = json.loads(downloaded(page, "json"))
    by_name = {one["input"]: one for one in told}
    assert by_name["red.png"]["predictions"][0]["label"] == "red"
    assert by_name["red.png"]["model"] == {"name": "colours", "version": "2"}
    assert by_name["bad.png"]["code"] == "not_an_image"


def test_many_pictures_at_once_are_a_gallery_and_one_button_forgets_them(
    chromium, page_server
):
    with visit(chromium, page_server) as page:
        give(page, *(file(f"{i}.png", (30 * i, 0, 0)) for i in range(7)))
        answer(page, 7)
        assert page.get_attribute("#results", "data-view") == "gallery"
        assert page.locator("#visit-note").is_visible()
        page.click("#results-clear")
        assert page.locator("#results-empty").is_visible()
        assert page.locator("[data-testid=result]").count() == 0
