"""A real Chromium, the distribution's own, driven by Playwright."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--no-sandbox",  # CI runs as root in a container
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
]


_running: list[Browser] = []


@contextmanager
def browser() -> Iterator[Browser]:
    """Chromium; where there is none the test is skipped, or fails in CI.

    One for everybody: Playwright allows no second one in the same thread.
    """
    if _running:
        yield _running[0]
        return
    if not CHROMIUM:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("Chromium is missing")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        _running.append(chromium)
        try:
            yield chromium
        finally:
            _running.clear()
            chromium.close()


@contextmanager
def watched_page(chromium: Browser, **context: Any) -> Iterator[Page]:
    """A page in a fresh context; what it complained about is in `page.complaints`."""
    with chromium.new_context(**context) as fresh:
        page = fresh.new_page()
        page.set_default_timeout(20_000)
        complaints: list[str] = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console",
            lambda m: complaints.append(m.text) if m.type == "error" else None,
        )
        page.complaints = complaints  # type: ignore[attr-defined]
        yield page
