"""The flags of `app.py export`, and the error that ends it."""

from dataclasses import dataclass
from pathlib import Path

from ...errors import FacenalityError


class ExportFailed(FacenalityError):
    """A model that could not be exported; the sentence says why."""


@dataclass(frozen=True)
class ExportRequest:
    """What to export, and where to."""

    out: Path
    version: int | None = None  # None: the model's own
    force: bool = False
    card: Path | None = None  # where the gateway's card is written to
