"""WCAG 2.2 AA by axe-core in both themes; the keyboard; a phone's fingers."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe

from serving import Served
from visiting import answer, file, give, part, visit

pytestmark = pytest.mark.full

SMALLEST = """() => [...document.querySelectorAll('button, a, select, summary')]
    .filter((e) => e.checkVisibility() && !e.closest('.visually-hidden, .skip-link'))
    .map((e) => [e.getBoundingClientRect(), e.id || e.dataset.testid || e.textContent])
    .filter(([box]) => box.height < 44 || box.width < 24)
    .map(([box, name]) => `${name}: ${box.width} x ${box.height}`)"""


def violations(page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [
        f"{one['id']}: {node['html'][:150]} {node['failureSummary']}"
        for one in found
        for node in one["nodes"]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_any_state(chromium, page_server, scheme):
    with visit(chromium, page_server, color_scheme=scheme) as page:
        assert violations(page) == [], "empty"
        give(page)
        answer(page)
        for action, shown in (
            ("compare", "compared"),
            ("correct", "consent"),
            ("why", "why-map"),
        ):
            page.click(f"[data-testid={action}]")
            part(page, shown)
            assert violations(page) == [], action
        give(page, {"name": "bad.png", "mimeType": "image/png", "buffer": b"no"})
        part(page, "error")
        for model in ("moods", "tags"):
            page.select_option("#model-picker", model)
            give(page)
        answer(page, 3)
        page.click("#code-panel summary")
        assert violations(page) == [], "several tasks and an error"
        page.click("#view-gallery")
        assert violations(page) == [], "gallery"
        page.click("#camera-open")
        assert violations(page) == [], "camera"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_where_words_and_numbers_go_in(chromium, page_server, scheme):
    with visit(chromium, page_server, "sentiment", color_scheme=scheme) as page:
        page.fill("#text-input", "The people were lovely but the room was filthy")
        page.click("#text-panel button")
        answer(page)
        page.click("[data-testid=why]")
        part(page, "why-words")
        page.select_option("#model-picker", "sums")
        page.click("#tensor-panel button")
        answer(page, 2)
        page.fill("#tensor-input", "[")
        page.click("#tensor-panel button")
        assert violations(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_while_the_server_loads(chromium, colours, scheme):
    with Served(colours) as loading, chromium.new_context(color_scheme=scheme) as one:
        page = one.new_page()
        page.route(re.compile("/models$"), lambda _route: None)
        page.goto(loading.url)
        page.wait_for_selector("#loading-stage:not(:empty)")
        assert violations(page) == []


def tab_to(page, name: str) -> None:
    for _ in range(40):
        page.keyboard.press("Tab")
        here = "[document.activeElement.id, document.activeElement.dataset.testid]"
        if name in page.evaluate(here):
            return
    raise AssertionError(f"{name} is not reached by Tab")


def test_everything_can_be_done_by_keyboard(chromium, page_server):
    with visit(chromium, page_server) as page:
        tab_to(page, "example")
        page.keyboard.press("Enter")
        answer(page)
        tab_to(page, "correct")
        page.keyboard.press("Enter")
        part(page, "consent")
        assert page.evaluate("document.activeElement.dataset.testid") == (
            "correct-label"
        )
        page.keyboard.press("ArrowDown")
        tab_to(page, "correct-send")
        page.keyboard.press("Enter")
        part(page, "correct-delete")
        page.keyboard.press("Enter")
        page.wait_for_selector("text=Deleted.")
        page.keyboard.press("Shift+Tab")


def test_on_a_phone_a_finger_finds_every_target(chromium, page_server):
    phone = {"width": 390, "height": 844}
    with visit(
        chromium, page_server, viewport=phone, has_touch=True, is_mobile=True
    ) as page:
        give(page, file("a.png"), file("b.png", "blue"))
        answer(page, 2)
        page.locator("[data-testid=why]").first.click()
        part(page, "why-map")
        assert page.evaluate(SMALLEST) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert page.get_attribute("#camera-input", "capture") == "environment"
