"""`fetch`: from Keras's servers to a model that is served, and what stops it.

The weights are random, but spread, so that answers differ.
"""

import io
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import h5py
import keras
import pytest
from PIL import Image

from facenality.commands.fetch import record, versions
from facenality.commands.fetch.command import fetch
from facenality.commands.fetch.record import Record
from facenality.errors import FetchFailed
from facenality.registry import loader, repository
from facenality.settings import Settings
from keras_proxy import HOST, Proxy, certified, cuts, drips, hangs
from serving import ROOT
from weights import written

WEIGHTS = "mobilenet_1_0_224_tf.h5"  # Keras knows no checksum of them
CLASSES = "imagenet_class_index.json"
FILES = {
    "expected.json",
    "fetched.json",
    "labels.txt",
    "model.keras",
    "model.toml",
    "sample.png",
}

# Keras knows the MD5 of ImageNet's class names, which are not in this repository: in
# the child process the made ones have it.
CLASS_NAMES_MD5 = """
import hashlib
real = hashlib.md5
class MD5:
    def __init__(self):
        self.hash = real(usedforsecurity=False)
        self.update = self.hash.update
    def hexdigest(self):
        made = self.hash.hexdigest()
        return "c2c37ea517e94d9795004a39431a14cb" if made == {made!r} else made
hashlib.md5 = lambda *args, **more: real(*args, **more) if args or more else MD5()
"""


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> Path:
    """MobileNet's weights and class names."""
    root = tmp_path_factory.mktemp("files")
    written(keras.applications.MobileNet, root / WEIGHTS)
    names = {str(i): [f"n{i:08}", f"Class_{i}"] for i in range(1000)}
    names["134"][1] = names["517"][1] = "crane"
    (root / CLASSES).write_text(json.dumps(names))
    return root


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """The file to trust, and the context to serve by."""
    return certified(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def environment(files, certificate, tmp_path, monkeypatch):
    """As an operator's behind a proxy; `KERAS_HOME` is not set."""
    digest = subprocess.run(
        ["md5sum", files / CLASSES], check=True, capture_output=True, text=True
    ).stdout.split()[0]
    (tmp_path / "site").mkdir()
    site = tmp_path / "site" / "sitecustomize.py"
    site.write_text(CLASS_NAMES_MD5.format(made=digest))
    for name in ("NO_PROXY", "no_proxy", "https_proxy", "KERAS_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PYTHONPATH", str(site.parent))
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    return monkeypatch


@pytest.fixture
def run(environment, tmp_path, capfd):
    """fetch(NAME) into tmp_path: the exit status, and what was printed in one line."""

    def run_it(name="MobileNet", proxy=None, **more):
        if proxy:
            environment.setenv("HTTPS_PROXY", proxy.url)
        status = fetch(name, tmp_path / "models", **more)
        printed = capfd.readouterr()
        assert "Traceback" not in printed.err
        return status, " ".join((printed.out + printed.err).split())

    return run_it


@pytest.fixture
def home(files, tmp_path, environment) -> Path:
    """A filled KERAS_HOME."""
    models = tmp_path / "keras" / "models"
    models.mkdir(parents=True)
    for name in (WEIGHTS, CLASSES):
        shutil.copyfile(files / name, models / name)
    environment.setenv("KERAS_HOME", str(models.parent))
    return models.parent


def left(models: Path) -> list[str]:
    return sorted(file.name for file in models.iterdir())


def versions_seen(models: Path, seen: list[set[str]], stop: threading.Event) -> None:
    """What a scan of the folder meets while a fetch is at work."""
    while not stop.wait(0.005):
        if models.exists():
            seen += [
                {f.name for f in m.file.parent.iterdir()}
                for m in repository.scan(models)
            ]


def test_a_model_is_fetched_verified_published_whole_and_predicts(
    files, certificate, run, tmp_path
):
    models, seen, stop = tmp_path / "models", [], threading.Event()
    watch = threading.Thread(target=versions_seen, args=(models, seen, stop))
    watch.start()
    try:
        with Proxy(files, certificate[1]) as there:
            status, said = run("mobileNET", there)
    finally:
        time.sleep(0.05)
        stop.set()
        watch.join()
    assert status == 0, said
    assert f"{models / 'mobilenet' / '1'} is ready to be served." in said
    assert f"Keras has no checksum for {WEIGHTS}; its SHA-256 is " in said
    assert "Downloading data from https://storage.googleapis.com/" in said
    assert there.asked == [(f"{HOST}:443", WEIGHTS), (f"{HOST}:443", CLASSES)]
    assert seen
    assert all(names == FILES for names in seen)
    assert left(models) == ["mobilenet"]
    assert not (tmp_path / "user").exists(), "nothing stays in the user's ~/.keras"

    labels = (models / "mobilenet" / "1" / "labels.txt").read_text().splitlines()
    assert labels[2] == "Class 2"
    assert labels[134] == "crane (n00000134)"
    assert len(set(labels)) == 1000
    (found,) = repository.scan(models)
    loaded = loader.load(found, Settings(models_dir=models, max_batch_size=1), str)
    assert loaded.golden_difference is not None
    assert loaded.golden_difference < 1e-6
    assert loaded.recipe.inferred == ()
    picture = io.BytesIO()
    Image.new("RGB", (300, 200), (250, 10, 10)).save(picture, "PNG")
    best, *_ = loader.answer(loaded.task, loaded.engine, picture.getvalue())
    expected = json.loads((found.file.parent / "expected.json").read_text())
    assert best["label"] in labels
    assert best != expected[0]
    assert 0.002 < best["probability"] < 1  # a thousandth would be no answer at all


def test_a_filled_keras_home_needs_no_network_and_a_second_fetch_does_nothing(
    run, home, tmp_path
):
    models = tmp_path / "models" / "mobilenet"
    (models / "1").mkdir(parents=True)
    (models / "1" / "model.keras").write_bytes(b"the first one")
    record.write(models / "1", Record("MobileNet", WEIGHTS, "0" * 64), "f" * 64)
    status, said = run()
    assert (status, "models/mobilenet/2 is ready" in said) == (0, True), said
    assert (models / "1" / "model.keras").read_bytes() == b"the first one"
    assert left(home) == ["models"]
    assert left(home / "models") == [CLASSES, WEIGHTS]
    status, said = run()
    assert (status, "models/mobilenet/2 already exists" in said) == (0, True)
    assert left(models) == ["1", "2"]


def test_without_a_server_one_sentence_says_what_to_do(run, environment, tmp_path):
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))  # and nobody listens
        address = f"http://127.0.0.1:{bound.getsockname()[1]}"
        environment.setenv("HTTPS_PROXY", address)
        status, said = run()
    assert status == 1
    assert f"{WEIGHTS} could not be reached: [Errno 111] Connection refused." in said
    assert "HTTPS_PROXY" in said
    assert f"copy its {tmp_path}/models/mobilenet/" in said
    assert left(tmp_path / "models") == []


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("MobilNet", "has no MobilNet. Did you mean MobileNet"),
        ("../like nothing", "There are: ConvNeXtBase, ConvNeXtLarge"),
    ],
)
def test_a_name_that_keras_does_not_have_is_told_those_there_are(
    run, tmp_path, name, why
):
    status, said = run(name)
    assert (status, why in said) == (1, True), said
    assert left(tmp_path / "models") == []


