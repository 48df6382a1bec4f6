"""The page in a real browser: every way in, the answer, errors, other origins."""

import re
from http.server import BaseHTTPRequestHandler

import pytest

from browsing import watched_page
from made import picture
from serving import ROOT, Served
from sites import Quiet, Site

PREDICT = re.compile(r"/predict\?")
DIGITS = ROOT / "models" / "digits"
RED = {"name": "red.png", "mimeType": "image/png", "buffer": picture("red")}
BLUE = {
    "name": "blue.jpg",
    "mimeType": "image/jpeg",
    "buffer": picture("blue", form="JPEG"),
}


@pytest.fixture(scope="module")
def digits():
    with Served(ROOT / "models", "--model=digits") as server:
        yield server.ready()


@pytest.fixture
def page(chromium, server):
    """The page of the colours model, which must not complain about anything."""
    with watched_page(
        chromium, permissions=["clipboard-read", "clipboard-write"]
    ) as one:
        one.goto(server.url)
        one.wait_for_selector("#workspace", state="visible")
        yield one
        assert one.complaints == []


def done(page, count=1):
    """The cards with an answer, newest first, once there are `count`."""
    cards = page.locator("[data-testid=result][data-state=done]")
    cards.nth(count - 1).wait_for()
    return cards


def top(card) -> str:
    return card.locator("[data-testid=top-answer]").inner_text()


def test_a_picked_file_gets_ranked_bars_and_where_the_time_went(page):
    page.set_input_files("#file-input", RED)
    card = done(page).first
    assert "red" in top(card)
    bars = card.locator("[data-testid=prediction]").all_inner_texts()
    assert [bar.split()[0] for bar in bars] == ["red", "green", "blue"]
    assert re.search(r"\d %|\d%", bars[0])
    timing = card.locator("[data-testid=timing]").inner_text()
    for part in ("decode", "queue", "predict", "network"):
        assert part in timing
    assert "red" in page.locator("#announcer").inner_text()


def test_several_pictures_get_a_card_each(page):
    page.set_input_files("#file-input", [RED, BLUE, RED])
    cards = done(page, 3)
    names = sorted(re.findall("red|blue", " ".join(top(c) for c in cards.all())))
    assert names == ["blue", "red", "red"]


def test_a_file_that_is_no_picture_shows_the_sentence_of_the_server(page):
    fake = {"name": "fake.png", "mimeType": "image/png", "buffer": b"no picture"}
    page.set_input_files("#file-input", fake)
    card = page.locator("[data-testid=result][data-state=error]")
    card.wait_for()
    assert "not an image that can be read" in card.inner_text()
    assert "not_an_image" in card.inner_text()
    page.complaints.clear()  # the browser itself reports the 422


def test_a_picture_dropped_anywhere_is_predicted(page):
    page.evaluate(
        """async (bytes) => {
            const transfer = new DataTransfer();
            const file = new File([new Uint8Array(bytes)], 'a', {type: 'image/png'});
            transfer.items.add(file);
            for (const type of ['dragenter', 'dragover', 'drop'])
                document.body.dispatchEvent(new DragEvent(
                    type, {dataTransfer: transfer, bubbles: true, cancelable: true}));
        }""",
        list(picture("lime")),
    )
    assert "green" in top(done(page).first)


def test_a_pasted_picture_is_predicted(page):
    page.evaluate(
        """async (bytes) => {
            const blob = new Blob([new Uint8Array(bytes)], {type: 'image/png'});
            await navigator.clipboard.write([new ClipboardItem({'image/png': blob})]);
        }""",
        list(picture("blue")),
    )
    page.keyboard.press("Control+V")
    assert "blue" in top(done(page).first)


def test_a_photograph_from_the_camera_is_predicted(page):
    page.click("#camera-open")
    while not page.evaluate("document.getElementById('camera-video').videoWidth"):
        page.wait_for_timeout(50)
    page.click("#camera-capture")
    assert top(done(page).first)


def test_a_camera_that_is_refused_says_what_to_do(chromium, server):
    with watched_page(chromium) as page:
        page.add_init_script(
            "navigator.mediaDevices.getUserMedia = async () => {"
            " throw new DOMException('no', 'NotAllowedError'); }"
        )
        page.goto(server.url)
        page.click("#camera-open")
        message = page.locator("#camera-message")
        message.wait_for()
        assert len(message.inner_text()) > 20


def test_an_upload_can_be_cancelled(chromium, server):
    with watched_page(chromium) as page:
        page.route(PREDICT, lambda _route: None)  # never answered
        page.goto(server.url)
        page.set_input_files("#file-input", RED)
        page.click("[data-testid=cancel]")
        page.wait_for_selector("[data-state=busy]", state="detached")
        assert page.complaints == []


def test_an_overloaded_server_is_asked_again_after_its_retry_after(chromium, server):
    asked = []

    def refuse_once(route):
        asked.append(route)
        if len(asked) > 1:
            route.continue_()
            return
        route.fulfill(
            status=503,
            headers={"Retry-After": "1"},
            json={
                "success": False,
                "error": "Too many requests are waiting.",
                "code": "overloaded",
                "id": "0" * 32,
            },
        )

    with watched_page(chromium) as page:
        page.route(PREDICT, refuse_once)
        page.goto(server.url)
        page.set_input_files("#file-input", RED)
        assert "red" in top(done(page).first)
        assert len(asked) == 2


