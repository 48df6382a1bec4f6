"""What the server asks of the child process, as JSON on its standard input."""

from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

from ..folder import Found
from .verdict import Verdict


@dataclass(frozen=True)
class Question:
    """Convert and compare this version; put what is made into `folder`."""

    name: str
    version: int
    file: Path
    folders: tuple[Path, ...]
    max_batch_size: int
    threads: int
    folder: Path

    @property
    def found(self) -> Found:
        """The version, for those that read what lies beside its file."""
        return Found(self.name, self.version, self.file, self.folders)


@dataclass(frozen=True)
class Answer:
    """A verdict; or why there is none, in a sentence for clients."""

    verdict: Verdict | None = None
    sentence: str = ""


QUESTION = TypeAdapter(Question)
ANSWER = TypeAdapter(Answer)