@pytest.mark.parametrize(
    ("habit", "why"),
    [(hangs, "stalled for 1 seconds"), (cuts, "retrieval incomplete")],
)
def test_a_download_that_stops_leaves_nothing(
    files, certificate, run, tmp_path, habit, why
):
    with Proxy(files, certificate[1], habit) as there:
        status, said = run(proxy=there, stall_s=1.0)
    assert (status, why in said) == (1, True), said
    assert left(tmp_path / "models") == []


def test_what_the_server_lacks_or_sends_damaged_is_said(
    certificate, run, home, environment, tmp_path
):
    (home / "models" / CLASSES).unlink()
    root = tmp_path / "served"
    root.mkdir()
    with Proxy(root, certificate[1]) as there:
        status, said = run(proxy=there)
        assert (status, f"{CLASSES}: the server answered 404" in said) == (1, True)
        (root / CLASSES).write_text("{}")
        status, said = run(proxy=there)
        assert (status, "hash does not match" in said) == (1, True), said
        environment.delenv("SSL_CERT_FILE")
        status, said = run(proxy=there)
        assert (status, "CERTIFICATE_VERIFY_FAILED" in said) == (1, True), said
    assert left(home / "models") == [WEIGHTS], "what was whole stays"
    assert left(tmp_path / "models") == []


