"""Whether the server may be sent requests, and what to say while it may not."""

from dataclasses import dataclass

from .catalog import Catalog


@dataclass(frozen=True)
class Readiness:
    """`stage` and `percent` (0..100) of the load, over all models."""

    ready: bool
    stage: str
    percent: int
    sentence: str


def look(catalog: Catalog) -> Readiness:
    """Ready: all loads have ended, the default model (or any, where none is) serves."""
    if catalog.draining:
        return Readiness(False, "draining", 100, "The server is going down.")
    entries = catalog.entries
    if not entries:
        return Readiness(False, "no models", 0, "There is no model to serve.")
    loading = [e for e in entries if not e.model and not e.error]
    percent = int(sum(e.percent for e in entries) / len(entries))
    if loading:
        now = loading[0]
        stage = f"{now.found.name}: {now.stage}"
        return Readiness(False, stage, percent, f"Loading ({stage}, {percent} %).")
    needed = [e for e in entries if e.found.name == catalog.default][-1:] or entries
    if any(e.model for e in needed):
        return Readiness(True, "ready", 100, "Ready.")
    broken = needed[0]
    return Readiness(
        False,
        "failed",
        100,
        f"Model {broken.found.name} failed to load: {broken.error}",
    )
