"""A real app.py in a process of its own, on a port of its own."""

import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Self

import requests

ROOT = Path(__file__).parents[1]


class Served:
    """`app.py` serving `models`; use as a context manager."""

    def __init__(self, models: Path, *flags: str, env: dict[str, str] | None = None):
        self._log = tempfile.TemporaryFile("w+")  # noqa: SIM115  closed in __exit__
        self.process = subprocess.Popen(
            [sys.executable, "app.py", "--models-dir", models, "--port", "0", *flags],
            cwd=ROOT,
            env={**os.environ, **(env or {})},
            stderr=self._log,
        )
        listening = self.wait_for_log(r"listening on (https?)://[^ ]*:(\d+)")
        self.port = int(listening[2])
        self.url = f"{listening[1]}://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.terminate()  # kindly, so that coverage is written
        finally:
            self.process.kill()
        self._log.close()

    def log(self) -> str:
        """What the server has logged so far."""
        # pread: the child writes through the same open file, at the same offset.
        size = os.fstat(self._log.fileno()).st_size
        return os.pread(self._log.fileno(), size, 0).decode()

    def wait_for_log(self, pattern: str, seconds: float = 30) -> re.Match[str]:
        """The first match of `pattern` in the log, once it is there."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if match := re.search(pattern, self.log()):
                return match
            if self.process.poll() is not None and not re.search(pattern, self.log()):
                raise AssertionError(f"the server ended: {self.log()}")
            time.sleep(0.02)
        raise AssertionError(f"{pattern!r} not in the log: {self.log()}")

    def ready(self, seconds: float = 60) -> Self:
        """Wait until /readyz says so."""
        deadline = time.monotonic() + seconds
        while self.get("/readyz").status_code != 200:
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.05)
        return self

    def get(self, path: str, **more: Any) -> requests.Response:
        """GET `path`."""
        return requests.get(self.url + path, timeout=30, **more)

    def post(self, path: str, **more: Any) -> requests.Response:
        """POST to `path`."""
        return requests.post(self.url + path, timeout=30, **more)

    def terminate(self, seconds: float = 30) -> int:
        """SIGTERM; the exit status."""
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(seconds)
