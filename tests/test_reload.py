"""Row R13: models change under load, and nobody notices but the answers.

A short form; `RELOADS=50 pytest tests/test_reload.py -s` is the full one.
"""

import os
import re
import shutil
import threading
from pathlib import Path

import pytest

import made
from made import picture
from serving import Served

pytestmark = pytest.mark.full

RELOADS = int(os.environ.get("RELOADS", "6"))
CLIENTS = 8


class Client(threading.Thread):
    """Asks without a pause; notes each version's answers and every error."""

    def __init__(self, server: Served, stop: threading.Event):
        super().__init__()
        self.server, self.stop = server, stop
        self.answers: dict[str, set[float]] = {}
        self.errors: list[str] = []
        self.count = 0

    def run(self):
        body = {"image": ("a.png", picture("red"))}
        while not self.stop.is_set():
            try:
                reply = self.server.post("/predict", files=body)
                answer = reply.json()
                number = answer["predictions"][0]["probability"]
                version = answer["model"]["version"]
                self.answers.setdefault(version, set()).add(round(number, 5))
                self.count += 1
            except Exception as error:
                self.errors.append(repr(error))


def publish(models: Path, version: int, aside: Path) -> None:
    """Write elsewhere, then rename: the version appears whole."""
    made.colours(aside / str(version), strength=1 + version / 10)
    (aside / str(version)).rename(models / "m" / str(version))


def resident(server: Served) -> float:
    """MiB."""
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024


def test_models_are_exchanged_under_load_without_an_error(tmp_path):
    models, aside = tmp_path / "models", tmp_path / "aside"
    (models / "m").mkdir(parents=True)
    publish(models, 1, aside)
    stop = threading.Event()
    with Served(models, "--scan-interval-s=0.2") as server:
        server.ready()
        clients = [Client(server, stop) for _ in range(CLIENTS)]
        for client in clients:
            client.start()
        before = 0.0
        for version in range(2, RELOADS + 2):
            if version % 5 == 0:  # a bad one in between, which must change nothing
                bad = models / "m" / str(1000 + version)
                bad.mkdir()
                (bad / "model.keras").write_bytes(b"no model")
                server.wait_for_log(f"m {1000 + version} is not served")
                shutil.rmtree(bad)
            publish(models, version, aside)
            server.wait_for_log(rf"m {version}: ready")
            shutil.rmtree(models / "m" / str(version - 1))
            server.wait_for_log(rf"m {version - 1}: retired")
            if version == 6:  # allocators and caches have settled
                before = resident(server)
        after = resident(server)
        stop.set()
        for client in clients:
            client.join()
    served = set().union(*(client.answers for client in clients))
    print(
        f"\n{RELOADS} reloads, {sum(c.count for c in clients)} answers, "
        f"{before:.0f} MiB after 5, {after:.0f} MiB at the end"
    )
    assert [error for client in clients for error in client.errors] == []
    assert len(served) >= RELOADS, "nearly every version was asked"
    by_version = {
        version: set().union(*(c.answers.get(version, set()) for c in clients))
        for version in served
    }
    assert all(len(answers) == 1 for answers in by_version.values()), by_version
    assert len(set().union(*by_version.values())) == len(served), "one answer each"
    assert after <= 1.1 * before