def test_weights_that_do_not_fit_or_are_cut_short_are_refused(run, home, tmp_path):
    file = home / "models" / WEIGHTS
    file.write_bytes(file.read_bytes()[:100_000])  # as Keras leaves it when killed
    status, said = run()
    assert (status, f"The weights in {file} do not fit MobileNet" in said) == (1, True)
    with h5py.File(file, "w") as weights:
        weights.attrs["layer_names"] = []
    status, said = run()
    assert (status, "delete that file" in said) == (1, True), said
    assert left(tmp_path / "models") == []


def started(models: Path, arriving: Path) -> subprocess.Popen[str]:
    """A fetch in a process of its own, that has begun to download to `arriving`."""
    process = subprocess.Popen(
        [sys.executable, "app.py", "fetch", "MobileNet", "--models-dir", str(models)],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        # A shell's background job, as this may be one, ignores it.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    deadline = time.monotonic() + 90
    while not any(file.stat().st_size for file in arriving.glob("*.h5")):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return process


def test_after_kill_9_nothing_half_loaded_is_taken_for_whole(
    files, certificate, run, environment, tmp_path
):
    models, home = tmp_path / "models", tmp_path / "keras"
    environment.setenv("KERAS_HOME", str(home))
    with Proxy(files, certificate[1], drips) as slow:
        environment.setenv("HTTPS_PROXY", slow.url)
        process = started(models, home / "models" / ".fetching")
        process.kill()
        process.communicate()
        assert repository.scan(models) == []
        assert not (home / "models" / WEIGHTS).exists()
        deadline = time.monotonic() + 20
        while locked(models):  # until the child has ended, too
            assert time.monotonic() < deadline
            time.sleep(0.05)
    with Proxy(files, certificate[1]) as there:
        status, said = run(proxy=there)
    assert (status, "models/mobilenet/1 is ready" in said) == (0, True), said
    assert left(models) == ["mobilenet"]
    assert left(home / "models") == [CLASSES, WEIGHTS]
    assert (home / "models" / WEIGHTS).read_bytes() == (files / WEIGHTS).read_bytes()


def locked(models: Path) -> bool:
    try:
        with versions.locked(models):
            return False
    except FetchFailed:
        return True


def test_ctrl_c_leaves_nothing(files, certificate, environment, tmp_path):
    models = tmp_path / "models"
    with Proxy(files, certificate[1], drips) as slow:
        environment.setenv("HTTPS_PROXY", slow.url)
        aside = models / ".applications.fetching"
        process = started(models, aside / "keras" / "models" / ".fetching")
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Stopped." in said
    assert "Traceback" not in said
    assert left(models) == []


@pytest.mark.parametrize("flag", ["--mirror", "--checksums"])
@pytest.mark.parametrize("value", [[], ["x"]])
def test_a_flag_that_was_removed_says_in_one_line_what_replaced_it(flag, value):
    command = [sys.executable, "app.py", "fetch", "MobileNet", flag, *value]
    run = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, env=os.environ
    )
    assert run.returncode == 2
    (line,) = run.stderr.splitlines()
    assert line.startswith(f"app.py: {flag} was removed: ")
