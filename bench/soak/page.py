"""docs/soak.md: what was asked and answered, what was held, and the verdict."""

from collections import Counter
from collections.abc import Iterable

from ..machine import describe
from .samples import MEGABYTES, Course, Sample
from .traffic import Status, Tally

TOP = """# Soak

`make soak` (`SOAK_MINUTES=5` for a shorter one): one server with the default settings, four
models (a Keras model that changes, `models/digits`, `models/sentiment`, a `model.py`), good
clients whose answers are known and checked, and bad ones: broken pictures and JSON, heads
that are no HTTP, half-sent bodies, slow heads and bodies, clients that leave or reset,
bodies that are too large. Every minute a version of a model is published or removed, now and
then a broken one, and every minute the server gets a SIGHUP.
"""


def document(
    samples: list[Sample],
    rows: list[Course],
    tally: Tally,
    tracebacks: int,
    exit_status: int,
) -> str:
    """The page in Markdown."""
    seconds = samples[-1].seconds
    return "\n".join(
        [
            TOP,
            f"{seconds / 60:.0f} minutes, {tally.done()} requests "
            f"({tally.done() / seconds:.0f}/s), of which {tally.good.total()} good: "
            f"{len(tally.wrong)} answers were not as they should be, {tally.refused()} "
            f"good requests were refused as overloaded (503); {tracebacks} tracebacks in "
            f"the server's log; exit status {exit_status}. {describe()}.",
            "",
            *held(rows),
            "",
            f"Slopes are by least squares over the last two thirds. Memory is flat below "
            f"{MEGABYTES:g} MiB per 10,000 requests; the others are where they neither "
            "grow with the load nor stay when it has ended.",
            "",
            "![requests per second, and what the process held](soak.svg)",
            "",
            "## What was sent",
            "",
            *sent("good", tally.good),
            "",
            "An explanation is refused (503) while predictions keep the models busy.",
            "",
            *sent("bad", tally.bad),
            "",
            "None is a client that left, or was closed without a word, as it should be.",
            *wrong(tally.wrong),
            "",
        ]
    )


def held(rows: list[Course]) -> Iterable[str]:
    """A table with a verdict a row."""
    yield (
        "| | quiet before | under load, least and most of the last two thirds | per "
        "10,000 requests | in the last two thirds | quiet after | |"
    )
    yield "|---|---|---|---|---|---|---|"
    for row in rows:
        unit = ", MiB" if row.name == "memory" else ""
        yield (
            f"| {row.name}{unit} | {row.before:.0f} | {row.least:.0f} to {row.most:.0f} "
            f"| {row.slope:+.2f} | {row.grown:+.1f} | {row.after:.0f} "
            f"| {'flat' if row.flat() else 'grows'} |"
        )


def sent(which: str, counts: Counter[tuple[str, Status]]) -> Iterable[str]:
    """How often each kind was sent, and how it was answered."""
    yield f"| {which} clients | answers |"
    yield "|---|---|"
    for kind in dict.fromkeys(kind for kind, _ in counts):
        answers = (
            f"{status} {count} times"
            for (one, status), count in counts.most_common()
            if one == kind
        )
        yield f"| {kind} | {', '.join(answers)} |"


def wrong(reasons: list[str]) -> Iterable[str]:
    """The first of them."""
    if reasons:
        yield from ("", "## What was not right", "")
        yield from (f"- `{reason}`" for reason in reasons[:50])
