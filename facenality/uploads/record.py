"""One line of the index: an input that somebody sent, and what they said of it."""

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any

Key = tuple[str, str]  # owner and file: one request may have sent several files


@dataclass(frozen=True)
class Record:
    """`owner` is a hash: who reads the index cannot delete in the sender's name."""

    owner: str
    file: str  # SHA-256 of the content, and a suffix
    size: int
    time: float  # seconds since 1970
    model: str
    version: str
    label: str | None  # what it should have been; None where nobody said
    prediction: str  # what was shown

    @property
    def key(self) -> Key:
        """What the record is told apart by."""
        return self.owner, self.file


def owner_of(token: str) -> str:
    """The owner that a reply's id stands for."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def kept(record: Record) -> bytes:
    """The line that adds `record`."""
    return _line({"keep": asdict(record)})


def dropped(key: Key) -> bytes:
    """The line that takes a record away."""
    return _line({"drop": key})


def read(line: bytes) -> Record | Key:
    """The record that a line adds, or the key of the one that it takes away.

    Raises ValueError, TypeError, KeyError for what is no such line.
    """
    said = json.loads(line)
    if "drop" in said:
        owner, file = said["drop"]
        return owner, file
    return Record(**said["keep"])


def _line(said: dict[str, Any]) -> bytes:
    return json.dumps(said, separators=(",", ":")).encode() + b"\n"
