"""`app.py fetch NAME`: downloads a keras.applications model into models/.

child process: Keras downloads and builds ─▶ models/.applications.fetching/version
─▶ load and verify it as the server would ─▶ one rename ─▶ models/NAME/VERSION
"""

import os
from contextlib import nullcontext
from pathlib import Path

from rich.console import Console

from ... import settings
from ...errors import FacenalityError, NotReached
from ...registry import loader
from ...registry.repository import ModelFiles
from . import child, sample, versions
from . import record as fetched
from .record import Record

INTERRUPTED = 130  # 128 + SIGINT, as in shells
STALL_S = 60.0  # seconds without a byte after which a download is given up


class AlreadyThere(Exception):
    """A version with the same weights exists; the message is its folder."""


def fetch(name: str, models_dir: Path, *, stall_s: float = STALL_S) -> int:
    """Fetch the architecture `name` as a new version; return the exit status.

    If the environment sets `KERAS_HOME`, files are looked up and stored there. Proxies
    and certificates also come from the environment (HTTPS_PROXY, SSL_CERT_FILE).
    """
    out, err = Console(), Console(stderr=True)
    try:
        folder = _fetched(name, models_dir, out, stall_s)
    except AlreadyThere as there:
        _print(out, f"{there} already exists with the same weights: nothing to do.")
        return 0
    except NotReached as error:
        _print(err, f"{error} {_advice(name, models_dir)}")
    except FacenalityError as error:
        _print(err, str(error))
    except OSError as error:
        _print(err, f"{error.filename or models_dir}: {error.strerror or error}.")
    except KeyboardInterrupt:
        _print(err, "Stopped. The models folder has not changed.")
        return INTERRUPTED
    else:
        _print(out, f"{folder} is ready to be served.")
        return 0
    return 1


def _fetched(name: str, models_dir: Path, out: Console, stall_s: float) -> Path:
    """The folder of the new version. Raises AlreadyThere, FacenalityError, OSError."""
    keras_home = os.environ.get("KERAS_HOME")
    own = Path(keras_home).expanduser().absolute() if keras_home else None
    with (
        versions.locked(models_dir) as lock,
        versions.locked(own) if own else nullcontext(lock) as home_lock,
        versions.staging_folder(models_dir, "applications") as staging,
    ):
        version = staging / "version"
        version.mkdir()
        wanted = child.Wanted(
            name=name,
            version=version,
            home=own or (staging / "keras").absolute(),
            known=fetched.known(models_dir),
        )
        out.print(f"{name}: building the network", highlight=False)
        built = child.build(wanted, staging, (lock, home_lock), stall_s)
        if built.already is not None:
            raise AlreadyThere(built.already)
        model = built.architecture.lower()
        versions.refuse_unversioned(models_dir, model)
        _write(version, built, out)
        found = ModelFiles(model, 1, version / "model.keras", (version,))
        loaded = settings.load({"models_dir": models_dir, "max_batch_size": 1})
        with out.status("") as status:  # records its answer to the sample as expected
            loader.load(found, loaded, status.update, write_expected=True)
        return versions.publish(version, models_dir, model)


def _write(version: Path, built: child.Built, out: Console) -> None:
    """Write the files beside model.keras, except expected.json."""
    if built.checksum is None:
        _print(
            out,
            f"Keras has no checksum for {built.weights}; its SHA-256 is {built.sha256}",
        )
    record = Record(built.architecture, built.weights, built.checksum)
    fetched.write(version, record, built.sha256)
    labels = fetched.labels(list(built.classes))
    card = fetched.card(built.architecture, built.height, built.width, built.preprocess)
    (version / "labels.txt").write_text(labels, encoding="utf-8")
    (version / "model.toml").write_text(card, encoding="utf-8")
    (version / "sample.png").write_bytes(sample.png())


def _advice(name: str, models_dir: Path) -> str:
    return (
        "If this machine has no Internet access, set HTTPS_PROXY to a proxy, set "
        "KERAS_HOME to a folder whose models/ holds Keras's files, or fetch on another "
        f"machine and copy its {models_dir / name.lower()}/ to this one."
    )


def _print(console: Console, sentence: str) -> None:
    # Sentences contain URLs and names, which must not be read as markup or wrapped.
    console.print(sentence, markup=False, highlight=False, soft_wrap=True)
