"""The server of a soak, and what its process holds at a moment."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple, Self

from ..served import wait_until_ready
from .models import Models

TOKEN = "soak-0123456789abcdef"


class Held(NamedTuple):
    """What a process holds; memory in MiB."""

    memory: float
    files: int
    threads: int
    greenlets: int


class Soaked:
    """A real server of `models`; use as a context manager."""

    def __init__(self, root: Path, models: Models, *flags: str) -> None:
        self._log, self._count = root / "server.log", root / "greenlets"
        words = [sys.executable, "-m", "bench.soak.watched", str(self._count)]
        words += ["--models-dir", str(models.folder), "--model", "digits", "--port=0"]
        words += ["--text-tokens", TOKEN, "--scan-interval-s=1", *flags]
        environ = {"FACENALITY_CACHE_DIR": str(root / "cache"), **os.environ}
        with self._log.open("w") as stream:
            self.process = subprocess.Popen(words, stderr=stream, env=environ)
        self.port = wait_until_ready(self._log, self.process)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def end(self) -> int:
        """SIGTERM; the exit status, which is 0 where nothing was lost."""
        self.process.terminate()
        return self.process.wait(60)

    def reread(self) -> None:
        """SIGHUP: models, tokens and keys are read again."""
        self.process.send_signal(signal.SIGHUP)

    def held(self) -> Held:
        """Now; greenlets as they were counted within the last second."""
        folder = Path(f"/proc/{self.process.pid}")
        status = (folder / "status").read_text()
        return Held(
            _number(r"VmRSS:\s+(\d+)", status) / 1024,
            len(list((folder / "fd").iterdir())),
            _number(r"Threads:\s+(\d+)", status),
            int(self._count.read_text()),
        )

    def wait_for_engines(self, seconds: float = 300) -> None:
        """Until no child process compares engines any more."""
        until = time.monotonic() + seconds
        alone = 0
        while alone < 6 and time.monotonic() < until:
            time.sleep(0.5)
            alone = 0 if self._children() else alone + 1

    def _children(self) -> str:
        tasks = Path(f"/proc/{self.process.pid}/task")
        return "".join(file.read_text() for file in tasks.glob("*/children"))

    def quiet(self, seconds: float) -> Held:
        """What it holds without load: the least within `seconds`, column by column."""
        held: list[Held] = []
        until = time.monotonic() + seconds
        while not held or time.monotonic() < until:
            held.append(self.held())
            time.sleep(0.5)
        return Held(*map(min, zip(*held, strict=True)))

    def tracebacks(self) -> int:
        """How many the server has logged: a rightly refused request has none."""
        return self._log.read_text().count("Traceback")


def _number(pattern: str, text: str) -> int:
    found = re.search(pattern, text)
    assert found
    return int(found[1])
