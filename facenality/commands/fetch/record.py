"""The files of a fetched version beside model.keras.

`fetched.json` records what was fetched, so that fetching the same again does nothing.
"""

import json
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

from ...registry import repository

RECORD = "fetched.json"

_CARD = """\
# {architecture} of keras.applications, with its ImageNet weights.
# `app.py fetch` wrote this folder; {record} records its source.
task = "image-classification"
labels = "labels.txt"          # ImageNet's classes, in the order of the outputs
output = "probability"         # the last layer is a softmax
preprocess = {preprocess:<18}# {why}

[image]
mode = "RGB"
size = [{height}, {width}]              # height, width: what it was trained on
resize = "bilinear"
fit = "stretch"                # the whole picture, as in Keras's own examples
"""


@dataclass(frozen=True)
class Record:
    """`checksum` is the one that the weights had to match; None if Keras has none."""

    architecture: str
    weights: str  # the file's name
    checksum: str | None


def card(architecture: str, height: int, width: int, preprocess: str) -> str:
    """A complete model.toml, so that nothing has to be inferred."""
    return _CARD.format(
        architecture=architecture,
        record=RECORD,
        preprocess=f'"{preprocess}"',
        why="the model rescales its input itself"
        if preprocess == "none"
        else f"{architecture}'s own, after keras.applications",
        height=height,
        width=width,
    )


def labels(classes: list[tuple[str, str]]) -> str:
    """labels.txt: a readable name on each line.

    ImageNet has two classes called crane and two called maillot; those get the WordNet
    id as well.
    """
    names = [(wordnet, " ".join(n.replace("_", " ").split())) for wordnet, n in classes]
    times = Counter(name for _, name in names)
    lines = (n if times[n] == 1 else f"{n} ({wordnet})" for wordnet, n in names)
    return "".join(f"{line}\n" for line in lines)


def write(directory: Path, record: Record, sha256: str) -> None:
    """Write `record`, and the weights' digest for users who want to check it."""
    text = json.dumps({**asdict(record), "sha256": sha256}, indent=2) + "\n"
    (directory / RECORD).write_text(text, encoding="utf-8")


def known(models_dir: Path) -> dict[str, str]:
    """The folders of fetched versions, the newest of each.

    The keys are the name and the checksum of their weights, separated by a space.
    """
    folders = {}
    for found in repository.scan(models_dir):
        record = _read(found.file.parent / RECORD)
        if record and record.architecture.lower() == found.name:
            folders[f"{record.weights} {record.checksum}"] = str(found.file.parent)
    return folders


def _read(file: Path) -> Record | None:
    try:
        fields = json.loads(file.read_text(encoding="utf-8"))
        return Record(fields["architecture"], fields["weights"], fields["checksum"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
