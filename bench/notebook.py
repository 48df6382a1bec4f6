"""What was measured, round by round; medians come out."""

import json
import statistics
from collections import defaultdict
from pathlib import Path


class Notebook:
    """Numbers by subject (who) and quantity (what), and why some are missing."""

    def __init__(self) -> None:
        self.missing: dict[str, str] = {}  # who -> why
        self._numbers: defaultdict[tuple[str, str], list[float]] = defaultdict(list)

    def note(self, who: str, **quantities: float) -> None:
        """One more round's numbers."""
        for what, number in quantities.items():
            self._numbers[who, what].append(number)

    def get(self, who: str, what: str) -> float | None:
        """The median; None where it was not measured."""
        numbers = self._numbers.get((who, what))
        return statistics.median(numbers) if numbers else None

    def best(self, names: list[str], what: str) -> tuple[str, float] | None:
        """Who has most of it; None where nobody was measured."""
        pairs = [(self.get(name, what), name) for name in names]
        known = [(number, name) for number, name in pairs if number is not None]
        if not known:
            return None
        number, name = max(known)
        return name, number

    def save(self, file: Path) -> None:
        """All rounds as JSON, for who wants to look closer."""
        rounds: dict[str, dict[str, list[float]]] = defaultdict(dict)
        for (who, what), numbers in self._numbers.items():
            rounds[who][what] = numbers
        document = {"rounds": rounds, "missing": self.missing}
        file.write_text(json.dumps(document, indent=1), encoding="utf-8")
