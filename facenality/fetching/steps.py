"""From an architecture's name to a published version of it, step by step."""

from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from .. import loader, settings
from ..folder import Found
from . import checksums, fetched, sample, versions
from .checksums import FetchFailed
from .fetched import Record
from .mirror import Asked, Source
from .pace import Limits


class AlreadyThere(Exception):
    """A version made from the same weights: its folder."""


@dataclass(frozen=True)
class Fetching:
    """One fetch: the architecture as Keras spells it, and where everything goes."""

    architecture: str
    models_dir: Path
    source: Source
    out: Console

    @property
    def name(self) -> str:
        """The model's name in the folder."""
        return self.architecture.lower()

    def run(self, applications: ModuleType) -> Path:
        """The folder of the new version. Raises AlreadyThere, FacenalityError."""
        with (
            versions.locked(self.models_dir),
            versions.locked(self.source.cache_dir),
            versions.made_aside(self.models_dir, self.name) as aside,
        ):
            versions.refuse_unversioned(self.models_dir, self.name)
            kept = self._write(applications, aside)
            self._verify(aside)
            folder = versions.published(aside, self.models_dir, self.name)
            for file in kept:  # the model holds the weights now
                file.unlink(missing_ok=True)
        return folder

    def _write(self, applications: ModuleType, aside: Path) -> list[Path]:
        """Everything but expected.json; the files in the cache that it came from."""
        kept: list[Path] = []

        def weights(asked: Asked) -> Path:
            kept.append(self._weights(asked, aside))
            return kept[-1]

        def classes(asked: Asked) -> Path:
            kept.append(self._get(asked))
            return kept[-1]

        self.out.print(f"{self.architecture}: building the network", highlight=False)
        made = applications.write(self.architecture, aside / "model.keras", weights)
        labels = fetched.labels(applications.class_names(classes))
        card = fetched.card(self.architecture, made.height, made.width, made.preprocess)
        (aside / "labels.txt").write_text(labels, encoding="utf-8")
        (aside / "model.toml").write_text(card, encoding="utf-8")
        (aside / "sample.png").write_bytes(sample.png())
        return kept

    def _weights(self, asked: Asked, aside: Path) -> Path:
        """The weights, unless a version was made from the same ones."""
        record = Record(self.architecture, asked.name, self.source.checksum(asked))
        there = fetched.there(self.models_dir, record)
        if there:
            raise AlreadyThere(there)
        file = self._get(asked)
        digest = checksums.digest(file)
        if record.checksum is None:
            self.out.print(
                f"Keras knows no checksum of {asked.name}; its SHA-256 is {digest}",
                highlight=False,
                soft_wrap=True,
            )
        fetched.write(aside, record, digest)
        return file

    def _get(self, asked: Asked) -> Path:
        """The file, behind a bar: bytes, speed, time left. Raises FetchFailed."""
        with _bars(self.out) as bars:
            bar = bars.add_task(asked.name, total=None)
            try:
                return self.source.get(
                    asked,
                    lambda here, total: bars.update(bar, completed=here, total=total),
                    Limits(),
                )
            except OSError as error:  # Keras would take it for a wrong file
                said = f"{error.filename or asked.name}: {error.strerror or error}."
                raise FetchFailed(said) from error

    def _verify(self, aside: Path) -> None:
        """Load it as the server would; its answer to the sample is the expected one."""
        found = Found(self.name, 1, aside / "model.keras", (aside,))
        knobs = settings.load({"models_dir": self.models_dir, "max_batch_size": 1})
        with self.out.status("") as status:
            loader.load(found, knobs, status.update, write_expected=True)


def _bars(out: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=out,
    )
