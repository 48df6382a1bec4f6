"""The names of a model's outputs: from its card, or from the files people keep them in.

`labels.txt` has a name a line, `class_names.json` a list (or an object of names by
number), `class_indices.json` what Keras's flow_from_directory tells: numbers by name.
"""

import json
import re
from pathlib import Path
from typing import Any

from ..errors import ModelLoadFailed

LABEL_FILES = ("labels.txt", "class_names.json", "class_indices.json")

Labels = tuple[str, ...]

# "0 Cat", "0,Cat", "0: Cat", "0;Cat", "0<tab>Cat"
_NUMBERED = re.compile(r"(\d+)(?:\s*[,:;]\s*|\s+)(.+)")


def written(
    labels: str | Labels | None, folder: Path | None, notes: list[str]
) -> Labels | None:
    """Those of the card, or of a file in `folder`; None where nobody wrote any.

    Raises ModelLoadFailed for a file that cannot be read or is none of labels.
    """
    if isinstance(labels, tuple):
        return labels
    if labels is not None:
        return _read(folder or Path(), labels)
    names = (n for n in LABEL_FILES if folder and (folder / n).is_file())
    name = next(names, None)
    if name is None or folder is None:
        return None
    notes.append(f"labels from {name}")
    return _read(folder, name)


def unnumbered(lines: list[str]) -> list[str]:
    """The lines without their numbers, where all have them in order from 0 on."""
    matches = [_NUMBERED.fullmatch(line) for line in lines]
    numbers = [int(match[1]) for match in matches if match]
    if not lines or numbers != list(range(len(lines))):
        return lines
    return [match[2] for match in matches if match]


def _read(folder: Path, name: str) -> Labels:
    file = folder / name
    try:
        text = file.read_text(encoding="utf-8-sig")  # Windows writes a mark first
    except FileNotFoundError:
        raise ModelLoadFailed(f"labels: there is no file {name}") from None
    except UnicodeDecodeError:
        raise ModelLoadFailed(f"labels: {file.name} is not UTF-8") from None
    except (OSError, ValueError) as error:  # a folder, or a name that no file can have
        why = getattr(error, "strerror", None) or error
        raise ModelLoadFailed(f"labels: {name!a} cannot be read: {why}") from None
    if file.suffix.lower() == ".json":
        return _of_json(text, file.name)
    lines = [line.strip() for line in text.splitlines()]
    return tuple(unnumbered([line for line in lines if line]))


def _of_json(text: str, name: str) -> Labels:
    try:
        found = _names(json.loads(text))
    except (ValueError, RecursionError):
        found = None
    if found is None:
        raise ModelLoadFailed(
            f'labels: {name} must be a list of names, or an object such as {{"0": '
            '"cat"} or {"cat": 0} with every number from 0 on'
        )
    return found


def _names(document: Any) -> Labels | None:
    """The names by their number; None for what is no such table."""
    if isinstance(document, list):
        return tuple(document) if all(isinstance(n, str) for n in document) else None
    if not isinstance(document, dict):
        return None
    if all(type(number) is int for number in document.values()):
        by_number = {number: name for name, number in document.items()}
    elif all(isinstance(name, str) for name in document.values()):
        by_number = {int(number): name for number, name in document.items()}
    else:
        return None
    if sorted(by_number) != list(range(len(document))):
        return None
    return tuple(by_number[number] for number in range(len(by_number)))
