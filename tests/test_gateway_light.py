"""A gateway needs no TensorFlow, and little else."""

import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import exported
import made
from hiding import without
from serving import ROOT
from standing_in import ModelServer

pytestmark = pytest.mark.full

HEAVY = ("tensorflow", "keras", "h5py", "openvino", "scipy")
# Coverage's own weight is not the gateway's.
ALONE = {"COVERAGE_PROCESS_START": "", "COVERAGE_PROCESS_CONFIG": ""}
CARD = made.CARD.replace('"probability"', '"score"').replace("[24, 24]", "[224, 224]")
MEASURED = """
import sys, time
wall, cpu = time.perf_counter(), time.process_time()
import app
app.app
print(time.perf_counter() - wall, time.process_time() - cpu)
print(*sys.modules)
"""


def test_without_tensorflow_it_serves_within_150_mb(tmp_path):
    """Eight photographs under way at any time, each 602 kB as a float32 tensor."""
    exported.card(tmp_path / "cards", "sums", CARD)
    hidden = without(tmp_path / "hidden", *HEAVY) | ALONE
    photo = made.picture((200, 60, 30), (640, 427), "JPEG")
    shape = ("--shape=224,224,3", "--units=3")
    with (
        ModelServer.asleep(0.05, 8, *shape) as server,
        exported.gateway(tmp_path / "cards", server, env=hidden) as served,
    ):
        served.ready()
        idle = resident(served.process.pid)
        with ThreadPoolExecutor(8) as pool:
            replies = pool.map(
                lambda _: served.post("/predict", files={"image": photo}), range(300)
            )
            assert {reply.status_code for reply in replies} == {200}
        busy = resident(served.process.pid)
        mapped = Path(f"/proc/{served.process.pid}/maps").read_text()
    print(f"\na gateway: {idle:.0f} MB ready, {busy:.0f} MB after 300 photographs")
    assert not [name for name in HEAVY if f"site-packages/{name}/" in mapped]
    assert busy < 150


def resident(pid: int) -> float:
    """MB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) * 1024 / 1e6


def test_the_gateways_app_is_imported_within_a_second(tmp_path):
    """As gunicorn does: `app:app`, made of the environment; processor time counts."""
    exported.card(tmp_path / "cards", *exported.SUMS)
    hidden = without(tmp_path / "hidden", *HEAVY) | ALONE
    settings = {
        "FACENALITY_ENGINE": "tf-serving",
        "FACENALITY_TF_SERVING_HOST": "127.0.0.1:1",
        "FACENALITY_MODELS_DIR": str(tmp_path / "cards"),
    }
    command = [sys.executable, "-c", MEASURED]
    environ = {"PATH": "/usr/bin:/bin", **hidden, **settings}
    runs = [
        subprocess.run(
            command, cwd=ROOT, env=environ, capture_output=True, text=True, check=True
        ).stdout.splitlines()
        for _ in range(3)
    ]
    walls, cpus = zip(*(map(float, run[0].split()) for run in runs), strict=True)
    print(f"\napp:app is there after {min(walls):.2f} s, {min(cpus):.2f} s of a core")
    assert min(cpus) < 1
    imported = {name.partition(".")[0] for name in runs[0][1].split()}
    assert not imported & set(HEAVY)
