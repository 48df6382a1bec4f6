"""`app.py fetch NAME`: a keras.applications model, from the network to models/.

Keras names its files ─▶ mirror ─▶ weights, class names ─▶ models/.NAME.fetching
─▶ loaded and verified as the server would ─▶ one rename ─▶ models/NAME/VERSION
"""

import difflib
from pathlib import Path
from types import ModuleType

from rich.console import Console

from ..errors import FacenalityError
from .checksums import FetchFailed
from .checksums import read as read_checksums
from .download import NotReached
from .mirror import Source, checked
from .steps import AlreadyThere, Fetching

INTERRUPTED = 130  # 128 + SIGINT, as shells have it


def fetch(
    name: str,
    models_dir: Path,
    *,
    mirror: str | None,
    cache_dir: Path,
    checksums: Path | None = None,
) -> int:
    """Fetch the architecture `name` as a new version in `models_dir`; the exit status.

    `mirror` stands in for the addresses that Keras knows, and the digests in the file
    `checksums` (of sha256sum) for its digests. `cache_dir` keeps what has arrived until
    it has become a model.
    """
    out, err = Console(), Console(stderr=True)
    try:
        digests = read_checksums(checksums) if checksums else {}
        source = Source(checked(mirror), cache_dir, digests)
        folder = _fetched(name, models_dir, source, out)
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
        _say(err, "Stopped. What has arrived is kept; run it again to go on.")
        return INTERRUPTED
    else:
        _say(out, f"{folder} is ready to be served.")
        return 0
    return 1


def _fetched(name: str, models_dir: Path, source: Source, out: Console) -> Path:
    with out.status("importing Keras"):
        applications = _applications()
    architecture = _spelt(name, applications.names())
    return Fetching(architecture, models_dir, source, out).run(applications)


def _applications() -> ModuleType:
    try:
        from ..engines import applications
    except ImportError as error:
        raise FetchFailed(
            f"fetch builds the model with Keras and TensorFlow, and here: {error}."
        ) from None
    return applications


def _spelt(name: str, names: list[str]) -> str:
    """The architecture that `name` means. Raises FetchFailed with those there are."""
    known = {n.lower(): n for n in names}
    if name.lower() in known:
        return known[name.lower()]
    near = difflib.get_close_matches(name.lower(), known, n=3)
    meant = f" Did you mean {' or '.join(known[n] for n in near)}?" if near else ""
    raise FetchFailed(
        f"keras.applications has no {name}.{meant} There are: {', '.join(names)}."
    )


def _advice(name: str, models_dir: Path) -> str:
    return (
        "Without a way out of here, name a mirror (--mirror URL) or a proxy "
        "(HTTPS_PROXY in the environment), or fetch on another machine and copy its "
        f"{models_dir / name.lower()}/ to this one."
    )


def _say(console: Console, sentence: str) -> None:
    # Sentences hold addresses and names: no markup, no wrapping within them.
    console.print(sentence, markup=False, highlight=False, soft_wrap=True)
