"""The flags of `app.py export`, and the error that ends it."""

from dataclasses import dataclass
from pathlib import Path

from ...errors import FacenalityError


class ExportFailed(FacenalityError):
    """A model could not be exported; the sentence says why."""


@dataclass(frozen=True)
class ExportRequest:
    """Where to export a model to, and how."""

    out: Path
    version: int | None = None  # None: the model's own version
    force: bool = False
    card: Path | None = None  # the file for the gateway's card
