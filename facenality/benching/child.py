"""Start a measurement in a child process, and read what it printed."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from ..folder import Found
from ..settings import PREFIX, Settings
from .measuring import Measured

PACKAGES = Path(__file__).parents[2]
PASSED_ON = ("models_dir", "cache_dir", "max_batch_size")


class NotMeasured(Exception):
    """Why an engine has no figures."""


def measured(found: Found, settings: Settings, more: Mapping[str, object]) -> Measured:
    """`found` with these knobs in place of the settings'. Raises NotMeasured."""
    words = [sys.executable, "-P", "-m", "facenality.benching.measuring"]
    done = subprocess.run(  # noqa: S603  # ourselves, and no shell
        [*words, found.name, str(found.version)],
        env=_environment(settings, more),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise NotMeasured((done.stderr.strip().splitlines() or ["it failed"])[-1])
    printed = json.loads(done.stdout.splitlines()[-1])
    by_size = {int(n): s for n, s in printed.pop("batch_seconds").items()}
    return Measured(**printed, batch_seconds=by_size)


def _environment(settings: Settings, more: Mapping[str, object]) -> dict[str, str]:
    """The settings as the child reads them: from the environment."""
    given = {name: getattr(settings, name, None) for name in PASSED_ON} | dict(more)
    searched = os.pathsep.join(filter(None, (str(PACKAGES), os.getenv("PYTHONPATH"))))
    knobs = {f"{PREFIX}{n.upper()}": str(v) for n, v in given.items() if v is not None}
    return {**os.environ, **knobs, "PYTHONPATH": searched}
