"""Traced, written aside, loaded again, compared, published: the steps of an export.

TensorFlow is imported by the first of them, and computes in float32 whatever the
setting says: how precise the answers are is TensorFlow Serving's own choice then.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..cores import cores
from ..engines import Tell, tensorflow_process
from ..engines.signatures import SERVING, TENSORS, Signature
from ..folder import Found
from ..settings import Settings
from ..trials.cache import installed
from . import card_text, checks, inputs, photograph, places
from .subject import Subject, subject
from .wanted import ExportFailed, Wanted

STAGES = 6  # that `run` tells of
PHOTOGRAPH = "a made photograph"


@dataclass(frozen=True)
class Exported:
    """What was written, and how far it is from the model."""

    folder: Path
    size: int  # bytes
    signatures: list[Signature]
    agreement: checks.Agreement
    golden: bool  # there is a sample, and it is answered as expected
    pictures: dict[str, bytes]  # that were decoded inside; none: no decoding
    picture_difference: float
    card: str


def run(found: Found, settings: Settings, wanted: Wanted, tell: Tell) -> Exported:
    """Export `found`. Raises ExportFailed, ModelNotLoaded, OSError."""
    target = wanted.out / str(wanted.version or found.version)
    places.refuse(target, force=wanted.force)
    if installed("tensorflow") is None:
        raise ExportFailed(
            "export writes with TensorFlow, which is not installed here: pip install "
            "tensorflow-cpu, or export on a machine that has it."
        )
    tell("importing TensorFlow")
    tensorflow_process.set_up("float32", settings.model_threads or cores())
    from ..engines import saving

    tell("loading the model")
    one = subject(found)
    decoding = _decoding(one, wanted)
    with places.made_aside(target) as aside:
        tell("writing")
        saving.write(one.traced, aside, one.recipe if decoding else None)
        tell("loading what was written")
        reopened = saving.Reopened(aside)
        exported = _checked(one, reopened, target, aside, decoding, tell)
        tell("publishing")
        places.publish(aside, target)
    return exported


def _decoding(one: Subject, wanted: Wanted) -> bool:
    if wanted.with_decoding and not one.recipe.image:
        raise ExportFailed(
            f"--with-decoding is for models of pictures, and {one.found.name} is for "
            f"{one.recipe.task}."
        )
    return wanted.with_decoding


def _checked(
    one: Subject, reopened: Any, target: Path, aside: Path, decoding: bool, tell: Tell
) -> Exported:
    tell("comparing with the model")
    plain = TENSORS if decoding else SERVING
    agreement = checks.tensors(one, reopened, plain)
    golden = checks.golden_sample(one, reopened, plain)
    pictures = _pictures(one) if decoding else {}
    name = one.found.name
    return Exported(
        target,
        sum(file.stat().st_size for file in aside.rglob("*") if file.is_file()),
        reopened.signatures(),
        agreement,
        golden,
        pictures,
        checks.pictures(one, reopened, pictures) if decoding else 0.0,
        card_text.text(name, one.recipe, one.written, with_decoding=decoding),
    )


def _pictures(one: Subject) -> dict[str, bytes]:
    """The model's own, and one that is there for every model, upright and not."""
    from ..engines import saving

    made = saving.jpeg(photograph.pixels())
    turned = photograph.on_its_side(made)
    own = inputs.pictures(one.found)
    return {**own, PHOTOGRAPH: made, f"{PHOTOGRAPH}, on its side": turned}
