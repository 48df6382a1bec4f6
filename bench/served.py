"""`app.py` serving a folder, for comparisons that are not about speed."""

import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def served(models: Path, *flags: str) -> Iterator[tuple[int, int]]:
    """A server of `models`: its port and process id."""
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
    """The port, once the model is ready."""
    while not (ready := re.search(r":(\d+)\n(?s:.*)ready in", log.read_text())):
        if process.poll() is not None:
            raise SystemExit(f"the server ended: {log.read_text()}")
        time.sleep(0.1)
    return int(ready[1])
