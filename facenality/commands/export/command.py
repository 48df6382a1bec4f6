"""`app.py export --model M OUT/`: exports a model and prints how to serve it."""

import logging
import shlex
from pathlib import Path

from rich.console import Console

from ...engines.tensorflow.signature import Signature
from ...errors import FacenalityError, InvalidSetting, first_line
from ...registry.repository import ModelFiles
from ...registry.selection.measure import FLOAT32
from ...settings import Settings
from ...spec import TensorSpec
from ..console import stages
from . import model
from .request import ExportFailed, ExportRequest
from .run import STAGES, Exported, run

INTERRUPTED = 130  # 128 + SIGINT, as in shells

log = logging.getLogger(__name__)


def export(settings: Settings, wanted: ExportRequest) -> int:
    """Export a model and return the exit status. Raises InvalidSetting."""
    out, err = Console(), Console(stderr=True)
    try:
        found = model.find(settings)
        if wanted.card:
            _refuse_card(wanted.card)
        exported = _run(out, found, settings, wanted)
        if wanted.card:
            _write_card(wanted.card, exported.card)
    except InvalidSetting:
        raise
    except FacenalityError as error:
        _print(err, str(error))
    except OSError as error:
        _print(err, f"{error.filename or wanted.out}: {error.strerror or error}.")
    except KeyboardInterrupt:
        _print(err, "Stopped; nothing was written.")
        return INTERRUPTED
    except Exception as error:
        log.debug("the export failed", exc_info=True)
        why = f"{type(error).__name__}, {first_line(error)}"
        _print(err, f"The model could not be exported: {why}")
    else:
        for line in report(found, exported, wanted):
            _print(out, line)
        return 0
    return 1


def _run(
    out: Console, found: ModelFiles, settings: Settings, wanted: ExportRequest
) -> Exported:
    """Run the export, showing a progress bar."""
    with stages(out, found.name, STAGES) as on_progress:
        return run(found, settings, wanted, on_progress)


def report(found: ModelFiles, exported: Exported, wanted: ExportRequest) -> list[str]:
    """The report: files, signature, agreement, and how to serve the model."""
    name, folder = found.name, exported.folder
    return [
        f"wrote {name} {found.version} to {folder} ({exported.size / 1e6:.1f} MB)",
        *_signature(exported.signature),
        *_agreement(exported),
        "",
        *_about_card(name, wanted.card, exported),
        "",
        "TensorFlow Serving serves it, on 8500 by gRPC and on 8501 by REST, with:",
        "",
        "docker run -p 8500:8500 -p 8501:8501 \\",
        f"  --mount {shlex.quote(_mount(folder.parent, name))} \\",
        f"  -e MODEL_NAME={name} tensorflow/serving",
    ]


def _signature(one: Signature) -> list[str]:
    return [
        f"  {one.name}",
        *(f"    in   {_tensor(tensor)}" for tensor in one.inputs),
        *(f"    out  {_tensor(tensor)}" for tensor in one.outputs),
    ]


def _tensor(tensor: TensorSpec) -> str:
    axes = ["N", *(str(length or "any") for length in tensor.shape or ())]
    return f"{tensor.name}: {tensor.dtype} [{', '.join(axes)}]"


def _agreement(exported: Exported) -> list[str]:
    found = exported.agreement
    lines = [
        f"loaded again, its answers differ by at most {found.graph:.1g} from the "
        f"model's graph and {found.library:.1g} from its own library "
        f"({found.batches} batches of 1 and 3)"
    ]
    if found.spread is not None and found.spread < FLOAT32:
        lines.append(
            f"but different inputs give answers that differ by only "
            f"{found.spread:.1g}: that they agree proves little"
        )
    if exported.golden:
        lines.append("the golden sample gives the expected answer")
    return lines


def _about_card(name: str, file: Path | None, exported: Exported) -> list[str]:
    if file:
        return [
            f"wrote the gateway's card to {file}; copy it to models/{name}/model.toml "
            "on the gateway"
        ]
    return [
        f"The card for the gateway, to be saved as models/{name}/model.toml there "
        "(--card FILE writes it):",
        "",
        exported.card.rstrip(),
    ]


def _mount(folder: Path, name: str) -> str:
    source = folder.absolute()
    return f"type=bind,source={source},target=/models/{name},readonly"


def _refuse_card(file: Path) -> None:
    if file.exists():
        raise ExportFailed(
            f"--card: {file} exists already; remove it, or name another file."
        )


def _write_card(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("x", encoding="utf-8") as stream:
        stream.write(text)


def _print(console: Console, sentence: str) -> None:
    # Sentences contain paths and names, which must not be read as markup or wrapped.
    console.print(sentence, markup=False, highlight=False, soft_wrap=True)
