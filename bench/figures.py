"""The figures that are promised, beside what was measured: met or missed."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from .contenders import Contender
from .notebook import Notebook
from .workload import RESNET


@dataclass(frozen=True)
class Figure:
    """One row: the ratio to `theirs` is judged, or the number itself without them."""

    what: str
    mine: float
    sign: str  # ≥ or ≤
    target: float
    unit: str = ""
    whose: str = ""
    theirs: float = 0.0

    @property
    def value(self) -> float:
        """What is compared with the target."""
        return self.mine / self.theirs if self.theirs else self.mine

    @property
    def met(self) -> bool:
        """Whether the target is reached."""
        if self.sign == "≥":
            return self.value >= self.target
        return self.value <= self.target

    def cells(self) -> tuple[str, ...]:
        """As a row of the table."""
        beside = self.theirs and f"{self.whose}: {_shown(self.theirs)}{self.unit}"
        return (
            self.what,
            f"{_shown(self.mine)}{self.unit}",
            beside or "",
            f"{self.value:.3g}" if beside else "",
            f"{self.sign} {self.target:g}{'' if beside else self.unit}",
            "✓" if self.met else "✗",
        )


def _shown(number: float) -> str:
    """Three digits, and all of those before the point."""
    return f"{number:.0f}" if abs(number) >= 100 else f"{number:.3g}"


# Figure, what it says, quantity, target by precision.
_AGAINST_PEERS = (
    ("S1", "requests/s", "rate", {"float32": 2.2, "bfloat16": 3.0}),
    ("S3", f"{RESNET.name}, requests/s", "resnet", {"float32": 1.7, "bfloat16": 6.0}),
    ("S4", "12-megapixel JPEG, requests/s", "large", {"bfloat16": 8.0}),
)


def figures(book: Notebook, all_: list[Contender]) -> list[Figure]:
    """All figures that the measurements in `book` allow, in their order."""
    ours = [c for c in all_ if c.kind == "ours"]
    tuned = {c.precision: c.name for c in all_ if c.kind == "tuned"}
    found = list(_against_peers(book, [c.name for c in all_ if c.kind == "peer"], ours))
    for one in ours:
        found += _of_one(book, one, tuned.get(one.precision, ""))
    return sorted(found, key=lambda figure: figure.what.partition(":")[0])


def _against_peers(
    book: Notebook, peers: list[str], ours: list[Contender]
) -> Iterator[Figure]:
    for row, says, what, targets in _AGAINST_PEERS:
        peer = book.best(peers, what)
        for precision, target in targets.items():
            mine = book.best([c.name for c in ours if c.precision == precision], what)
            if peer and mine:
                title = f"{row}: {says}, {precision}"
                yield Figure(title, mine[1], "≥", target, "", *peer)


def _of_one(book: Notebook, one: Contender, tuned: str) -> Iterator[Figure]:
    """Figures of one of ours; those with a number missing are left out."""
    mine, theirs = partial(book.get, one.name), partial(book.get, tuned)
    precise, how = one.precision == "float32", f"{one.engine}, {one.precision}"
    alone, bare = "decode + prediction", book.get("bare", "seconds")
    beside = [("S2: requests/s", "beside", "≥", 0.85 if precise else 0.75, "")]
    others = [("without HTTP", mine("ceiling"))]
    if precise:
        beside += [("S5: one client, p50", "beside_alone", "≤", 1.4, " ms")]
        others += [(alone, mine("alone"))]
    if one.engine == "openvino":
        beside += [("S1b: requests/s", "rate", "≥", 1.3, "")]
        beside += [("S1b: memory", "memory", "≤", 1, " MB")]
        others += [(tuned, theirs("rate")), (tuned, theirs("memory"))]
    elif precise:
        beside += [("S8: ready", "ready", "≤", 1.3, " s")]
        others += [("import, load, predict", bare)]
    for (title, what, sign, target, unit), (whose, other) in zip(
        beside, others, strict=True
    ):
        if (number := mine(what)) and other:
            yield Figure(f"{title}, {how}", number, sign, target, unit, whose, other)
    limits = [
        ("S6: /livez p99 meanwhile", "live", 20, " ms"),
        ("S8: idle CPU", "idle", 0.5, " %"),
        ("S9: memory", "memory", 450 if one.engine == "openvino" else 1000, " MB"),
        ("S9: growth in 10,000 requests", "slope", 1, " MB"),
    ]
    if one.engine == "openvino":
        limits.append(("S8: ready", "ready", 2, " s"))
    for title, what, limit, unit in limits:
        if (number := mine(what)) is not None:
            yield Figure(f"{title}, {how}", number, "≤", limit, unit)
