"""The ways in which a model could be run here: engine, precision, threads."""

from dataclasses import dataclass
from itertools import product
from typing import get_args

from ..cores import cores
from ..folder import Found
from ..settings import Settings


@dataclass(frozen=True)
class Way:
    """Knobs that make a difference to speed."""

    engine: str
    precision: str
    threads: int  # that compute one batch

    def knobs(self) -> dict[str, object]:
        """As settings, those that there are."""
        wanted = {
            "engine": self.engine,
            "precision": self.precision,
            "model_threads": self.threads,
        }
        return {k: v for k, v in wanted.items() if k in Settings.model_fields}

    def flags(self, batch_size: int) -> str:
        """What to write on the command line."""
        knobs = self.knobs() | {"max_batch_size": batch_size}
        return " ".join(f"--{k.replace('_', '-')} {v}" for k, v in knobs.items())


def ways(found: Found, settings: Settings) -> list[Way]:
    """Each engine and precision, on one thread and on as many as there are cores.

    Where the settings name an engine, only that one.
    """
    if found.file.suffix == ".py":  # it is its own engine
        return [Way("auto", "float32", cores())]
    named = settings.engine != "auto"
    engines = (settings.engine,) if named else _allowed("engine")
    precisions = _allowed("precision") or ("float32",)
    threads = {1, cores()} if "model_threads" in Settings.model_fields else {cores()}
    local = [engine for engine in engines if engine in ("tensorflow", "openvino")]
    return [Way(*way) for way in product(local, precisions, sorted(threads))]


def _allowed(knob: str) -> tuple[str, ...]:
    """The values that a knob may have."""
    field = Settings.model_fields.get(knob)
    return get_args(field.annotation) if field else ()
