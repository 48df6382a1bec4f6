"""Whether the server may be sent requests, and what to say while it may not."""

from dataclasses import dataclass

from .model_version import State
from .registry import Registry


@dataclass(frozen=True)
class Readiness:
    """`stage` and `percent` (0..100) of the first load, over all models."""

    ready: bool
    stage: str
    percent: int
    sentence: str


def check(registry: Registry) -> Readiness:
    """Ready: the first loads have ended, and the default model (or any) serves."""
    if registry.draining:
        return Readiness(False, "draining", 100, "The server is going down.")
    versions = registry.versions
    if not versions:
        return Readiness(False, "no models", 0, "There is no model to serve.")
    if not registry.loaded:
        return _loading(registry)
    needed = [v for v in versions if registry.default in (None, v.files.name)]
    if not needed:
        sentence = f"There is no model {registry.default}, which is the default."
        return Readiness(False, "no default model", 100, sentence)
    if any(version.ready for version in needed):
        return Readiness(True, "ready", 100, "Ready.")
    broken = needed[-1]
    if broken.state is State.UNREACHABLE:
        sentence = f"Model {broken.files.name}: {broken.reason}"
        return Readiness(False, "its server is away", 100, sentence)
    return Readiness(
        False,
        "failed",
        100,
        f"Model {broken.files.name} failed to load: {broken.reason}",
    )


def _loading(registry: Registry) -> Readiness:
    versions = registry.versions
    percent = int(sum(version.percent for version in versions) / len(versions))
    tried = (State.READY, State.FAILED)
    now = next((v for v in versions if v.state not in tried), versions[-1])
    stage = f"{now.files.name}: {now.stage}"
    return Readiness(False, stage, percent, f"Loading ({stage}, {percent} %).")
