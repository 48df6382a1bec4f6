"""`app.py fetch NAME`: a keras.applications model, from the network to models/.

child process: Keras downloads and builds ─▶ models/.applications.fetching/version
─▶ loaded and verified as the server would ─▶ one rename ─▶ models/NAME/VERSION
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

INTERRUPTED = 130  # 128 + SIGINT, as shells have it
STALL_S = 60.0  # a download that brings nothing for so long is given up


class AlreadyThere(Exception):
    """A version made from the same weights: its folder."""


def fetch(name: str, models_dir: Path, *, stall_s: float = STALL_S) -> int:
    """Fetch the architecture `name` as a new version in `models_dir`; the exit status.

    Files are taken from `KERAS_HOME` where the environment sets it, and kept there.
    Proxies and certificates are those of the environment (HTTPS_PROXY, SSL_CERT_FILE).
    """
    out, err = Console(), Console(stderr=True)
    try:
        folder = _fetched(name, models_dir, out, stall_s)
    except AlreadyThere as there:
        _say(out, f"{there} is already there, from the same weights: nothing to do.")
        return 0
    except NotReached as error:
        _say(err, f"{error} {_advice(name, models_dir)}")
    except FacenalityError as error:
        _say(err, str(error))
    except OSError as error:
        _say(err, f"{error.filename or models_dir}: {error.strerror or error}.")
    except KeyboardInterrupt:
        _say(err, "Stopped. Nothing was changed in the models folder.")
        return INTERRUPTED
    else:
        _say(out, f"{folder} is ready to be served.")
        return 0
    return 1


def _fetched(name: str, models_dir: Path, out: Console, stall_s: float) -> Path:
    """The folder of the new version. Raises AlreadyThere, FacenalityError, OSError."""
    given = os.environ.get("KERAS_HOME")
    own = Path(given).expanduser().absolute() if given else None
    with (
        versions.locked(models_dir) as lock,
        versions.locked(own) if own else nullcontext(lock) as home_lock,
        versions.made_aside(models_dir, "applications") as aside,
    ):
        version = aside / "version"
        version.mkdir()
        wanted = child.Wanted(
            name=name,
            version=version,
            home=own or (aside / "keras").absolute(),
            known=fetched.known(models_dir),
        )
        out.print(f"{name}: building the network", highlight=False)
        made = child.build(wanted, aside, (lock, home_lock), stall_s)
        if made.already is not None:
            raise AlreadyThere(made.already)
        model = made.architecture.lower()
        versions.refuse_unversioned(models_dir, model)
        _write(version, made, out)
        found = ModelFiles(model, 1, version / "model.keras", (version,))
        knobs = settings.load({"models_dir": models_dir, "max_batch_size": 1})
        with out.status("") as status:  # its answer to the sample is the expected one
            loader.load(found, knobs, status.update, write_expected=True)
        return versions.published(version, models_dir, model)


def _write(version: Path, made: child.Built, out: Console) -> None:
    """Everything beside model.keras but expected.json."""
    if made.checksum is None:
        _say(
            out,
            f"Keras knows no checksum of {made.weights}; its SHA-256 is {made.sha256}",
        )
    record = Record(made.architecture, made.weights, made.checksum)
    fetched.write(version, record, made.sha256)
    labels = fetched.labels(list(made.classes))
    card = fetched.card(made.architecture, made.height, made.width, made.preprocess)
    (version / "labels.txt").write_text(labels, encoding="utf-8")
    (version / "model.toml").write_text(card, encoding="utf-8")
    (version / "sample.png").write_bytes(sample.png())


def _advice(name: str, models_dir: Path) -> str:
    return (
        "Without a way out of here, name a proxy (HTTPS_PROXY in the environment), set "
        "KERAS_HOME to a folder whose models/ holds Keras's files, or fetch on another "
        f"machine and copy its {models_dir / name.lower()}/ to this one."
    )


def _say(console: Console, sentence: str) -> None:
    # Sentences hold addresses and names: no markup, no wrapping within them.
    console.print(sentence, markup=False, highlight=False, soft_wrap=True)
