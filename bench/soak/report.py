"""Whether anything grew, and docs/soak.md: what was asked, answered and held."""

from collections import Counter
from typing import NamedTuple

from ..machine import describe
from ..memory import per_10_000
from ..page import table
from .server import Held
from .traffic import Status, Tally

MEGABYTES = 1.0  # of memory per 10,000 requests: figure S9
SLACK = 3  # of files, threads, greenlets: what chance connections make of a median
TOP = """# Soak

`make soak` (`SOAK_MINUTES=5` for a shorter one): one server with the default settings, four
models (a Keras model that changes, `models/digits`, `models/sentiment`, a `model.py`), good
clients whose answers are known and checked, and bad ones: broken pictures and JSON, malformed
HTTP, half-sent bodies, slow headers and bodies, clients that disconnect or reset, bodies that
are too large. Every minute a version of a model is published or removed, sometimes a broken
one, and every minute the server gets a SIGHUP.
"""
HEAD = (
    *("", "quiet before", "under load, least and most of the last two thirds"),
    *("per 10,000 requests", "in the last two thirds", "quiet after", ""),
)


class Sample(NamedTuple):
    """A moment: seconds since the start, requests until then, what is held."""

    seconds: float
    requests: int
    held: Held


class Course(NamedTuple):
    """One column: quiet before, under load, quiet after, and what it grew by."""

    name: str
    before: float
    least: float
    most: float
    slope: float  # per 10,000 requests
    grown: float  # over the last two thirds, by the slope
    after: float

    def flat(self) -> bool:
        """Whether nothing has leaked."""
        if self.name == "memory":
            return self.slope < MEGABYTES
        return self.grown < SLACK and self.after <= self.before + SLACK

    def cells(self) -> list[str]:
        """As a row of the table."""
        return [
            f"{self.name}{', MiB' if self.name == 'memory' else ''}",
            *(f"{self.before:.0f}", f"{self.least:.0f} to {self.most:.0f}"),
            *(f"{self.slope:+.2f}", f"{self.grown:+.1f}", f"{self.after:.0f}"),
            "flat" if self.flat() else "grows",
        ]


def courses(samples: list[Sample], before: Held, after: Held) -> list[Course]:
    """Each column of Held over the last two thirds: caches settle in the first."""
    late = [one for one in samples if one.seconds >= samples[-1].seconds / 3]
    requests = late[-1].requests - late[0].requests
    rows = []
    for column, name in enumerate(Held._fields):
        values = [one.held[column] for one in late]
        slope = per_10_000([(one.requests, one.held[column]) for one in late])
        ends = (min(values), max(values), slope, slope * requests / 1e4)
        rows.append(Course(name, before[column], *ends, after[column]))
    return rows


def document(
    seconds: float, rows: list[Course], tally: Tally, tracebacks: int, exit_status: int
) -> str:
    """The page in Markdown."""
    parts = [
        TOP,
        f"{seconds / 60:.0f} minutes, {tally.done()} requests "
        f"({tally.done() / seconds:.0f}/s), of which {tally.good.total()} good: "
        f"{len(tally.wrong)} answers were not as they should be, {tally.refused()} "
        f"good requests were refused as overloaded (503); {tracebacks} tracebacks in "
        f"the server's log; exit status {exit_status}. {describe()}.",
        table(HEAD, [row.cells() for row in rows]),
        f"Slopes are by least squares over the last two thirds. Memory is flat below "
        f"{MEGABYTES:g} MiB per 10,000 requests; the others are where they neither "
        "grow with the load nor stay when it has ended.",
        "## What was sent",
        sent("good", tally.good),
        "An explanation is refused (503) while predictions keep the models busy.",
        sent("bad", tally.bad),
        "None is a client that left, or was closed without a word, as it should be.",
    ]
    if tally.wrong:
        parts.append("## What was not right")
        parts.append("\n".join(f"- `{reason}`" for reason in tally.wrong[:50]))
    return "\n\n".join(parts) + "\n"


def sent(which: str, counts: Counter[tuple[str, Status]]) -> str:
    """How often each kind was sent, and how it was answered."""
    answers: dict[str, list[str]] = {}
    for (kind, status), count in counts.most_common():
        answers.setdefault(kind, []).append(f"{status} {count} times")
    rows = [(kind, ", ".join(told)) for kind, told in answers.items()]
    return table((f"{which} clients", "answers"), rows)
