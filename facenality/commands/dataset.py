"""`app.py dataset OUT/`: exports the corrections as a directory that Keras reads.

Writes OUT/FOLDER/HASH.png with a folder for each label, and OUT/labels.txt with the
label of each folder in alphabetical order of the folders, the order of Keras's classes.
"""

import re
import shutil
import unicodedata
from collections.abc import Iterable
from pathlib import Path

from rich.console import Console
from rich.progress import track

from ..errors import UnprocessableInput
from ..features.uploads.index import Record
from ..features.uploads.store import FILE, Store
from ..settings import Settings

_UNSAFE = re.compile(r"[^\w .+-]")  # \w: the letters and digits of any script
# Names that Windows reserves for devices, with any extension.
_DEVICE = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
MAX_BYTES = 100


def folders(labels: Iterable[str]) -> dict[str, str]:
    """A folder name for each label, valid and unique on any file system."""
    taken: set[str] = set()
    names = {}
    for label in sorted(set(labels)):
        name = plain = _safe(label)
        number = 1
        while name.casefold() in taken:
            number += 1
            name = f"{plain}-{number}"
        taken.add(name.casefold())
        names[label] = name
    return names


def _safe(label: str) -> str:
    text = _UNSAFE.sub("_", unicodedata.normalize("NFC", label))
    text = text.encode()[:MAX_BYTES].decode(errors="ignore")
    text = text.strip(" .") or "_"  # dots and spaces there hide it or confuse Windows
    return f"_{text}" if _DEVICE.fullmatch(text) else text


LABELS = "labels.txt"


def dataset(settings: Settings, out: Path, *, force: bool = False) -> int:
    """Export the corrections of `settings.model`, or of the only model with some."""
    console = Console(stderr=True)
    store = Store(
        settings.uploads_dir, settings.uploads_max_bytes, settings.uploads_max_age_days
    )
    try:
        records = corrections(store.records() if store.exists() else [], settings.model)
        make_empty(out, force=force)
        exported = export(
            store, track(records, "exporting", console=console), names(records), out
        )
    except UnprocessableInput as error:
        console.print(str(error), markup=False)
        return 1
    console.print(f"{exported} files with {len(names(records))} labels in {out}")
    return 0


def corrections(records: list[Record], model: str | None) -> list[Record]:
    """The corrections of one model; of several for the same file the newest.

    Raises UnprocessableInput if there is none, or if several models have some.
    """
    labelled = [r for r in records if r.label is not None]
    models = sorted({r.model for r in labelled})
    if model is None and len(models) > 1:
        raise UnprocessableInput(
            f"Several models have corrections; choose one by --model "
            f"{'|'.join(models)}."
        )
    chosen = {r.file: r for r in labelled if model in (None, r.model)}
    if not chosen:
        of_model = f" of model {model}" if model else ""
        raise UnprocessableInput(f"There are no corrections{of_model} to export.")
    return list(chosen.values())


def names(records: Iterable[Record]) -> dict[str, str]:
    """The folder of each label."""
    return folders(str(r.label) for r in records)


def make_empty(out: Path, *, force: bool) -> None:
    """Make `out` an empty folder. Raises UnprocessableInput if it has other files.

    With `force`, the files of an earlier export are removed, and only those.
    """
    if force:
        for file in [f for f in out.glob("*/*") if FILE.fullmatch(f.name)]:
            file.unlink()
            if not any(file.parent.iterdir()):
                file.parent.rmdir()
        (out / LABELS).unlink(missing_ok=True)
    out.mkdir(parents=True, exist_ok=True)
    if any(out.iterdir()):
        hint = "" if force else "; --force replaces an earlier export"
        raise UnprocessableInput(f"{out} is not empty; choose another folder{hint}.")


def export(
    store: Store, records: Iterable[Record], names: dict[str, str], out: Path
) -> int:
    """Copy the files and write the labels; return the number of files."""
    exported = 0
    for record in records:
        folder = out / names[str(record.label)]
        folder.mkdir(exist_ok=True)
        try:
            shutil.copyfile(store.path(record), folder / record.file)
        except FileNotFoundError:  # its sender deleted it just now
            continue
        exported += 1
    labels = sorted(names, key=lambda label: names[label])
    text = "".join(f"{label}\n" for label in labels)
    (out / LABELS).write_text(text, encoding="utf-8")
    return exported
