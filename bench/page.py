"""docs/bench.md and docs/bench.svg: the figures, and every server's numbers."""

from collections.abc import Iterable, Sequence
from html import escape

from .contenders import Contender
from .figures import Figure
from .notebook import Notebook

COLUMNS = {
    "rate": ("requests/s", "{:.0f}"),
    "p50": ("p50 ms", "{:.0f}"),
    "p99": ("p99 ms", "{:.0f}"),
    "errors": ("errors", "{:.1%}"),
    "one": ("p50 ms, one client", "{:.1f}"),
    "large": ("12 megapixels/s", "{:.0f}"),
    "resnet": ("ResNet50/s", "{:.1f}"),
    "memory": ("memory MB", "{:.0f}"),
    "cold": ("first start s", "{:.1f}"),
    "ready": ("start s", "{:.1f}"),
    "ceiling": ("ceiling/s", "{:.0f}"),
}
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


def document(
    machine: str, how: str, rows: list[Figure], book: Notebook, all_: list[Contender]
) -> str:
    """The whole page in Markdown."""
    parts = [
        "# How fast it is, beside others",
        f"`make bench` wrote this page. {how}",
        f"Machine: {machine}.",
        "![Requests per second](bench.svg)",
        "## What was promised",
        promised(rows),
        "## Everyone's numbers",
        everyone(book, all_),
    ]
    if book.missing:
        parts += ["## Not measured", *(f"- {w}: {y}" for w, y in book.missing.items())]
    return "\n\n".join(parts) + "\n"


def promised(rows: Iterable[Figure]) -> str:
    """One line a figure, with a tick or a cross."""
    head = ("figure", "measured", "beside", "ratio", "target", "")
    return table(head, [row.cells() for row in rows])


def everyone(book: Notebook, all_: list[Contender]) -> str:
    """One line a server; a dash where it was not measured."""
    lines = []
    for name in (one.name for one in all_ if book.get(one.name, "rate") is not None):
        numbers = [(book.get(name, what), form) for what, (_, form) in COLUMNS.items()]
        cells = ["–" if n is None else form.format(n) for n, form in numbers]
        lines.append((name, *cells))
    return table(("server", *(title for title, _ in COLUMNS.values())), lines)


def table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """A Markdown table; a bar in a cell is escaped."""
    rows = [head, ["---"] * len(head), *lines]
    escaped = ([cell.replace("|", "\\|") for cell in row] for row in rows)
    return "\n".join(f"| {' | '.join(row)} |" for row in escaped)


def picture(title: str, bars: list[Bar]) -> str:
    """An SVG with the longest bar on top, legible on light and dark pages."""
    ordered = sorted(bars, key=lambda bar: -bar[2])
    most = max((number for _, _, number in ordered), default=1) or 1
    height = 40 + ROW * len(ordered)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'width="{WIDTH}" height="{height}" role="img">',
        f"<title>{escape(title)}</title>",
        f"<desc>{escape(', '.join(f'{n} {rate:.0f}' for n, _, rate in ordered))}</desc>",
        f"<style>{STYLE}</style>",
        f'<text x="8" y="22" class="value">{escape(title)}</text>',
    ]
    for place, (name, kind, number) in enumerate(ordered):
        top = 40 + ROW * place
        length = max(1.0, (WIDTH - NAMES - VALUE) * number / most)
        lines.append(
            f'<text x="{NAMES - 10}" y="{top + BAR - 5}" text-anchor="end">'
            f'{escape(name)}</text><rect x="{NAMES}" y="{top}" width="{length:.1f}" '
            f'height="{BAR}" rx="3" class="{kind}"/><text x="{NAMES + length + 8:.1f}" '
            f'y="{top + BAR - 5}" class="value">{number:.0f}</text>'
        )
    return "\n".join([*lines, "</svg>"]) + "\n"
