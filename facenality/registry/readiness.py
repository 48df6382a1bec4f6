"""Whether the server may be sent requests, and what to say while it may not."""

from dataclasses import dataclass

from .registry import Registry


@dataclass(frozen=True)
class Readiness:
    """`stage` and `percent` (0..100) of the first load, over all models."""

    ready: bool
    stage: str
    percent: int
    sentence: str


def check(catalog: Registry) -> Readiness:
    """Ready: the first loads have ended, and the default model (or any) serves."""
    if catalog.draining:
        return Readiness(False, "draining", 100, "The server is going down.")
    entries = catalog.entries
    if not entries:
        return Readiness(False, "no models", 0, "There is no model to serve.")
    if not catalog.loaded:
        return _loading(catalog)
    needed = [e for e in entries if catalog.default in (None, e.found.name)]
    if not needed:
        sentence = f"There is no model {catalog.default}, which is the default."
        return Readiness(False, "no default model", 100, sentence)
    if any(entry.model and not entry.away for entry in needed):
        return Readiness(True, "ready", 100, "Ready.")
    broken = needed[-1]
    if broken.away:
        sentence = f"Model {broken.found.name}: {broken.away}"
        return Readiness(False, "its server is away", 100, sentence)
    return Readiness(
        False,
        "failed",
        100,
        f"Model {broken.found.name} failed to load: {broken.error}",
    )


def _loading(catalog: Registry) -> Readiness:
    entries = catalog.entries
    percent = int(sum(entry.percent for entry in entries) / len(entries))
    now = next((e for e in entries if not e.model and not e.error), entries[-1])
    stage = f"{now.found.name}: {now.stage}"
    return Readiness(False, stage, percent, f"Loading ({stage}, {percent} %).")
