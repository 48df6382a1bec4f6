"""Runs `tensorflow/applications.py` in a child process and watches its downloads."""

import importlib.util
import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from ...errors import FetchFailed, NotReached

PACKAGES = Path(__file__).parents[3]
MODULE = "facenality.engines.tensorflow.applications"
ARRIVING = Path("models", ".fetching")  # incomplete downloads, in Keras's home
POLL_S = 0.2


@dataclass(frozen=True)
class Wanted:
    """What the child is to build, as JSON on its command line."""

    name: str  # in upper or lower case
    version: Path  # an empty folder for model.keras
    home: Path  # Keras's home: its files are looked up and stored here
    known: dict[str, str]  # folders of existing versions, by weights and checksum


@dataclass(frozen=True)
class Built:
    """What the child built; `already`: an existing version has the same weights."""

    architecture: str = ""
    weights: str = ""  # the file's name
    checksum: str | None = None  # the one that Keras has for the file
    sha256: str = ""
    height: int = 0
    width: int = 0
    preprocess: str = ""
    classes: tuple[tuple[str, str], ...] = ()  # WordNet id and name
    already: str | None = None


def build(
    wanted: Wanted, staging: Path, locks: tuple[int, ...], stall_s: float
) -> Built:
    """Download and build in a child process. Raises FetchFailed, NotReached.

    The child inherits `locks`, so that no other fetch starts while it is alive. It ends
    when the pipe to it is closed, also if this process is killed. Keras's progress bar
    goes to our own output. `staging` gets the child's answer and Keras's own files.
    """
    for library in ("keras", "tensorflow"):
        if importlib.util.find_spec(library) is None:
            raise FetchFailed(
                "fetch builds the model with Keras and TensorFlow, but "
                f"{library} is not installed."
            )
    answer = staging / "answer.json"
    question = {**asdict(wanted), "answer": answer.absolute()}
    with subprocess.Popen(  # noqa: S603  # our own module, without a shell
        [sys.executable, "-P", "-m", MODULE, json.dumps(question, default=str)],
        env=_environment(staging),
        stdin=subprocess.PIPE,
        pass_fds=locks,
        start_new_session=True,  # Ctrl-C ends this process, which then ends the child
    ) as process:
        try:
            status = _watched(process, wanted.home / ARRIVING, stall_s)
        finally:
            process.kill()
    return _read(answer, status)


def _watched(process: subprocess.Popen[bytes], arriving: Path, stall_s: float) -> int:
    """Wait for the child's exit status. Raises NotReached if a download stalls."""
    sizes, since = None, time.monotonic()
    while True:
        try:
            return process.wait(POLL_S)
        except subprocess.TimeoutExpired:
            now = _sizes(arriving)
        if now is None or now != sizes:
            sizes, since = now, time.monotonic()
        elif time.monotonic() - since > stall_s:
            raise NotReached(f"The download stalled for {stall_s:g} seconds.")


def _sizes(arriving: Path) -> dict[str, int] | None:
    """Bytes of each file that is being downloaded; None if there is none."""
    try:
        return {file.name: file.stat().st_size for file in arriving.iterdir()}
    except OSError:
        return None


def _read(answer: Path, status: int) -> Built:
    try:
        fields = json.loads(answer.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise FetchFailed(
            f"The process that builds the model with Keras exited with status {status}."
        ) from None
    if "failed" in fields:
        raise (NotReached if fields["unreachable"] else FetchFailed)(fields["failed"])
    return Built(**{**fields, "classes": tuple(map(tuple, fields.get("classes", ())))})


def _environment(staging: Path) -> dict[str, str]:
    """Our environment, but a user's keras.json must not change how Keras builds."""
    path = os.pathsep.join(filter(None, (str(PACKAGES), os.getenv("PYTHONPATH"))))
    home = str((staging / "keras").absolute())
    backend = {"KERAS_BACKEND": "tensorflow", "KERAS_HOME": home}
    return {**os.environ, **backend, "PYTHONPATH": path}
