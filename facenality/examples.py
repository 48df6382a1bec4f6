"""What comes with a model to try it: its golden sample and the files in `examples/`.

Only the operator puts files there. They are read once, when the model is loaded, and
kept in memory; the type of each follows from its suffix, and nothing else is served.
"""

from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from .folder import Found

KINDS = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".webp": "image/webp",
    ".gif": "image/gif",
    ".bmp": "image/bmp",
    ".txt": "text/plain",
    ".json": "application/json",
}
MOST = 12  # a row on the page
LARGEST = 2 * 2**20  # bytes of one; they stay in memory as long as the model


@dataclass(frozen=True)
class Example:
    """A file that a client could send, and its media type."""

    content: bytes
    kind: str


def read(found: Found) -> dict[str, Example]:
    """By file name, the golden sample first."""
    return {
        file.name: Example(file.read_bytes(), KINDS[file.suffix.lower()])
        for file in islice(filter(_fits, _files(found)), MOST)
    }


def _files(found: Found) -> list[Path]:
    sample = found.sample()
    folders = [folder / "examples" for folder in found.folders]
    nearest = next((folder for folder in folders if folder.is_dir()), None)
    beside = sorted(nearest.iterdir()) if nearest else []
    return [sample, *beside] if sample else beside


def _fits(file: Path) -> bool:
    known = file.suffix.lower() in KINDS and file.is_file()
    return known and file.stat().st_size <= LARGEST
