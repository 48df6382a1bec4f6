"""`make screenshots`: the page in its states, on a desk and on a phone, light and dark.

Run from the repository's root: it starts app.py with the models that come along and
drives Chromium as the tests do. Look at every picture afterwards: that is their use.
"""

import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, Page

ROOT = Path(__file__).parents[1]
sys.path += [str(ROOT), str(ROOT / "tests")]

from browsing import browser, watched_page  # noqa: E402  after the path
from serving import Served  # noqa: E402

SCREENS = ROOT / "docs" / "screens"
DEVICES: dict[str, dict[str, Any]] = {
    "desktop": {"viewport": {"width": 1180, "height": 940}, "device_scale_factor": 1.5},
    "phone": {
        "viewport": {"width": 390, "height": 844},
        "device_scale_factor": 2,
        "is_mobile": True,
        "has_touch": True,
    },
}
DONE = "[data-testid=result][data-state=done]"
# On the desk all is in sight from the top; on a phone the answers lie below.
REVEAL = """where => {
    const top = document.querySelector(where).getBoundingClientRect().top + scrollY;
    scrollTo(0, innerWidth < 600 ? top - 16 : 0);
}"""
SENTENCE = "The people were lovely and I like the garden, but our room was filthy."

# A five, in shares of the pad's side.
STROKES = (
    ((0.66, 0.22), (0.40, 0.22), (0.37, 0.48)),
    (
        (0.37, 0.48),
        (0.50, 0.43),
        (0.62, 0.48),
        (0.67, 0.60),
        (0.62, 0.73),
        (0.50, 0.79),
        (0.36, 0.75),
    ),
)


def empty(page: Page) -> None:
    """Nothing asked yet."""
    page.wait_for_selector("#pad")


def answer(page: Page) -> None:
    """A drawn digit and its answer."""
    pad = page.locator("#pad")
    box = pad.bounding_box()
    assert box is not None
    for stroke in STROKES:
        page.mouse.move(*_at(box, stroke[0]))
        page.mouse.down()
        for point in stroke[1:]:
            page.mouse.move(*_at(box, point), steps=8)
        page.mouse.up()
    page.wait_for_selector(DONE)


def explanation(page: Page) -> None:
    """Why the sample is a three."""
    page.click("#tab-picture")
    page.locator("[data-testid=example]").first.click()
    page.wait_for_selector(DONE)
    page.click("[data-testid=why]")
    page.wait_for_selector("[data-testid=why-map]")
    page.evaluate(REVEAL, DONE)


def words(page: Page) -> None:
    """Which words made a text negative."""
    page.select_option("#model-picker", "sentiment")
    page.fill("#text-input", SENTENCE)
    page.click("#text-panel button")
    page.wait_for_selector(DONE)
    page.click("[data-testid=why]")
    page.wait_for_selector("[data-testid=why-words]")
    page.evaluate(REVEAL, DONE)


def correction(page: Page) -> None:
    """What the answer should have been."""
    page.click("#tab-picture")
    page.locator("[data-testid=example]").nth(1).click()
    page.wait_for_selector(DONE)
    page.click("[data-testid=correct]")
    page.wait_for_selector("[data-testid=correct-form]")
    page.evaluate(REVEAL, DONE)


def gallery(page: Page) -> None:
    """Several pictures at once."""
    page.click("#tab-picture")
    digits = ROOT / "models" / "digits"
    files = [digits / "sample.png", *sorted((digits / "examples").iterdir())]
    page.set_input_files("#file-input", files)
    page.locator(DONE).nth(len(files) - 1).wait_for()
    page.evaluate(REVEAL, "#answers-title")


def error(page: Page) -> None:
    """What is no picture, and what is too large."""
    page.click("#tab-picture")
    broken = {"name": "notes.png", "mimeType": "image/png", "buffer": b"no picture"}
    page.set_input_files("#file-input", broken)
    page.wait_for_selector("[data-testid=result][data-state=error]")
    with tempfile.TemporaryDirectory() as folder:
        heavy = Path(folder) / "poster.bmp"
        Image.linear_gradient("L").resize((4300, 3900)).save(heavy)
        page.set_input_files("#file-input", heavy)
        page.locator("[data-testid=shrink]:visible").wait_for()
    page.evaluate(REVEAL, "#answers-title")


STATES: dict[str, Callable[[Page], None]] = {
    one.__name__: one
    for one in (empty, answer, explanation, words, correction, gallery, error)
}
IN_FULL = ("answer", "explanation")  # in both themes on both devices
TAKEN = [
    ("desktop", "light"),
    ("desktop", "dark"),
    ("phone", "light"),
    ("phone", "dark"),
]


def main() -> None:
    """Write docs/screens/STATE-DEVICE-SCHEME.webp."""
    SCREENS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as kept, browser() as chromium:
        flags = ("--model=digits", "--engine=tensorflow", "--keep-uploads=flagged")
        with Served(ROOT / "models", *flags, f"--uploads-dir={kept}") as server:
            _loading(chromium, server)
            server.ready()
            for state, bring in STATES.items():
                for device, scheme in TAKEN if state in IN_FULL else TAKEN[::3]:
                    with _visit(chromium, server, device, scheme) as page:
                        page.wait_for_selector("#workspace", state="visible")
                        bring(page)
                        _take(page, f"{state}-{device}-{scheme}")


def _loading(chromium: Browser, server: Served) -> None:
    """The models are never told, so that the page goes on waiting."""
    for device, scheme in (("desktop", "light"), ("phone", "dark")):
        with _visit(chromium, server, device, scheme) as page:
            page.route(re.compile("/models$"), lambda _route: None)
            page.wait_for_selector("#loading-stage:not(:empty)")
            _take(page, f"loading-{device}-{scheme}")


@contextmanager
def _visit(
    chromium: Browser, server: Served, device: str, scheme: str
) -> Iterator[Page]:
    with watched_page(chromium, color_scheme=scheme, **DEVICES[device]) as page:
        page.goto(server.url)
        yield page


def _take(page: Page, name: str) -> None:
    page.mouse.move(5, 5)
    page.wait_for_timeout(700)  # bars have grown
    taken = Image.open(BytesIO(page.screenshot()))
    taken.save(SCREENS / f"{name}.webp", quality=72, method=6)


def _at(box: dict[str, float], share: tuple[float, float]) -> tuple[float, float]:
    return box["x"] + share[0] * box["width"], box["y"] + share[1] * box["height"]


if __name__ == "__main__":
    main()
