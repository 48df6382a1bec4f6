"""What the server asks the child process that compares engines, as JSON."""

import logging
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

from ...engines import child_process
from ...engines.tensorflow.runtime import PRECISION
from ...errors import ModelLoadFailed
from ...scan.isolated import child_environment
from ..repository import ModelFiles
from .report import Verdict


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
    def found(self) -> ModelFiles:
        """The version, for those that read what lies beside its file."""
        return ModelFiles(self.name, self.version, self.file, self.folders)


@dataclass(frozen=True)
class Answer:
    """A verdict; or why there is none, in a sentence for clients."""

    verdict: Verdict | None = None
    sentence: str = ""


QUESTION = TypeAdapter(Question)
ANSWER = TypeAdapter(Answer)

log = logging.getLogger(__name__)


def ask(question: Question, *, timeout: float = child_process.TIMEOUT) -> Verdict:
    """Convert and compare in a child process. Raises ModelLoadFailed."""
    asked = QUESTION.dump_json(question)
    return _judged(*child_process.run(__package__, asked, _environment(), timeout))


def _judged(said: list[str], status: int) -> Verdict:
    """The last line is the answer; those before are what libraries printed."""
    try:
        answer = ANSWER.validate_json(said[-1])
    except (IndexError, ValueError):
        log.error(
            "the comparison of engines ended with %d:\n%s", status, "\n".join(said)
        )
        raise ModelLoadFailed(
            "the process that converts and compares ended without an answer; the log "
            "has what it said"
        ) from None
    if answer.verdict is None:
        raise ModelLoadFailed(answer.sentence)
    return answer.verdict


def _environment() -> dict[str, str]:
    """Ours, but TensorFlow computes in float32: it is what others are compared with."""
    ours = child_environment()
    return {name: value for name, value in ours.items() if name != PRECISION}
