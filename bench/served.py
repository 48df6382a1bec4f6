"""`app.py` serving a folder, for measurements without other servers."""

import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests


@contextmanager
def served(models: Path, *flags: str) -> Iterator[tuple[int, int]]:
    """A server of `models` that is ready: its port and process id."""
    with tempfile.NamedTemporaryFile("w+") as log:
        process = subprocess.Popen(
            [sys.executable, "app.py", "--models-dir", models, "--port", "0", *flags],
            stderr=log,
        )
        try:
            yield wait_until_ready(Path(log.name), process), process.pid
        finally:
            process.terminate()
            process.wait()


def wait_until_ready(log: Path, process: subprocess.Popen[bytes]) -> int:
    """The port that the log names, once every model is ready."""
    while True:
        if process.poll() is not None:
            raise SystemExit(f"the server ended: {log.read_text()}")
        listens = re.search(r"listening on \S+:(\d+)", log.read_text())
        if listens:
            url = f"http://127.0.0.1:{listens[1]}/readyz"
            if requests.get(url, timeout=30).ok:
                return int(listens[1])
        time.sleep(0.1)
