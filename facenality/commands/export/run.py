"""The steps of an export: trace, write aside, load again, compare, publish.

TensorFlow is imported by the first of them, and computes in float32 whatever the
setting says: how precise the answers are is TensorFlow Serving's own choice then.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...cpu import cores
from ...engines.engine import ProgressCallback
from ...engines.tensorflow import runtime
from ...engines.tensorflow.signature import Signature
from ...registry.repository import ModelFiles
from ...registry.selection.cache import installed
from ...settings import Settings
from . import gateway_card, model, publish, verify
from .request import ExportFailed, ExportRequest

STAGES = 6  # that `run` reports


@dataclass(frozen=True)
class Exported:
    """What was written, and how far it is from the model."""

    folder: Path
    size: int  # bytes
    signature: Signature
    agreement: verify.Agreement
    golden: bool  # there is a sample, and it is answered as expected
    card: str


def run(
    found: ModelFiles, settings: Settings, wanted: ExportRequest, tell: ProgressCallback
) -> Exported:
    """Export `found`. Raises ExportFailed, ModelLoadFailed, OSError."""
    target = wanted.out / str(wanted.version or found.version)
    publish.refuse(target, force=wanted.force)
    if installed("tensorflow") is None:
        raise ExportFailed(
            "export writes with TensorFlow, which is not installed here: pip install "
            "tensorflow-cpu, or export on a machine that has it."
        )
    tell("importing TensorFlow")
    runtime.set_up("float32", settings.model_threads or cores())
    from ...engines.tensorflow import export

    tell("loading the model")
    one = model.load(found)
    with publish.made_aside(target) as aside:
        tell("writing")
        export.write(one.traced, aside)
        tell("loading what was written")
        reopened = export.Reopened(aside)
        exported = _checked(one, reopened, target, aside, tell)
        tell("publishing")
        publish.publish(aside, target)
    return exported


def _checked(
    one: model.ReferenceModel,
    reopened: Any,
    target: Path,
    aside: Path,
    tell: ProgressCallback,
) -> Exported:
    tell("comparing with the model")
    agreement = verify.compare(one, reopened)
    golden = verify.check_golden_sample(one, reopened)
    return Exported(
        target,
        sum(file.stat().st_size for file in aside.rglob("*") if file.is_file()),
        reopened.signature(),
        agreement,
        golden,
        gateway_card.text(one.found.name, one.recipe, one.written),
    )
