"""What the page says while it waits: offline, lost, too large, cancelled; languages."""

import re

import pytest

from made import picture
from serving import ROOT
from visiting import answer, file, give, part, top, visit

pytestmark = pytest.mark.full

PREDICT = re.compile(r"/predict\?")


def test_offline_is_explained_and_what_was_given_goes_out_afterwards(
    chromium, page_server
):
    with visit(chromium, page_server) as page:
        page.context.set_offline(True)
        page.wait_for_selector("#connection:has-text('You are offline')")
        give(page)
        card = page.locator("[data-state=waiting]")
        card.wait_for()
        assert "is sent when the connection is back" in card.inner_text()
        page.context.set_offline(False)
        assert "red" in top(answer(page))
        assert page.inner_text("#connection") == ""


def test_a_server_that_is_lost_is_tried_again(chromium, page_server):
    asked: list = []

    def lose_once(route):
        asked.append(route)
        route.continue_() if len(asked) > 1 else route.abort("connectionreset")

    with visit(chromium, page_server) as page:
        page.route(PREDICT, lose_once)
        give(page)
        page.wait_for_selector("text=cannot be reached")
        assert "red" in top(answer(page))
        assert len(asked) == 2


def test_cancel_ends_the_request_itself(chromium, page_server):
    with visit(chromium, page_server) as page:
        page.route(PREDICT, lambda _route: None)  # never answered
        with page.expect_event("requestfailed") as failed:
            give(page)
            part(page, "cancel").click()
        assert "ABORTED" in failed.value.failure
        error = part(page, "error")
        assert error.inner_text().startswith("Cancelled.")
        page.unroute(PREDICT)
        page.click("[data-testid=retry]")
        assert "red" in top(answer(page))


@pytest.mark.parametrize(
    ("name", "made", "sentence"),
    [
        ("heavy.bmp", {"size": (2500, 2200), "form": "BMP"}, "the largest picture"),
        ("wide.png", {"size": (5100, 5000)}, "more than 25 megapixels"),
    ],
)
def test_a_picture_that_is_too_large_is_sent_smaller(
    chromium, page_server, tmp_path, name, made, sentence
):
    (tmp_path / name).write_bytes(picture(**made))
    with visit(chromium, page_server) as page:
        give(page, tmp_path / name)
        error = part(page, "error")
        assert sentence in error.inner_text()
        page.click("[data-testid=shrink]")
        card = answer(page)
        assert "red" in top(card)
        assert name.split(".")[0] + ".jpg" in card.inner_text()


def test_what_the_browser_cannot_read_is_not_made_smaller(
    chromium, page_server, tmp_path
):
    (tmp_path / "a.png").write_bytes(bytes(16 * 2**20))
    with visit(chromium, page_server) as page:
        give(page, tmp_path / "a.png")
        page.click("[data-testid=shrink]")
        page.wait_for_selector("text=This browser cannot read a.png")


def test_a_german_browser_meets_a_german_page(chromium, page_server):
    with visit(chromium, page_server, locale="de-AT") as page:
        assert page.get_attribute("html", "lang") == "de"
        assert page.inner_text("#answers-title") == "Antworten"
        give(page)
        card = answer(page)
        assert "57,6\u00a0%" in top(card)
        assert page.inner_text("[data-testid=why]") == "Warum diese Antwort?"
        broken = {"name": "bad.png", "mimeType": "image/png", "buffer": b"no picture"}
        give(page, broken)
        error = part(page, "error")
        page.wait_for_selector("text=Das ist kein lesbares Bild")
        english = error.locator("[lang=en]").inner_text()
        assert "This is not an image that can be read" in english, "as it was said"


def test_the_language_can_be_chosen_and_is_remembered(chromium, page_server):
    with visit(chromium, page_server, locale="fr-FR") as page:
        assert page.get_attribute("html", "lang") == "en", "what it knows of"
        page.click("#language-switch")
        page.wait_for_selector("text=Noch keine Antworten")
        page.reload()
        page.wait_for_selector("text=Noch keine Antworten")
        give(page)
        answer(page)
        page.click("#language-switch")  # the question is dismissed
        assert page.get_attribute("html", "lang") == "de"
        page.once("dialog", lambda dialog: dialog.accept())
        page.click("#language-switch")
        page.wait_for_selector("text=No answers yet")


KEYS = """async () => {
    const keys = (object, at) => Object.entries(object ?? {}).flatMap(([key, value]) =>
        value && typeof value === 'object' && !Array.isArray(value)
            ? keys(value, `${at}.${key}`) : [`${at}.${key} ${typeof value}`]);
    const script = document.querySelector('script[type=module]').src;
    const [en, de] = await Promise.all(['en', 'de'].map(
        (one) => import(new URL(`../words/${one}.js`, script).href)));
    const page = await (await fetch('.')).text();
    const wanted = [...page.matchAll(/data-words(?:-label)?="(\\w+)"/g)].map(m => m[1]);
    return [keys({...en.words, page: {}, errors: {}}, ''),
            keys({...de.words, page: {}, errors: {}}, ''),
            [...new Set(wanted)].sort(), Object.keys(de.words.page).sort()];
}"""


def test_both_languages_say_the_same_things(chromium, page_server):
    with visit(chromium, page_server) as page:
        en, de, wanted, german = page.evaluate(KEYS)
        assert en == de
        assert wanted == german


GERMAN_CODES = """async () => {
    const script = document.querySelector('script[type=module]').src;
    const german = await import(new URL('../words/de.js', script).href);
    return Object.keys(german.words.errors);
}"""


def test_every_german_error_translates_a_code_of_the_server(chromium, page_server):
    with visit(chromium, page_server) as page:
        codes = page.evaluate(GERMAN_CODES)
    server = "".join(file.read_text() for file in (ROOT / "facenality").rglob("*.py"))
    assert {code for code in codes if f'"{code}"' not in server} == set()


def update_server(page):
    """The server has another version of the page now: the old files are 404."""
    page.route("**/static/**", lambda route: route.fulfill(status=404))
    page.evaluate("dispatchEvent(new Event('focus'))")


def test_an_empty_page_reloads_by_itself_after_an_update(chromium, page_server):
    with visit(chromium, page_server) as page:
        page.evaluate("document.title = 'before'")
        update_server(page)
        page.wait_for_selector("#connection:has-text('The server has been updated')")
        page.unroute("**/static/**")
        page.wait_for_function("() => document.title === 'Facenality'")
        page.wait_for_selector("#workspace", state="visible")


def test_a_page_with_answers_says_so_and_reloads_on_request(chromium, page_server):
    with visit(chromium, page_server) as page:
        give(page)
        answer(page)
        update_server(page)
        page.wait_for_selector("#connection:has-text('answers on it will be lost')")
        page.click("[data-testid=compare]")
        page.wait_for_selector("[data-testid=extra]:has-text('Reload the page')")
        assert "red" in top(answer(page)), "nothing is lost without being asked"
        page.unroute("**/static/**")
        page.get_by_role("button", name="Reload").click()
        page.wait_for_selector("#results-empty", state="visible")


def test_what_is_loaded_later_says_so_without_a_connection(chromium, page_server):
    with visit(chromium, page_server) as page:
        give(page, file("red.png"), file("blue.png", "blue"))
        answer(page, 2)
        page.route("**/static/**", lambda route: route.abort())
        page.click("[data-testid=why]")
        page.wait_for_selector("[data-testid=extra]:has-text('cannot be reached')")
        page.click("#take-csv")
        page.wait_for_selector("#results-count:has-text('cannot be reached')")
