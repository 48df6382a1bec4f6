"""The child process that compares engines: real ones, and those that end badly."""

import json
import os
import shutil
import signal
import time
from pathlib import Path

import pytest

import networks
from facenality.engines import child_process
from facenality.errors import ModelLoadFailed
from facenality.registry import repository
from facenality.registry.selection.child_process import Question, ask
from hiding import without
from made import colours, words
from serving import Served


def asked(place: Path) -> Question:
    (found,) = repository.scan(place)
    made = place.parent / "made"
    made.mkdir(exist_ok=True)
    return Question(found.name, found.version, found.file, found.folders, 4, 2, made)


def custom(place: Path, code: str) -> Question:
    """A model whose custom.py is this."""
    networks.network().save(place / "model.keras")
    (place / "custom.py").write_text(code)
    return asked(place.parent)


@pytest.fixture
def net(tmp_path) -> Path:
    place = tmp_path / "models" / "net"
    place.mkdir(parents=True)
    return place


@pytest.fixture
def no_tensorflow(tmp_path, monkeypatch):
    for name, value in without(tmp_path / "hidden", "tensorflow").items():
        monkeypatch.setenv(name, value)


def test_a_model_is_compared_in_a_process_of_its_own(net):
    """What its custom.py prints is not taken for the answer; the server goes first."""
    noisy = "import os; assert os.nice(0) >= 10; print('{}', flush=True)"
    verdict = ask(custom(net, noisy))
    assert {one.engine for one in verdict.measured} == {"tensorflow", "openvino"}
    assert all(one.refused is None for one in verdict.measured)


def test_a_model_is_vetted_there_too(net):
    (net / "model.keras").write_bytes(b"no model")
    with pytest.raises(ModelLoadFailed, match="model.keras is not a .keras file"):
        ask(asked(net.parent))


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import os; os._exit(3)", "ended with 3"),
        ("import sys; sys.exit('no licence')", "no licence"),
    ],
)
def test_a_child_that_ends_without_an_answer_is_said(
    net, code, said, caplog, no_tensorflow
):
    with pytest.raises(ModelLoadFailed, match="ended without an answer"):
        ask(custom(net, code))
    assert said in caplog.text


def test_a_child_that_ends_before_it_is_asked_is_said(net, monkeypatch, caplog):
    monkeypatch.setattr(child_process.sys, "executable", "/bin/false")
    with pytest.raises(ModelLoadFailed, match="ended without an answer"):
        ask(custom(net, ""))


def test_a_child_that_takes_too_long_is_ended(net, caplog):
    started = time.monotonic()
    with pytest.raises(ModelLoadFailed, match="ended without an answer"):
        ask(custom(net, "import time; time.sleep(60)"), timeout=0.5)
    assert time.monotonic() - started < 30
    assert "ended with -9" in caplog.text


def children(pid: int) -> list[int]:
    found = []
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            fields = dict(
                line.split(":\t", 1) for line in status.read_text().splitlines()
            )
        except (OSError, ValueError):
            continue
        if int(fields["PPid"]) == pid and fields["State"][0] != "Z":
            found.append(int(status.parent.name))
    return found


def test_the_child_ends_with_the_server_however_that_ends(net):
    """The server is killed while its child sleeps in custom.py."""
    networks.network().save(net / "model.keras")
    (net / "custom.py").write_text("import time; time.sleep(300)")
    flags = "--engine=openvino", f"--cache-dir={net.parents[1] / 'cache'}"
    with Served(net.parent, *flags) as server:
        server.wait_for_log("converting and comparing")
        (pid,) = wait_for(lambda: children(server.process.pid))
        os.kill(server.process.pid, signal.SIGKILL)
        wait_for(lambda: not Path(f"/proc/{pid}").exists())


def wait_for(condition, seconds: float = 20):
    deadline = time.monotonic() + seconds
    while not (seen := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return seen


# --- without TensorFlow


def test_without_tensorflow_keras_hands_the_model_to_openvino(net, no_tensorflow):
    verdict = ask(custom(net, ""))
    assert {one.engine for one in verdict.measured} == {"openvino"}
    assert verdict.of("openvino", "float32").refused is None
    assert verdict.of("openvino", "float32").difference <= 1e-5
    assert "since TensorFlow is not installed" in verdict.notes[0]


def test_without_tensorflow_the_golden_sample_is_the_reference(
    net, no_tensorflow, tmp_path
):
    place = tmp_path / "m" / "c"
    colours(place)
    (place / "sample.json").write_text(json.dumps([[[0.5] * 3] * 24] * 24))
    expected = [{"label": "red", "probability": 0.5}]
    (place / "expected.json").write_text(json.dumps(expected))
    refused = ask(asked(tmp_path / "m")).of("openvino", "float32").refused
    assert "golden sample's answer is off by 0.17" in refused


def test_without_tensorflow_a_file_of_keras_2_says_how_to_prepare_it(
    net, no_tensorflow
):
    real = Path(__file__).parent / "keras_2_files" / "k115_siamese_shared_h5"
    shutil.copy(real / "model.h5", net)
    with pytest.raises(ModelLoadFailed, match="saved by Keras 2.*copy its cache_dir"):
        ask(asked(net.parent))


@pytest.mark.parametrize("form", ["text", "saved_model"])
def test_without_tensorflow_what_needs_it_says_so(net, no_tensorflow, form):
    if form == "text":
        net.rmdir()
        words(net.parent / "words.keras")
    else:
        networks.network().export(net / "saved_model", verbose=False)
    with pytest.raises(ModelLoadFailed, match="TensorFlow"):
        ask(asked(net.parent))
