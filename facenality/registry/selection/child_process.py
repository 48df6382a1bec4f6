"""Ask the child process, and end it with the server.

What the server asks of the child process, as JSON on its standard input.
"""

import logging
import os
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

from ...engines.tensorflow.runtime import PRECISION
from ...errors import ModelLoadFailed
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

PACKAGES = Path(__file__).parents[3]
TIMEOUT = 900.0  # seconds; the largest networks take one minute on two cores


def ask(question: Question, *, timeout: float = TIMEOUT) -> Verdict:
    """Convert and compare in a child process. Raises ModelLoadFailed.

    The pipe to the child stays open until it has answered: when this process ends,
    however it does, the child reads the end of the pipe and ends too.
    """
    with subprocess.Popen(  # noqa: S603  # ourselves, and no shell
        [sys.executable, "-P", "-m", __package__],
        env=_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        bufsize=0,  # else closing would try again to write what could not be written
    ) as child:
        watch = threading.Timer(timeout, child.kill)
        watch.start()
        try:
            said = _said(child, QUESTION.dump_json(question))
        finally:
            watch.cancel()
            child.kill()
    return _judged(said, child.returncode)


def _said(child: subprocess.Popen[bytes], question: bytes) -> list[str]:
    assert child.stdin is not None  # noqa: S101  # both were asked for
    assert child.stdout is not None  # noqa: S101
    try:
        child.stdin.write(question + b"\n")
    except BrokenPipeError:
        log.debug("the child ended before it was asked")
    return child.stdout.read().decode(errors="replace").splitlines()


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
    searched = os.pathsep.join(filter(None, (str(PACKAGES), os.getenv("PYTHONPATH"))))
    env = {name: value for name, value in os.environ.items() if name != PRECISION}
    return env | {"PYTHONPATH": searched}
