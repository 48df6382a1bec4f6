"""What is to be exported where, and how that fails."""

from dataclasses import dataclass
from pathlib import Path

from ...errors import FacenalityError


class ExportFailed(FacenalityError):
    """A model that could not be exported; the sentence says why."""


@dataclass(frozen=True)
class Wanted:
    """The flags of `app.py export`."""

    out: Path
    version: int | None = None  # None: the model's own
    force: bool = False
    card: Path | None = None  # where the gateway's card is written to
