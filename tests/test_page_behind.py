"""The page where a key is asked for, and where a proxy serves it under a path."""

import http.client
import re
from http.server import BaseHTTPRequestHandler

import pytest

import made
from browsing import browser, watched_page
from serving import Served
from sites import Quiet, Site

pytestmark = pytest.mark.full

RED = {"name": "red.png", "mimeType": "image/png", "buffer": made.picture("red")}
KEY = "k3y-of-the-house"


@pytest.fixture(scope="module")
def chromium():
    with browser() as one:
        yield one


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return tmp_path_factory.mktemp("behind")


@pytest.fixture(scope="module")
def keyed(root):
    made.quick(root / "quick")
    (root / "quick" / "examples").mkdir()
    (root / "quick" / "examples" / "blue.png").write_bytes(made.picture("blue"))
    flags = (f"--api-keys={KEY}", "--trusted-proxies=127.0.0.1")
    kept = ("--keep-uploads=flagged", f"--uploads-dir={root / '.kept'}")
    with Served(root, *flags, *kept) as server:
        yield server.ready()


def give_picture(page):
    page.wait_for_selector("#workspace", state="visible")
    page.set_input_files("#file-input", RED)


def give_key(page, key):
    page.wait_for_selector("#key-dialog", state="visible")
    page.fill("#key-input", key)
    page.keyboard.press("Enter")


def answer(page):
    card = page.locator("[data-testid=result][data-state=done]").first
    card.wait_for()
    return card.locator("[data-testid=top-answer]").inner_text()


def test_the_page_asks_for_a_key_and_keeps_it_for_the_visit(chromium, keyed):
    with watched_page(chromium) as page:
        page.goto(keyed.url)
        give_picture(page)
        page.wait_for_selector("#key-dialog", state="visible")
        assert "The API key is missing" in page.locator("#key-reason").inner_text()
        give_key(page, "wrong")
        page.wait_for_selector("#key-reason:has-text('key is not valid')")
        give_key(page, KEY)
        assert "red" in answer(page)
        assert "Authorization: Bearer" in page.locator("#code-curl").text_content()
        page.reload()
        give_picture(page)
        assert "red" in answer(page)
        assert not page.locator("#key-dialog").is_visible()
        assert KEY not in page.content()
        refused = [c for c in page.complaints if "401" not in c]
        assert refused == [], "the browser itself reports the 401s, and nothing else"
    with watched_page(chromium) as page:  # another visit
        page.goto(keyed.url)
        give_picture(page)
        page.wait_for_selector("#key-dialog", state="visible")


def test_who_has_no_key_sees_the_sentence_and_may_try_again(chromium, keyed):
    with watched_page(chromium) as page:
        page.goto(keyed.url)
        give_picture(page)
        page.click("#key-cancel")
        card = page.locator("[data-testid=result][data-state=error]")
        card.wait_for()
        assert "The API key is missing" in card.inner_text()
        card.locator("[data-testid=retry]").click()
        give_key(page, KEY)
        assert "red" in answer(page)


@pytest.fixture
def proxy(keyed):
    """A proxy that serves `keyed` under /digits/, and says so as nginx would."""

    class Proxy(Quiet, BaseHTTPRequestHandler):
        def do_GET(self):
            if not self.path.startswith("/digits/"):
                self.send_error(404)
                return
            upstream = http.client.HTTPConnection("127.0.0.1", keyed.port, timeout=30)
            headers = dict(self.headers) | {
                "Connection": "close",
                "X-Forwarded-For": "203.0.113.9",
                "X-Forwarded-Proto": "https",
                "X-Forwarded-Host": self.headers["Host"],
                "X-Forwarded-Prefix": "/digits",
            }
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            path = self.path.removeprefix("/digits")
            upstream.request(self.command, path, body, headers)
            reply = upstream.getresponse()
            content = reply.read()
            self.send_response(reply.status)
            for name, value in reply.getheaders():
                if name not in ("Connection", "Date", "Server"):
                    self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)
            upstream.close()

        def do_POST(self):
            self.do_GET()

        def do_DELETE(self):
            self.do_GET()

    with Site(Proxy) as site:
        yield site.url


def test_the_page_works_under_a_path_of_a_proxy(chromium, keyed, proxy):
    with watched_page(chromium) as page:
        page.goto(f"{proxy}/digits/")
        give_picture(page)
        give_key(page, KEY)
        assert "red" in answer(page)
        assert f"{proxy}/digits/predict" in page.locator("#code-curl").text_content()
        assert [c for c in page.complaints if "401" not in c] == []
    log = keyed.log()
    assert re.search(r"POST /predict 200 .* client=203\.0\.113\.9 model=quick", log)
    assert "GET /static/<path:name> 200" in log


def test_what_comes_after_an_answer_works_there_and_with_the_key(
    chromium, keyed, proxy
):
    with watched_page(chromium) as page:
        page.goto(f"{proxy}/digits/")
        page.locator("[data-testid=example]").click()
        give_key(page, KEY)
        assert "blue" in answer(page)
        page.click("[data-testid=why]")
        page.wait_for_selector("[data-testid=why-map]")
        page.click("[data-testid=correct]")
        page.select_option("[data-testid=correct-label]", "green")
        page.click("[data-testid=correct-send]")
        page.click("[data-testid=correct-delete]")
        page.wait_for_selector("text=Deleted.")


def test_cancel_on_the_page_cancels_on_the_server(chromium, keyed, root):
    gone = 'facenality_rejected_total{reason="client_gone"} 1'
    hold = root / "quick.hold"
    with watched_page(chromium) as page:
        page.goto(keyed.url)
        give_picture(page)
        give_key(page, KEY)
        answer(page)
        hold.touch()  # the model does not answer meanwhile
        give_picture(page)
        page.click("[data-testid=cancel]")
        for _ in range(200):
            if gone in keyed.get("/metrics").text:
                break
            page.wait_for_timeout(50)
        else:
            raise AssertionError(keyed.log())
    hold.unlink()
