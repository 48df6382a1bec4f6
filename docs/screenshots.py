"""`make screenshots`: take the README's picture of the page, with a drawn digit.

Run from the repository's root: it starts app.py and drives Chromium as the tests do.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path += [str(ROOT), str(ROOT / "tests")]

from browsing import browser, watched_page  # noqa: E402  after the path
from serving import Served  # noqa: E402

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


def main() -> None:
    """Write docs/page.png."""
    with Served(ROOT / "models", "--model=digits") as server, browser() as chromium:
        server.ready()
        size = {"width": 1180, "height": 800}
        with watched_page(chromium, viewport=size, device_scale_factor=1.5) as page:
            page.goto(server.url)
            pad = page.locator("#pad")
            pad.wait_for()
            box = pad.bounding_box()
            assert box is not None
            for stroke in STROKES:
                page.mouse.move(*_at(box, stroke[0]))
                page.mouse.down()
                for point in stroke[1:]:
                    page.mouse.move(*_at(box, point), steps=8)
                page.mouse.up()
            page.wait_for_selector("[data-testid=result][data-state=done]")
            page.mouse.move(5, 5)
            page.wait_for_timeout(600)
            page.screenshot(path=ROOT / "docs" / "page.png")


def _at(box: dict[str, float], share: tuple[float, float]) -> tuple[float, float]:
    return box["x"] + share[0] * box["width"], box["y"] + share[1] * box["height"]


if __name__ == "__main__":
    main()
