"""A visit to the page: what a test of it does again and again."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, Locator, Page

from browsing import watched_page
from made import picture
from serving import Served

DONE = "[data-testid=result][data-state=done]"


@contextmanager
def visit(
    chromium: Browser, server: Served, model: str = "colours", **context: Any
) -> Iterator[Page]:
    """The page with `model` chosen; motion is reduced, so nothing is waited for."""
    with watched_page(chromium, reduced_motion="reduce", **context) as page:
        page.goto(server.url)
        page.wait_for_selector("#workspace", state="visible")
        page.select_option("#model-picker", model)
        yield page


def file(name: str, colour: object = "red", **made: Any) -> Any:
    """A picture of one colour, as Playwright picks it."""
    content = picture(colour, **made)
    return {"name": name, "mimeType": "image/png", "buffer": content}


def give(page: Page, *files: Any) -> None:
    """Pick files, red.png where none are named."""
    page.set_input_files("#file-input", list(files or [file("red.png")]))


def answer(page: Page, count: int = 1) -> Locator:
    """The newest card, once `count` have an answer."""
    page.locator(DONE).nth(count - 1).wait_for()
    return page.locator(DONE).first


def top(card: Locator) -> str:
    """What stands large on a card."""
    return card.locator("[data-testid=top-answer]").inner_text()


def part(page: Page, name: str) -> Locator:
    """The first part called `name`, once it is there."""
    found = page.locator(f"[data-testid={name}]").first
    found.wait_for()
    return found
