"""Start engines/applications.py, watch its downloads, and end it with this process."""

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
ARRIVING = Path("models", ".fetching")  # in Keras's home: downloads that are not whole
POLL_S = 0.2


@dataclass(frozen=True)
class Wanted:
    """`known`: folders of versions, by their weights' name and checksum."""

    name: str  # in any case
    version: Path  # an empty folder for model.keras
    home: Path  # where files of Keras are looked for, and kept
    known: dict[str, str]


@dataclass(frozen=True)
class Built:
    """What the child did; `already` is the folder of a version of the same weights."""

    architecture: str = ""
    weights: str = ""  # the file's name
    checksum: str | None = None  # that Keras knows
    sha256: str = ""
    height: int = 0
    width: int = 0
    preprocess: str = ""
    classes: tuple[tuple[str, str], ...] = ()  # WordNet's id and the name
    already: str | None = None


def build(wanted: Wanted, aside: Path, locks: tuple[int, ...], stall_s: float) -> Built:
    """Download and build in a child process. Raises FetchFailed, NotReached.

    The child inherits `locks`, so that no other fetch begins while it is alive, and
    ends when the pipe to it is closed: also when this process is killed. Keras's
    progress bar goes to our own output. `aside` takes the answer, and what Keras notes
    for itself.
    """
    for library in ("keras", "tensorflow"):
        if importlib.util.find_spec(library) is None:
            raise FetchFailed(
                "fetch builds the model with Keras and TensorFlow, and here is no "
                f"{library}."
            )
    answer = aside / "answer.json"
    question = {**asdict(wanted), "answer": answer.absolute()}
    with subprocess.Popen(  # noqa: S603  # ourselves, and no shell
        [sys.executable, "-P", "-m", MODULE, json.dumps(question, default=str)],
        env=_environment(aside),
        stdin=subprocess.PIPE,
        pass_fds=locks,
        start_new_session=True,  # Ctrl-C is for this process, which ends the child
    ) as process:
        try:
            status = _watched(process, wanted.home / ARRIVING, stall_s)
        finally:
            process.kill()
    return _judged(answer, status)


def _watched(process: subprocess.Popen[bytes], arriving: Path, stall_s: float) -> int:
    """The child's exit status. Raises FetchFailed where a download stands still."""
    sizes, since = None, time.monotonic()
    while True:
        try:
            return process.wait(POLL_S)
        except subprocess.TimeoutExpired:
            now = _sizes(arriving)
        if now is None or now != sizes:
            sizes, since = now, time.monotonic()
        elif time.monotonic() - since > stall_s:
            raise NotReached(f"The download brought nothing for {stall_s:g} seconds.")


def _sizes(arriving: Path) -> dict[str, int] | None:
    """Bytes of each file that is being downloaded; None while nothing is."""
    try:
        return {file.name: file.stat().st_size for file in arriving.iterdir()}
    except OSError:
        return None


def _judged(answer: Path, status: int) -> Built:
    try:
        said = json.loads(answer.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise FetchFailed(
            f"The process that builds the model with Keras ended with status {status}."
        ) from None
    if "failed" in said:
        raise (NotReached if said["unreachable"] else FetchFailed)(said["failed"])
    return Built(**{**said, "classes": tuple(map(tuple, said.get("classes", ())))})


def _environment(aside: Path) -> dict[str, str]:
    """Ours; but a user's keras.json may not change how the network is built."""
    searched = os.pathsep.join(filter(None, (str(PACKAGES), os.getenv("PYTHONPATH"))))
    home = str((aside / "keras").absolute())
    backend = {"KERAS_BACKEND": "tensorflow", "KERAS_HOME": home}
    return {**os.environ, **backend, "PYTHONPATH": searched}
