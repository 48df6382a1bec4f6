"""How a version is to be run: card, settings, what is installed, and the verdict."""

import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ... import cpu
from ...cpu import cores
from ...engines.engine import How, Precision, ProgressCallback
from ...engines.remote import Remote, target
from ...errors import ModelLoadFailed
from ...settings import Settings
from ..card import Card, TFServingCard
from ..repository import ModelFiles
from . import cache as graphs
from .cache import Cache, Kept, installed, key
from .child_process import Question, ask
from .report import Measured

log = logging.getLogger(__name__)

WRONG_PRECISION = (
    "its card asks for another precision than the setting, which is TensorFlow's for "
    "all models of a process: change the setting, or set engine = 'openvino'"
)
NO_AMX = "TensorFlow computes in bfloat16 with amx_bf16 only: float32 is used"
FOR_OPENVINO = "pip install openvino scipy keras h5py"
NOT_INSTALLED = f"engine openvino is not installed: {FOR_OPENVINO}"
NO_TENSORFLOW = "engine tensorflow is not installed: pip install tensorflow-cpu"
NOTHING_INSTALLED = f"neither TensorFlow nor OpenVINO is installed: {FOR_OPENVINO}"

ELSEWHERE = "tf-serving"
NO_GRPC = "engine tf-serving is not installed: pip install grpcio protobuf"
NO_HOST = (
    "engine tf-serving needs an address: set TF_SERVING_HOST, such as tf-serving:8500, "
    "or host in the card's [tf_serving]"
)
NO_MODEL = (
    "there is a card but no model: put model.keras beside it, or, where it lives in "
    "TensorFlow Serving, set engine = 'tf-serving'"
)


@dataclass(frozen=True)
class Choice:
    """How to open the model, and what was measured, if that is not still to be done."""

    how: How
    measured: tuple[Measured, ...] = ()
    notes: tuple[str, ...] = ()
    undecided: "Wish | None" = None  # its engines are still to be compared
    keep_as: str | None = None  # the graph that TensorFlow is about to freeze


@dataclass(frozen=True)
class Wish:
    """What card and settings ask for, as far as this machine has it."""

    found: ModelFiles
    settings: Settings
    engine: str
    precision: Precision
    max_batch_size: int
    remote: Remote | None = None  # where it lives, of the engine tf-serving

    @property
    def cache(self) -> Cache | None:
        """Where verdicts are kept."""
        folder = self.settings.cache_dir
        return Cache(folder) if folder else None

    @property
    def threads(self) -> int:
        """That compute one batch."""
        return self.settings.model_threads or cores()

    @property
    def on_tensorflow(self) -> How:
        """TensorFlow as it runs in this process, whatever the card asks for."""
        return How(_able_on_tensorflow(self.settings.precision), self.threads)

    @property
    def needs_openvino(self) -> bool:
        """Whether TensorFlow may not stand in: bfloat16 is no answer to float32."""
        return self.engine == "openvino" or not self.fits_tensorflow

    @property
    def fits_tensorflow(self) -> bool:
        """Whether TensorFlow, where it is installed, computes as exactly as asked."""
        exact = (
            self.precision == "bfloat16" or self.on_tensorflow.precision == "float32"
        )
        return exact and installed("tensorflow") is not None


def wish(found: ModelFiles, written: Card, settings: Settings) -> Wish:
    """The wish of this card under these settings; "auto" on a card asks for nothing.

    Raises ModelLoadFailed where a model lives elsewhere, and nobody said where.
    """
    engine = _engine(found, written, settings)
    remote = _remote(found, written, settings) if engine == ELSEWHERE else None
    return Wish(
        found,
        settings,
        engine,
        "float32" if remote else _able(written.precision or settings.precision),
        written.max_batch_size or settings.max_batch_size,
        remote,
    )


def _engine(found: ModelFiles, written: Card, settings: Settings) -> str:
    asked = None if written.engine == "auto" else written.engine
    engine = asked or (ELSEWHERE if written.tf_serving else settings.engine)
    if found.is_card and engine != ELSEWHERE:
        raise ModelLoadFailed(NO_MODEL)
    return engine


def _remote(found: ModelFiles, written: Card, settings: Settings) -> Remote:
    """What the card says goes before the settings and the folder's names."""
    there = written.tf_serving or TFServingCard()
    host = there.host or settings.tf_serving_host
    if host is None:
        raise ModelLoadFailed(NO_HOST)
    unpinned = there.version is None and there.label is None
    return Remote(
        target(host),
        there.name or found.name,
        there.signature or Remote.signature,
        there.input,
        there.output,
        found.version if unpinned and found.numbered else there.version,
        there.label,
        settings.tf_serving_tls,
        settings.tf_serving_max_in_flight,
        settings.tf_serving_batch_size,
        settings.request_timeout_s,
    )


