"""Starts the child process for one file, and opens what it has written."""

import json
import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path

from pydantic import TypeAdapter

from ....errors import ModelLoadFailed
from ....scan.isolated import child_environment
from ....spec import ModelSpec
from ... import child_process
from ...load_options import LoadOptions
from ..runtime import LEGACY

log = logging.getLogger(__name__)

GRAPH = "graph.pb"
SAVED_MODEL = "saved_model"
ANSWER = "answer.json"


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


def is_needed(options: LoadOptions, *, keras_2: bool) -> bool:
    """Whether the child process has to open a file, of Keras 2 or not.

    Without tf-keras Keras 3 tries its luck with a file of Keras 2.
    """
    return options.allow_code or (keras_2 and bool(find_spec("tf_keras")))


@contextmanager
def prepared(
    file: Path, options: LoadOptions, *, keras_2: bool
) -> Iterator[tuple[Prepared, Path]]:
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
            keras_2,
        )
        if keras_2 and not find_spec("tf_keras"):
            raise ModelLoadFailed(
                f"{file.name} was saved by Keras 2, and tf-keras is not installed: "
                "pip install --no-deps tf-keras"
            )
        _run(request)
        yield _read(folder), folder


def _run(request: Request) -> None:
    env = child_environment() | {LEGACY: "1" if request.keras_2 else "0"}
    lines, _ = child_process.run(__package__, REQUEST.dump_json(request), env)
    printed = "\n".join(lines)
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
