"""What a fetched version consists of: its files beside model.keras.

`fetched.json` remembers what was fetched; by it a second fetch of the same knows that
there is nothing to do.
"""

import json
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

from ...registry import repository

RECORD = "fetched.json"

_CARD = """\
# {architecture} of keras.applications, with its ImageNet weights.
# `app.py fetch` wrote this folder; {record} says from what.
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
    """`checksum` is the one the weights had to match, None where nobody knew one."""

    architecture: str
    weights: str  # the file's name
    checksum: str | None


def card(architecture: str, height: int, width: int, preprocess: str) -> str:
    """model.toml, with nothing left to inference."""
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
    """labels.txt: a readable name a line.

    ImageNet has two classes each called crane and maillot: WordNet's id tells such
    apart.
    """
    names = [(wordnet, " ".join(n.replace("_", " ").split())) for wordnet, n in classes]
    times = Counter(name for _, name in names)
    lines = (n if times[n] == 1 else f"{n} ({wordnet})" for wordnet, n in names)
    return "".join(f"{line}\n" for line in lines)


def write(directory: Path, record: Record, sha256: str) -> None:
    """Keep `record`, and the weights' digest for whoever wants to check."""
    text = json.dumps({**asdict(record), "sha256": sha256}, indent=2) + "\n"
    (directory / RECORD).write_text(text, encoding="utf-8")


def known(models_dir: Path) -> dict[str, str]:
    """The folders of versions that were fetched, the newest of each.

    They go by the name and the checksum of their weights, with a blank between them.
    """
    folders = {}
    for found in repository.scan(models_dir):
        record = _read(found.file.parent / RECORD)
        if record and record.architecture.lower() == found.name:
            folders[f"{record.weights} {record.checksum}"] = str(found.file.parent)
    return folders


def _read(file: Path) -> Record | None:
    try:
        kept = json.loads(file.read_text(encoding="utf-8"))
        return Record(kept["architecture"], kept["weights"], kept["checksum"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
