"""Finds the models and versions in the folder models/.

models/NAME.keras | NAME.h5                      one file: model NAME, version 1
models/NAME/MODEL                                the same with room for its card
models/NAME/VERSION/MODEL                        `layouts` says what MODEL may be
models/NAME[/VERSION]/model.toml                 a card alone: it lives elsewhere
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from . import layouts
from .labels import LABEL_FILES

CARD = "model.toml"
# What TensorFlow reads of a SavedModel's folder, which may hold a card and labels too.
SAVED_MODEL = ("*.pb", "variables/**/*", "assets/**/*", "assets.extra/**/*")
# Beside a model, what changes how it is served; of any other file a change is ignored.
BESIDE = ("model.toml", "*.txt", "*.json", "sample.*", "*.py")
EXAMPLES = "examples"  # a folder beside them, shown by the page

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_VERSION = re.compile(r"0*[1-9][0-9]{0,17}")

Fingerprint = frozenset[tuple[str, int, int]]  # path, size, time of change


@dataclass(frozen=True, order=True)
class ModelFiles:
    """A model, its version, and the folders its card may lie in."""

    name: str
    version: int
    file: Path  # or the saved_model folder
    folders: tuple[Path, ...]  # the nearest first
    fingerprint: Fingerprint = field(default=frozenset(), compare=False)
    own: frozenset[str] = field(default=frozenset(), compare=False)  # it writes itself

    @property
    def is_card(self) -> bool:
        """Whether there is only a card here: the model itself lives elsewhere."""
        return self.file.name == CARD

    @property
    def numbered(self) -> bool:
        """Whether it lies in a folder of its version."""
        return len(self.folders) == 2

    def labels_folder(self) -> Path | None:
        """Where its labels lie; None for a file among those of other models."""
        if not self.folders:
            return None
        near = next(filter(None, map(self.beside, (*LABEL_FILES, CARD))), self.file)
        return near.parent

    def without(self, own: frozenset[str]) -> "ModelFiles":
        """The same where changes of the files `own` do not count."""
        marks = frozenset(mark for mark in self.fingerprint if mark[0] not in own)
        return replace(self, fingerprint=marks, own=own)

    def looked_at_again(self) -> "ModelFiles":
        """The same with the files as they are now."""
        now = _found(self.name, self.version, self.file, self.folders)
        return now.without(self.own)

    def without_examples(self) -> list[Path]:
        """The files that decide how the model computes, as they are now."""
        shown = [folder / EXAMPLES for folder in self.folders]
        files = (Path(path) for path, _, _ in self.looked_at_again().fingerprint)
        return sorted(file for file in files if file.parent not in shown)

    def beside(self, name: str) -> Path | None:
        """The file called `name` in the nearest folder that has it."""
        return next((f / name for f in self.folders if (f / name).is_file()), None)

    def sample(self) -> Path | None:
        """The golden sample, sample.*, in the nearest folder that has one."""
        samples = (s for f in self.folders for s in sorted(f.glob("sample.*")))
        return next(samples, None)


def scan(models_dir: Path, *, cards: bool = False) -> list[ModelFiles]:
    """Every version of every model in the folder, by name and version.

    A card alone is a model where it speaks of TensorFlow Serving, and with `cards`
    always: then the settings say that models live there.
    """
    return scan_all(models_dir, cards=cards)[0]


def scan_all(
    models_dir: Path, *, cards: bool = False
) -> tuple[list[ModelFiles], dict[str, str]]:
    """As `scan`; and the entries that are not served, each with its fix."""
    found: list[ModelFiles] = []
    ignored: dict[str, str] = {}
    for entry in sorted(models_dir.iterdir()):
        try:
            models = _models_of(entry, cards)
            why = None if models else layouts.why_not(entry)
        except OSError as error:  # one folder's trouble is not the others'
            models, why = [], f"cannot be read: {error.strerror}"
        taken = {(one.name, one.version) for one in found}
        for one in models:
            if (one.name, one.version) in taken:
                why = f"is a second model {one.name}: rename one of them"
            else:
                found.append(one)
        if why:
            ignored[entry.name] = why
    return sorted(found), ignored


def _models_of(entry: Path, cards: bool) -> list[ModelFiles]:
    name = entry.name if entry.is_dir() else entry.stem
    if not _NAME.fullmatch(name):
        return []
    if entry.is_dir():
        return _versions(entry, cards)
    return [_found(name, 1, entry, ())] if layouts.is_model_file(entry) else []


def _versions(folder: Path, cards: bool) -> list[ModelFiles]:
    model = layouts.model_in(folder)
    if model:
        return [_found(folder.name, 1, model, (folder,))]
    versions = {
        int(sub.name): _found(folder.name, int(sub.name), model, (sub, folder))
        for sub in sorted(folder.iterdir(), reverse=True)  # of 1 and 01 it is 01
        if _VERSION.fullmatch(sub.name)
        and sub.is_dir()
        and (model := layouts.model_in(sub) or _card_in(sub, cards))
    }
    card = _card_in(folder, cards)
    single = [_found(folder.name, 1, card, (folder,))] if card else []
    return list(versions.values()) or single


def _card_in(folder: Path, cards: bool) -> Path | None:
    """Its card, where that is all a model needs: the model lives elsewhere."""
    card = folder / CARD
    if not card.is_file():
        return None
    text = b"" if cards else card.read_bytes()
    return card if cards or b"tf-serving" in text or b"[tf_serving]" in text else None


def _found(
    name: str, version: int, model: Path, folders: tuple[Path, ...]
) -> ModelFiles:
    watched = {*_hashed(model)}
    for folder in folders:
        for glob in (*BESIDE, f"{EXAMPLES}/*"):
            watched.update(folder.glob(glob))
    fingerprint = frozenset(mark for file in watched if (mark := _mark(file)))
    return ModelFiles(name, version, model, folders, fingerprint)


def _hashed(model: Path) -> Iterator[Path]:
    """The files whose content is the model: of a model.py all that lie beside it."""
    if model.is_dir():
        for part in SAVED_MODEL:
            yield from (file for file in model.glob(part) if file.is_file())
    elif model.suffix == ".py":
        for file in model.parent.rglob("*"):
            if file.is_file() and "__pycache__" not in file.parts:
                yield file
    else:
        yield model


def _mark(file: Path) -> tuple[str, int, int] | None:
    try:
        status = file.stat()
    except OSError:  # gone since it was listed
        return None
    return str(file), status.st_size, status.st_mtime_ns


def sha256(model: Path) -> str:
    """The content hash that names this model in logs and replies.

    Of several files, the hash of their names and hashes.
    """
    files = sorted(_hashed(model))
    if files == [model]:
        return _sha256(model)
    lines = (f"{_sha256(f)}  {f.relative_to(model.parent)}\n" for f in files)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
