"""Starts the child process for one file, and opens what it has written."""

import json
import logging
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path

from pydantic import TypeAdapter

from ....errors import ModelLoadFailed
from ....scan import saved_by
from ....spec import ModelSpec
from ...load_options import LoadOptions

log = logging.getLogger(__name__)

GRAPH = "graph.pb"
SAVED_MODEL = "saved_model"
ANSWER = "answer.json"
PACKAGES = Path(__file__).parents[4]
TIMEOUT = 900.0  # seconds; the largest networks take one minute on two cores


@dataclass(frozen=True)
class Request:
    """What the child is told, as JSON on its standard input."""

    file: Path
    folder: Path  # empty; the child writes there
    libraries: tuple[str, ...]
    allow_code: bool
    keras_2: bool


@dataclass(frozen=True)
class Prepared:
    """What the child has written, or why it could not, in a sentence for clients."""

    spec: ModelSpec | None = None
    agreement: float | None = None  # largest difference to Keras, on noise
    sentence: str = ""


REQUEST = TypeAdapter(Request)
PREPARED = TypeAdapter(Prepared)


def is_needed(file: Path, options: LoadOptions) -> bool:
    """Whether the child process has to open `file`.

    Without tf-keras Keras 3 tries its luck with a file of Keras 2.
    """
    return options.allow_code or (
        saved_by.is_keras_2(file) and bool(find_spec("tf_keras"))
    )


@contextmanager
def prepared(file: Path, options: LoadOptions) -> Iterator[tuple[Prepared, Path]]:
    """What the child has made of `file`, and its folder, until the block ends.

    Raises ModelLoadFailed.
    """
    with tempfile.TemporaryDirectory(prefix="facenality-") as name:
        folder = Path(name)
        request = Request(
            file.absolute(),
            folder,
            options.libraries,
            options.allow_code,
            saved_by.is_keras_2(file),
        )
        if request.keras_2 and not find_spec("tf_keras"):
            raise ModelLoadFailed(
                f"{file.name} was saved by Keras 2, and tf-keras is not installed: "
                "pip install --no-deps tf-keras"
            )
        _run(request)
        yield _read(folder), folder


def _run(request: Request) -> None:
    """The pipe stays open: when this process ends, the child does too."""
    with subprocess.Popen(  # noqa: S603  # ourselves, and no shell
        [sys.executable, "-P", "-m", __package__],
        env=_environment(request.keras_2),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        bufsize=0,
    ) as child:
        assert child.stdin is not None  # noqa: S101  # both are pipes
        assert child.stdout is not None  # noqa: S101
        watch = threading.Timer(TIMEOUT, child.kill)
        watch.start()
        try:
            child.stdin.write(REQUEST.dump_json(request) + b"\n")
            printed = child.stdout.read().decode(errors="replace")
        except BrokenPipeError:
            printed = ""
        finally:
            watch.cancel()
            child.kill()
    log.debug("the child that opened %s printed:\n%s", request.file.name, printed)
    if not (request.folder / ANSWER).is_file():
        log.error("%s ended its child process:\n%s", request.file.name, printed)
        raise ModelLoadFailed(
            f"the process that opens {request.file.name} ended without an answer; the "
            "log has what it printed"
        )


def _read(folder: Path) -> Prepared:
    answer = PREPARED.validate_json((folder / ANSWER).read_bytes())
    if answer.spec is None:
        raise ModelLoadFailed(answer.sentence)
    return answer


def write_answer(folder: Path, answer: Prepared) -> None:
    """Write it whole or not at all."""
    part = folder / "part"
    part.write_text(json.dumps(asdict(answer)))
    part.rename(folder / ANSWER)


def _environment(keras_2: bool) -> dict[str, str]:
    searched = os.pathsep.join(filter(None, (str(PACKAGES), os.getenv("PYTHONPATH"))))
    legacy = {"TF_USE_LEGACY_KERAS": "1" if keras_2 else "0"}
    return os.environ | {"PYTHONPATH": searched} | legacy
