"""docs/bench.md: the figures, and everyone's numbers, as Markdown."""

from collections.abc import Iterable, Sequence

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


def document(
    machine: str, how: str, rows: list[Figure], book: Notebook, all_: list[Contender]
) -> str:
    """The whole page."""
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
    lines = [
        (
            *(row.what, row.measured, row.beside),
            f"{row.value:.3g}" if row.beside else "",
            row.target,
            "✓" if row.met else "✗",
        )
        for row in rows
    ]
    return table(("figure", "measured", "beside", "ratio", "target", ""), lines)


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
    return "\n".join(f"| {' | '.join(map(_cell, row))} |" for row in rows)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
