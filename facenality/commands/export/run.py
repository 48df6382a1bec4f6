"""The steps of an export: trace, write, load again, compare, publish.

The first step imports TensorFlow, which computes in float32 whatever the setting says:
TensorFlow Serving chooses its own precision.
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

STAGES = 6  # the number of stages that `run` reports


@dataclass(frozen=True)
class Exported:
    """The exported model, and how far it agrees with the original."""

    folder: Path
    size: int  # bytes
    signature: Signature
    agreement: verify.Agreement
    golden: bool  # there is a golden sample, and its answer is as expected
    card: str


def run(
    found: ModelFiles,
    settings: Settings,
    wanted: ExportRequest,
    on_progress: ProgressCallback,
) -> Exported:
    """Export `found`. Raises ExportFailed, ModelLoadFailed, OSError."""
    target = wanted.out / str(wanted.version or found.version)
    publish.refuse(target, force=wanted.force)
    if installed("tensorflow") is None:
        raise ExportFailed(
            "export needs TensorFlow, which is not installed: pip install "
            "tensorflow-cpu, or export on a machine that has it."
        )
    on_progress("importing TensorFlow")
    runtime.set_up("float32", settings.model_threads or cores())
    from ...engines.tensorflow import export

    on_progress("loading the model")
    reference = model.load(found)
    with publish.staging_folder(target) as staging:
        on_progress("writing the SavedModel")
        export.write(reference.traced, staging)
        on_progress("loading the SavedModel")
        reopened = export.Reopened(staging)
        exported = _checked(reference, reopened, target, staging, on_progress)
        on_progress("publishing")
        publish.publish(staging, target)
    return exported


def _checked(
    reference: model.ReferenceModel,
    reopened: Any,
    target: Path,
    staging: Path,
    on_progress: ProgressCallback,
) -> Exported:
    on_progress("comparing with the model")
    agreement = verify.compare(reference, reopened)
    golden = verify.check_golden_sample(reference, reopened)
    return Exported(
        target,
        sum(file.stat().st_size for file in staging.rglob("*") if file.is_file()),
        reopened.signature(),
        agreement,
        golden,
        gateway_card.text(reference.found.name, reference.recipe, reference.written),
    )
