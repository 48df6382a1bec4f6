"""Every figure that is promised, beside what was measured: met, or honestly missed."""

from collections.abc import Iterator
from dataclasses import dataclass

from .contenders import Contender
from .notebook import Notebook
from .workload import RESNET


@dataclass(frozen=True)
class Figure:
    """One row. A ratio is compared, or the measured number itself."""

    what: str
    measured: str
    beside: str
    target: str
    value: float
    met: bool

    @staticmethod
    def at_least(
        what: str, mine: float, whose: str, theirs: float, unit: str, target: float
    ) -> "Figure":
        """A ratio that should be no less."""
        ratio = mine / theirs if theirs else 0.0
        measured, beside = f"{_shown(mine)}{unit}", f"{whose}: {_shown(theirs)}{unit}"
        return Figure(what, measured, beside, f"≥ {target:g}", ratio, ratio >= target)

    @staticmethod
    def at_most(
        what: str, mine: float, whose: str, theirs: float, unit: str, target: float
    ) -> "Figure":
        """A ratio that should be no more."""
        ratio = mine / theirs if theirs else 0.0
        measured, beside = f"{_shown(mine)}{unit}", f"{whose}: {_shown(theirs)}{unit}"
        return Figure(what, measured, beside, f"≤ {target:g}", ratio, ratio <= target)

    @staticmethod
    def below(what: str, mine: float, unit: str, target: float) -> "Figure":
        """A number that should be no more."""
        limit = f"≤ {target:g}{unit}"
        return Figure(what, f"{_shown(mine)}{unit}", "", limit, mine, mine <= target)


def _shown(number: float) -> str:
    """Three digits, and all of those before the point."""
    return f"{number:.0f}" if abs(number) >= 100 else f"{number:.3g}"


def figures(book: Notebook, all_: list[Contender]) -> list[Figure]:
    """All that can be told of what was measured."""
    peers = [c.name for c in all_ if c.kind == "peer"]
    ours = [c for c in all_ if c.kind == "ours"]
    tuned = {c.precision: c.name for c in all_ if c.kind == "tuned"}
    return [
        *_throughput(book, peers, ours),
        *_tuned(book, tuned, ours),
        *_ceilings(book, ours),
        *_alone(book, ours),
        *_start(book, ours),
        *_memory(book, ours),
    ]


# Row of figures.md, what it says, quantity, target by precision.
_AGAINST_PEERS = (
    ("S1", "requests/s", "rate", {"float32": 2.0, "bfloat16": 3.0}),
    ("S3", f"{RESNET.name}, requests/s", "resnet", {"float32": 1.6, "bfloat16": 6.0}),
    ("S4", "12-megapixel JPEG, requests/s", "large", {"bfloat16": 8.0}),
)


def _throughput(
    book: Notebook, peers: list[str], ours: list[Contender]
) -> Iterator[Figure]:
    for row, says, what, targets in _AGAINST_PEERS:
        peer = book.best(peers, what)
        for precision, target in targets.items():
            names = [c.name for c in ours if c.precision == precision]
            mine = book.best(names, what)
            if peer and mine:
                title = f"{row}: {says}, {precision}"
                yield Figure.at_least(title, mine[1], *peer, "", target)


def _tuned(
    book: Notebook, tuned: dict[str, str], ours: list[Contender]
) -> Iterator[Figure]:
    for one in ours:
        name = tuned.get(one.precision, "")
        pairs = [(book.get(one.name, q), book.get(name, q)) for q in ("rate", "memory")]
        (rate, their_rate), (memory, their_memory) = pairs
        if one.engine == "openvino" and rate and their_rate and memory and their_memory:
            yield Figure.at_least(
                f"S1b: requests/s, {one.precision}", rate, name, their_rate, "", 1.15
            )
            yield Figure.at_most(
                f"S1b: memory, {one.precision}", memory, name, their_memory, " MB", 1
            )


def _ceilings(book: Notebook, ours: list[Contender]) -> Iterator[Figure]:
    for one in ours:
        rate, ceiling = book.get(one.name, "beside"), book.get(one.name, "ceiling")
        if rate and ceiling:
            what = f"S2: requests/s, {one.engine}, {one.precision}"
            target = 0.85 if one.precision == "float32" else 0.75
            yield Figure.at_least(what, rate, "without HTTP", ceiling, "", target)


def _alone(book: Notebook, ours: list[Contender]) -> Iterator[Figure]:
    for one in ours:
        mine, alone = book.get(one.name, "beside_alone"), book.get(one.name, "alone")
        live = book.get(one.name, "live")
        how = f"{one.engine}, {one.precision}"
        if mine and alone:
            what = f"S5: one client, p50, {how}"
            whose = "decode + prediction"
            yield Figure.at_most(what, mine, whose, alone, " ms", 1.2)
        if live:
            what = f"S6: /livez p99 meanwhile, {how}"
            yield Figure.below(what, live, " ms", 20)


def _start(book: Notebook, ours: list[Contender]) -> Iterator[Figure]:
    for one in ours:
        ready, idle = book.get(one.name, "ready"), book.get(one.name, "idle")
        bare, how = book.get("bare", "seconds"), f"{one.engine}, {one.precision}"
        if ready and one.engine == "openvino":
            yield Figure.below(f"S8: ready, {how}", ready, " s", 2)
        if ready and bare and (one.engine, one.precision) == ("tensorflow", "float32"):
            whose = "import, load, predict"
            yield Figure.at_most(f"S8: ready, {how}", ready, whose, bare, " s", 1.3)
        if idle is not None:
            yield Figure.below(f"S8: idle CPU, {how}", 100 * idle, " %", 0.5)


def _memory(book: Notebook, ours: list[Contender]) -> Iterator[Figure]:
    for one in ours:
        memory, slope = book.get(one.name, "memory"), book.get(one.name, "slope")
        how = f"{one.engine}, {one.precision}"
        if memory:
            most = 450 if one.engine == "openvino" else 1000
            yield Figure.below(f"S9: memory, {how}", memory, " MB", most)
        if slope is not None:
            what = f"S9: growth in 10,000 requests, {how}"
            yield Figure.below(what, slope, " MB", 1)