def test_while_the_server_loads_the_page_shows_the_stage_and_comes_alive(
    chromium, colours
):
    with Served(colours) as loading, watched_page(chromium) as page:
        page.goto(loading.url)
        page.wait_for_selector("#loading-stage:not(:empty)")
        assert "colours" in page.locator("#loading-stage").inner_text().lower()
        page.wait_for_selector("#workspace", state="visible", timeout=60_000)


def test_the_code_panel_holds_a_curl_that_works_and_can_be_copied(
    page, server, tmp_path
):
    import subprocess

    page.click("#code-panel summary")
    page.locator("#code-curl [data-testid=copy]").click()
    page.wait_for_selector("text=Copied")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.strip() == page.locator("#code-curl code").inner_text().strip()
    assert server.url.rsplit(":", 1)[1] in copied
    (tmp_path / "picture.jpg").write_bytes(picture("blue", form="JPEG"))
    out = subprocess.run(["bash", "-c", copied], cwd=tmp_path, capture_output=True)
    assert b'"predictions":[{"label":"blue"' in out.stdout


def test_a_model_picker_appears_when_there_are_several(chromium, several_server):
    with watched_page(chromium) as page:
        page.goto(several_server.url)
        page.wait_for_selector("#model-picker")
        options = page.locator("#model-picker option").all_inner_texts()
        assert sorted(options) == ["colours", "sums", "traits"], "each name once"
        page.select_option("#model-picker", "traits")
        page.set_input_files("#file-input", RED)
        card = done(page).first
        assert "brightness" in card.inner_text()
        assert "broken" in page.locator("#failed-list").text_content()


@pytest.fixture
def other_origin():
    """A web site on another port."""

    class Shop(Quiet, BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<!doctype html><title>shop</title>")

    with Site(Shop) as site:
        yield site.url


def test_javascript_of_another_origin_gets_the_answer_and_the_errors(
    chromium, server, other_origin
):
    """The snippet of the README, in a page of another site."""
    (snippet,) = re.findall(r"```js\n(.*?)```", (ROOT / "README.md").read_text(), re.S)
    snippet = snippet.replace("http://localhost:5000", server.url)
    with watched_page(chromium) as page:
        page.goto(other_origin)
        predictions = page.evaluate(
            "async (bytes) => { const file = new Blob([new Uint8Array(bytes)]);"
            f"{snippet} return predictions; }}",
            list(picture("blue")),
        )
        assert predictions[0]["label"] == "blue"
        error = page.evaluate(
            f"""async () => {{
                const reply = await fetch('{server.url}/predict', {{
                    method: 'POST', body: '{{', headers: {{
                        'Content-Type': 'application/json', 'X-Request-ID': 'mine'}}}});
                return [reply.status, (await reply.json()).code,
                        reply.headers.get('X-Request-ID')];
            }}"""
        )
        assert error == [400, "malformed", "mine"]


STROKES = {
    "7": [[(80, 70), (200, 70), (130, 230)]],
    "1": [[(110, 100), (150, 60), (150, 230)]],
    "0": [
        [
            (150, 50),
            (100, 80),
            (80, 150),
            (100, 210),
            (150, 235),
            (200, 210),
            (220, 150),
            (200, 80),
            (150, 50),
        ]
    ],
    "3": [
        [
            (95, 75),
            (140, 50),
            (190, 75),
            (185, 115),
            (140, 140),
            (190, 165),
            (195, 210),
            (145, 238),
            (90, 215),
        ]
    ],
}


@pytest.mark.parametrize("digit", STROKES)
def test_a_digit_drawn_on_the_pad_is_read(chromium, digits, digit):
    with watched_page(chromium) as page:
        page.goto(digits.url)
        pad = page.locator("#pad")
        pad.wait_for()
        box = pad.bounding_box()
        scale = box["width"] / 300
        for stroke in STROKES[digit]:
            points = [(box["x"] + x * scale, box["y"] + y * scale) for x, y in stroke]
            page.mouse.move(*points[0])
            page.mouse.down()
            for point in points[1:]:
                page.mouse.move(*point, steps=8)
            page.mouse.up()
        assert top(done(page).first).startswith(digit)
        assert page.inner_text("#pad-hint").startswith(digit), "beside the pad too"
        assert page.complaints == []


def test_the_pad_can_be_drawn_on_by_keyboard(chromium, digits):
    with watched_page(chromium) as page:
        page.goto(digits.url)
        page.locator("#pad").wait_for()
        page.locator("#pad").focus()
        page.keyboard.press("Space")
        for _ in range(14):
            page.keyboard.press("ArrowDown")
        page.keyboard.press("Space")
        assert top(done(page).first).startswith("1")
        page.keyboard.press("Delete")
        assert page.locator("#pad-clear").is_disabled()
        assert page.inner_text("#pad-hint").startswith("The answer appears")


def test_an_uploaded_digit_is_read(chromium, digits):
    with watched_page(chromium) as page:
        page.goto(digits.url)
        page.locator("#file-input").wait_for(state="attached")
        page.set_input_files("#file-input", DIGITS / "sample.png")
        import json

        label = json.loads((DIGITS / "expected.json").read_text())[0]["label"]
        assert top(done(page).first).startswith(label)


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_wider_than_the_screen(chromium, server, width, scheme):
    size = {"width": width, "height": 800}
    with watched_page(chromium, viewport=size, color_scheme=scheme) as page:
        page.goto(server.url)
        page.set_input_files("#file-input", RED)
        done(page)
        page.click("#code-panel summary")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
