"""A server with the engines as they come: cold, warm, without TensorFlow, bfloat16."""

import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

import networks
from facenality import cpu
from hiding import without
from made import picture
from serving import ROOT, Served

pytestmark = pytest.mark.full

CARD = 'task = "image-classification"\noutput = "probability"\npreprocess = "unit"\n'
# Mapped by a process that has imported them; TensorFlow's and Keras's own dependencies.
TRACES = ("site-packages/tensorflow/", "site-packages/h5py/")


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """A folder with the model `net`, and with a cache that is cold at first."""
    place = tmp_path_factory.mktemp("served")
    (place / "models" / "net").mkdir(parents=True)
    networks.larger_network().save(place / "models" / "net" / "model.keras")
    (place / "models" / "net" / "model.toml").write_text(CARD)
    return place


@pytest.fixture(scope="module")
def warm(place) -> Path:
    """`place` once its cache is warm, whatever ran before."""
    folders = f"--models-dir={place / 'models'}", f"--cache-dir={place / 'cache'}"
    command = [sys.executable, "app.py", "check", "--engine=auto", *folders]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return place


def served(place: Path, *flags: str, env: dict[str, str] | None = None) -> Served:
    cache = f"--cache-dir={place / 'cache'}"
    return Served(place / "models", "--engine=auto", cache, *flags, env=env)


def model(server: Served) -> dict:
    (one,) = server.get("/models").json()["models"]
    return one


def asked(server: Served) -> np.ndarray:
    reply = server.post("/predict?top=6", files={"image": ("a.png", picture("teal"))})
    by_label = {p["label"]: p["probability"] for p in reply.json()["predictions"]}
    return np.array([by_label[name] for name in sorted(by_label)])


def imported(server: Served) -> list[str]:
    maps = Path(f"/proc/{server.process.pid}/maps").read_text()
    return [trace for trace in TRACES if trace in maps]


@pytest.mark.timeout(420)  # a machine may have much else to do
def test_tensorflow_serves_at_once_and_the_faster_engine_takes_over(place):
    """Clients that ask all the while see no error, and the same answers."""
    with served(place, "--scan-interval-s=1") as server:
        first = asked(server.ready(120))
        stop, answers = threading.Event(), []
        client = threading.Thread(target=ask_until, args=(stop, server, answers))
        client.start()
        assert model(server)["engine"] == "tensorflow"
        try:
            server.wait_for_log(r"ready in .* on openvino in float32", 240)
            server.wait_for_log("net 1: retired")
        finally:
            stop.set()
            client.join()
        shown = model(server)
        last = asked(server)
    assert len(answers) > 1
    assert np.abs(np.stack([*answers, last]) - first).max() <= 1e-4
    assert shown["engine"] == "openvino"
    by_name = {(one["engine"], one["precision"]): one for one in shown["engines"]}
    chosen = by_name["openvino", "float32"]
    assert chosen["chosen"]
    assert not by_name["tensorflow", "float32"]["chosen"]
    assert 0 < chosen["ms_alone"] < by_name["tensorflow", "float32"]["ms_alone"]
    assert shown["agreement"] == chosen["difference"] <= 1e-4
    assert "compared with Keras on TensorFlow" in shown["engine_notes"][0]


def ask_until(stop: threading.Event, server: Served, answers: list) -> None:
    while not stop.is_set():
        answers.append(asked(server))


def test_with_a_warm_cache_neither_tensorflow_nor_keras_is_imported(warm):
    with served(warm) as server:
        server.ready()
        assert len(asked(server)) == 6
        assert model(server)["engine"] == "openvino", server.log()
        assert imported(server) == []
        assert "net 1: openvino float32" in server.log()


def test_what_was_made_with_tensorflow_serves_without_it(warm, tmp_path):
    hidden = without(tmp_path, "tensorflow", "keras")
    with served(warm, env=hidden) as server:
        server.ready()
        assert "compared with Keras on TensorFlow" in model(server)["engine_notes"][0]
        assert len(asked(server)) == 6


def test_without_tensorflow_the_same_file_is_served(place, tmp_path):
    """And a model that needs it says so, while the others are served."""
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "net").symlink_to(place / "models" / "net")
    networks.network().export(tmp_path / "models" / "s" / "saved_model", verbose=False)
    (tmp_path / "models" / "s" / "labels.txt").write_text("a\nb\nc\nd\ne\nf\n")
    hidden = without(tmp_path / "hidden", "tensorflow")
    with served(place, env={}) as server:
        expected = asked(server.ready())
    with served(tmp_path, "--model=net", env=hidden) as server:
        server.ready(120)
        assert np.abs(asked(server) - expected).max() <= 1e-4
        assert "since TensorFlow is not installed" in model(server)["engine_notes"][0]
        (failed,) = server.get("/models").json()["failed"]
        assert "a SavedModel needs TensorFlow" in failed["error"]
        assert imported(server) == []


@pytest.mark.skipif(not cpu.has_bfloat16(), reason="no bfloat16 here")
@pytest.mark.parametrize("engine", ["openvino", "tensorflow"])
def test_bfloat16_is_used_where_it_is_asked_for(tmp_path, engine):
    """TensorFlow rounds where there is AMX, OpenVINO also with AVX-512's bfloat16."""
    rounds = engine == "openvino" or cpu.has_amx()
    (tmp_path / "models" / "net").mkdir(parents=True)
    networks.network().save(tmp_path / "models" / "net" / "model.keras")
    (tmp_path / "models" / "net" / "model.toml").write_text(CARD)
    with served(tmp_path, f"--engine={engine}", "--precision=bfloat16") as server:
        rounded = asked(server.ready())
        shown = model(server)
    with served(tmp_path, f"--engine={engine}") as server:
        exact = asked(server.ready())
    assert shown["precision"] == ("bfloat16" if rounds else "float32")
    assert ("float32 is used" in " ".join(shown["engine_notes"])) == (not rounds)
    moved = np.abs(rounded - exact).max()
    assert moved < 0.05
    assert (moved > 1e-5) == rounds


def test_an_idle_server_computes_nothing(warm):
    with served(warm, "--model-threads=2") as server:
        server.ready()
        asked(server)
        server.wait_for_log("net 1: takes up to 3 batches at once")
        stat = Path(f"/proc/{server.process.pid}/stat")
        before = stat.read_text().split()[13:15]
        threading.Event().wait(1.5)
        after = stat.read_text().split()[13:15]
        ticks = sum(map(int, after)) - sum(map(int, before))
        assert ticks <= 3, "hundredths of a second; one scan of the folder is in them"
