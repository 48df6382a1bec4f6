"""A download that is not whole yet: `NAME.part`, and what the server said of NAME.

`NAME.part.json` holds the whole file's length and its validator (ETag or date), by
which a later run, or a later try, knows that it goes on with the same file.
"""

import json
from http.client import HTTPMessage
from pathlib import Path


class Part:
    """The bytes that have arrived for `target`, from the first on, without a gap."""

    def __init__(self, target: Path) -> None:
        self.target = target
        self.file = target.with_name(f"{target.name}.part")
        self._note = target.with_name(f"{target.name}.part.json")
        self.total: int | None = None  # bytes of the whole file, where it is known
        self.validator: str | None = None  # for If-Range
        self._read_note()

    @property
    def size(self) -> int:
        """How many bytes are there."""
        try:
            return self.file.stat().st_size
        except FileNotFoundError:
            return 0

    @property
    def complete(self) -> bool:
        """Whether every byte is there. Nobody has checked them yet."""
        return self.total is not None and self.size == self.total

    def restart(self, total: int | None, headers: HTTPMessage) -> None:
        """Begin with the first byte of a file of `total` bytes."""
        self.file.write_bytes(b"")  # first: the note must never describe older bytes
        self.total, self.validator = total, validator(headers)
        note = {"total": total, "validator": self.validator}
        self._note.write_text(json.dumps(note), encoding="utf-8")

    def drop(self) -> None:
        """Forget everything that has arrived."""
        self.file.unlink(missing_ok=True)
        self._note.unlink(missing_ok=True)
        self.total = self.validator = None

    def publish(self) -> Path:
        """Give the whole file its name."""
        self.file.replace(self.target)
        self._note.unlink(missing_ok=True)
        return self.target

    def _read_note(self) -> None:
        try:
            note = json.loads(self._note.read_text(encoding="utf-8"))
            total, check = note["total"], note["validator"]
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            self.drop()  # bytes of which nothing is known
        else:
            self.total = total if isinstance(total, int) else None
            self.validator = check if isinstance(check, str) else None


def validator(headers: HTTPMessage) -> str | None:
    """For If-Range: a strong ETag, else the date. Source: RFC 9110, 13.1.5."""
    etag = headers.get("ETag")
    if etag and not etag.startswith("W/"):
        return etag
    return headers.get("Last-Modified")
