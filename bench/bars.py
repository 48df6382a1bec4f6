"""docs/bench.svg: bars of requests per second, legible on light and dark pages."""

from html import escape

STYLE = """
text { font: 14px system-ui, sans-serif; fill: #1f2328; }
.ours { fill: #1a7f5a; } .tuned { fill: #8250df; } .peer { fill: #8c959f; }
.value { font-weight: 600; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; }
  .ours { fill: #3fb984; } .tuned { fill: #a371f7; } .peer { fill: #6e7681; }
}
"""
ROW, BAR, NAMES, WIDTH, VALUE = 30, 20, 290, 760, 60
Bar = tuple[str, str, float]  # name, kind (a class of STYLE), number


def picture(title: str, bars: list[Bar]) -> str:
    """An SVG with the longest bar on top."""
    ordered = sorted(bars, key=lambda bar: -bar[2])
    most = max((number for _, _, number in ordered), default=1) or 1
    height = 40 + ROW * len(ordered)
    said = ", ".join(f"{name} {number:.0f}" for name, _, number in ordered)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'width="{WIDTH}" height="{height}" role="img">',
        f"<title>{escape(title)}</title>",
        f"<desc>{escape(said)}</desc>",
        f"<style>{STYLE}</style>",
        f'<text x="8" y="22" class="value">{escape(title)}</text>',
    ]
    for place, bar in enumerate(ordered):
        lines += _row(40 + ROW * place, bar, most)
    return "\n".join([*lines, "</svg>"]) + "\n"


def _row(top: int, bar: Bar, most: float) -> list[str]:
    name, kind, number = bar
    length = max(1.0, (WIDTH - NAMES - VALUE) * number / most)
    middle = top + BAR - 5
    return [
        f'<text x="{NAMES - 10}" y="{middle}" text-anchor="end">{escape(name)}</text>',
        f'<rect x="{NAMES}" y="{top}" width="{length:.1f}" height="{BAR}" rx="3" '
        f'class="{kind}"/>',
        f'<text x="{NAMES + length + 8:.1f}" y="{middle}" class="value">'
        f"{number:.0f}</text>",
    ]
