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
        self._proc = Path(f"/proc/{self.process.pid}")
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
        """SIGHUP: models, tokens and keys are reloaded."""
        self.process.send_signal(signal.SIGHUP)

    def held(self) -> Held:
        """Now; greenlets as they were counted within the last second."""
        status = (self._proc / "status").read_text()
        numbers = dict(re.findall(r"(\w+):\s+(\d+)", status))
        return Held(
            int(numbers["VmRSS"]) / 1024,
            len(list((self._proc / "fd").iterdir())),
            int(numbers["Threads"]),
            int(self._count.read_text()),
        )

    def wait_for_engines(self, seconds: float = 300) -> None:
        """Until no child process has compared engines for 3 s."""
        until, alone = time.monotonic() + seconds, 0
        while alone < 6 and time.monotonic() < until:
            time.sleep(0.5)
            children = self._proc.glob("task/*/children")
            alone = 0 if any(file.read_text() for file in children) else alone + 1

    def quiet(self, seconds: float) -> Held:
        """What it holds without load: the least within `seconds`, column by column."""
        held, until = [self.held()], time.monotonic() + seconds
        while time.monotonic() < until:
            time.sleep(0.5)
            held.append(self.held())
        return Held(*map(min, zip(*held, strict=True)))

    def tracebacks(self) -> int:
        """How many the server has logged: a rightly refused request has none."""
        return self._log.read_text().count("Traceback")
