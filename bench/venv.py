"""A virtual environment for the peers, apart from ours: their pins are not our pins."""

import subprocess
import sys
import venv
from pathlib import Path

from rich.console import Console

FOLDER = Path(".cache") / "bench-venv"
BIN = FOLDER.absolute() / "bin"
REQUIREMENTS = Path(__file__).with_name("peers") / "requirements.txt"


def install(console: Console, wanted: set[str]) -> dict[str, str]:
    """Install what is missing; distribution -> why it could not be installed.

    `wanted` are the peers' distributions, none where only ours take part; what all
    share must install.
    """
    if not wanted:
        return {}
    shared, _, each = REQUIREMENTS.read_text().partition("# peers")
    if not (BIN / "python").exists():
        console.print(f"making {FOLDER} for the peers (2.5 GB; minutes, once)")
        venv.create(FOLDER, with_pip=True)
    if why := _pip(console, "what the peers share", _lines(shared)):
        raise SystemExit(f"the peers' environment cannot be installed: {why}")
    failed = {}
    for requirement in _lines(each):
        name = requirement.partition("==")[0].partition("[")[0]
        if name in wanted and (why := _pip(console, name, [requirement])):
            failed[name] = why
    return failed


def _lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def _pip(console: Console, what: str, requirements: list[str]) -> str:
    """An empty string, or the last thing that pip said."""
    words = [str(BIN / "python"), "-m", "pip", "install", "--quiet", *requirements]
    with console.status(f"installing {what}"):
        done = subprocess.run(words, capture_output=True, text=True)
    said = [line for line in done.stderr.splitlines() if "ERROR" in line]
    return (said or ["pip failed"])[-1] if done.returncode else ""


def python() -> Path:
    """The interpreter with the peers; ours where it was not made."""
    return BIN / "python" if (BIN / "python").exists() else Path(sys.executable)