@contextmanager
def chosen(
    one: Wish, on_progress: ProgressCallback, *, decide: bool
) -> Iterator[Choice]:
    """How to open the version; what it needs is there until the block ends.

    With `decide`, engines are compared now where that is not known yet; else TensorFlow
    goes ahead. Raises ModelLoadFailed.
    """
    if one.found.file.suffix == ".py":
        yield Choice(How())
    elif one.remote:
        if not installed("grpc"):
            raise ModelLoadFailed(NO_GRPC)
        yield Choice(How(remote=one.remote))
    elif one.engine == "tensorflow":
        if _able_on_tensorflow(one.precision) != one.on_tensorflow.precision:
            raise ModelLoadFailed(WRONG_PRECISION)
        if not installed("tensorflow"):
            raise ModelLoadFailed(NO_TENSORFLOW)
        yield _on_tensorflow(one)
    elif not installed("openvino"):
        yield _without_openvino(one)
    else:
        with _with_openvino(one, on_progress, decide=decide) as choice:
            yield choice


def _without_openvino(one: Wish) -> Choice:
    if one.engine == "openvino":
        raise ModelLoadFailed(NOT_INSTALLED)
    if not installed("tensorflow"):
        raise ModelLoadFailed(NOTHING_INSTALLED)
    if not one.fits_tensorflow:
        raise ModelLoadFailed(WRONG_PRECISION)
    return _on_tensorflow(one)


@contextmanager
def _with_openvino(
    one: Wish, on_progress: ProgressCallback, *, decide: bool
) -> Iterator[Choice]:
    if kept := one.cache.find(key(one.found)) if one.cache else None:
        yield _choice(one, kept)
    elif one.needs_openvino or decide:
        on_progress("converting and comparing, in a process of its own")
        with tempfile.TemporaryDirectory() as aside:
            yield compared(one, Path(aside))
    else:
        yield _on_tensorflow(one, undecided=one if one.cache else None)


def compared(one: Wish, aside: Path) -> Choice:
    """Compare the engines now, in a child process.

    What cannot be kept is made in the folder `aside`. Raises ModelLoadFailed where only
    OpenVINO would do, and it may not serve.
    """
    try:
        return _choice(one, _kept(one, aside))
    except ModelLoadFailed as error:
        if one.needs_openvino:
            raise
        return _on_tensorflow(one, notes=(f"engines were not compared: {error}",))


def _kept(one: Wish, aside: Path) -> Kept:
    if one.cache:
        try:
            with one.cache.making() as folder:
                before = key(one.found)
                verdict = ask(_question(one, folder))
                if key(one.found) != before:
                    raise ModelLoadFailed("its files changed while it was compared")
                return one.cache.keep(before, folder, verdict)
        except OSError as error:
            log.warning("cache_dir keeps nothing: %s", error)
    return Kept(ask(_question(one, aside)), aside)


def _question(one: Wish, folder: Path) -> Question:
    found = one.found
    return Question(
        found.name,
        found.version,
        found.file.absolute(),
        tuple(folder.absolute() for folder in found.folders),
        one.max_batch_size,
        one.threads,
        folder.absolute(),
    )


def _choice(one: Wish, kept: Kept) -> Choice:
    """The fastest that may serve; else TensorFlow, where it may stand in."""
    verdict = kept.verdict
    best = verdict.best(one.engine, one.precision)
    notes = verdict.notes + verdict.advice(best)
    if best is not None and best.engine == "openvino":
        how = How(best.precision, one.threads, kept.converted(best.difference))
        return Choice(how, verdict.measured, notes)
    if one.needs_openvino:
        why = verdict.of("openvino", one.precision) or verdict.of("openvino", "float32")
        reason = why.refused if why and why.refused else "it was not measured"
        raise ModelLoadFailed(f"engine openvino may not serve it: {reason}")
    return _on_tensorflow(one, measured=verdict.measured, notes=notes)


def _on_tensorflow(one: Wish, notes: tuple[str, ...] = (), **learnt: Any) -> Choice:
    """TensorFlow, from the graph that it has frozen before, where one is kept."""
    how = one.on_tensorflow
    if _able_on_tensorflow(one.precision) != one.precision:
        notes += (NO_AMX,)
    if one.cache is None:
        return Choice(how, notes=notes, **learnt)
    entry = graphs.name(one.found, how.precision)
    frozen = graphs.find(one.cache, entry)
    how = replace(how, frozen=frozen)
    return Choice(how, notes=notes, keep_as=None if frozen else entry, **learnt)


def _able(precision: Precision) -> Precision:
    """float32 where the processor has no bfloat16: the same answers, only exact."""
    if precision == "bfloat16" and not cpu.has_bfloat16():
        log.warning("this processor has no bfloat16 (amx_bf16): float32 is used")
        return "float32"
    return precision


def _able_on_tensorflow(precision: Precision) -> Precision:
    """float32 where TensorFlow, told otherwise, would compute in it all the same."""
    return _able(precision) if cpu.has_amx() else "float32"
