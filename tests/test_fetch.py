"""`fetch`: from a mirror to a model that is served, and what stops it on the way.

The mirror's weights are random, but spread, so that answers differ.
"""

import hashlib
import io
import json
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import h5py
import keras
import pytest
from PIL import Image

from facenality import folder, loader
from facenality.fetching import fetched
from facenality.fetching.command import fetch
from facenality.fetching.fetched import Record
from facenality.settings import Settings
from mirroring import Mirror, certified, drips
from serving import ROOT
from weights import written

WEIGHTS = "mobilenet_1_0_224_tf.h5"
CLASSES = "imagenet_class_index.json"
FILES = {
    "expected.json",
    "fetched.json",
    "labels.txt",
    "model.keras",
    "model.toml",
    "sample.png",
}


def digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def served(tmp_path_factory) -> Path:
    """What a mirror with MobileNet holds, SHA256SUMS among it."""
    root = tmp_path_factory.mktemp("served")
    (root / "mobilenet").mkdir()
    files = root / "mobilenet" / WEIGHTS, root / CLASSES
    written(keras.applications.MobileNet, files[0])
    names = {str(i): [f"n{i:08}", f"Class_{i}"] for i in range(1000)}
    names["134"][1] = names["517"][1] = "crane"
    files[1].write_text(json.dumps(names))
    lines = [f"{digest(file)}  {file.name}\n" for file in files]
    (root / "SHA256SUMS").write_text("".join(lines))
    return root


@pytest.fixture
def run(served, tmp_path, capsys):
    """fetch(NAME) into tmp_path: the exit status, and what was printed in one line."""

    def run_it(name="MobileNet", url="http://127.0.0.1:9/", sums=served / "SHA256SUMS"):
        status = fetch(
            name,
            tmp_path / "models",
            mirror=url,
            cache_dir=tmp_path / "cache",
            checksums=sums,
        )
        printed = capsys.readouterr()
        return status, " ".join((printed.out + printed.err).split())

    return run_it


def versions_seen(models: Path, seen: list[set[str]], stop: threading.Event) -> None:
    """What a scan of the folder meets while a fetch is at work."""
    while not stop.wait(0.005):
        if models.exists():
            seen += [
                {f.name for f in m.file.parent.iterdir()} for m in folder.find(models)
            ]


def test_a_model_is_fetched_verified_published_whole_and_predicts(
    served, run, tmp_path
):
    models, seen, stop = tmp_path / "models", [], threading.Event()
    watch = threading.Thread(target=versions_seen, args=(models, seen, stop))
    watch.start()
    try:
        with Mirror(served) as there:
            status, said = run("mobileNET", there.url)
    finally:
        time.sleep(0.05)
        stop.set()
        watch.join()
    assert status == 0, said
    assert f"{models / 'mobilenet' / '1'} is ready to be served." in said
    assert seen
    assert all(files == FILES for files in seen)
    assert [f.name for f in models.iterdir()] == ["mobilenet"]
    assert not list((tmp_path / "cache" / "fetch").iterdir())

    labels = (models / "mobilenet" / "1" / "labels.txt").read_text().splitlines()
    assert labels[2] == "Class 2"
    assert labels[134] == "crane (n00000134)"
    assert len(set(labels)) == 1000
    (found,) = folder.find(models)
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


def test_a_second_fetch_does_nothing_or_makes_version_2(served, run, tmp_path):
    models = tmp_path / "models" / "mobilenet"
    record = Record("MobileNet", WEIGHTS, digest(served / "mobilenet" / WEIGHTS))
    (models / "1").mkdir(parents=True)
    (models / "1" / "model.keras").write_bytes(b"the first one")
    fetched.write(models / "1", record, "f" * 64)
    status, said = run()  # without any network
    assert (status, "models/mobilenet/1 is already there" in said) == (0, True)

    wrong = tmp_path / "SHA256SUMS"
    wrong.write_text(f"{'0' * 64}  {WEIGHTS}\n")
    with Mirror(served) as there:
        status, said = run(url=there.url, sums=wrong)
    assert (status, "It was removed." in said) == (1, True)
    assert sorted(f.name for f in models.iterdir()) == ["1"]

    fetched.write(models / "1", replace(record, checksum="0" * 64), "f" * 64)
    with Mirror(served) as there:
        status, said = run(url=there.url)
    assert (status, "models/mobilenet/2 is ready" in said) == (0, True)
    assert (models / "1" / "model.keras").read_bytes() == b"the first one"


def test_without_a_server_one_sentence_says_what_to_do(run, tmp_path):
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))  # and nobody listens
        status, said = run(url=f"http://127.0.0.1:{bound.getsockname()[1]}/")
    assert status == 1
    assert "could not be reached, 2 times: Connection refused" in said
    assert "--mirror URL" in said
    assert f"copy its {tmp_path}/models/mobilenet/" in said
    assert "Traceback" not in said
    assert not list((tmp_path / "models").iterdir())


@pytest.mark.parametrize(
    ("name", "sums", "url", "why"),
    [
        ("MobilNet", None, None, "has no MobilNet. Did you mean MobileNet"),
        ("nothing like it", None, None, "There are: ConvNeXtBase, ConvNeXtLarge"),
        ("MobileNet", None, None, "--checksums FILE that names it"),
        ("MobileNet", "none", None, "cannot be read"),
        (
            "MobileNet",
            None,
            "ftp://mirror.example/",
            "must be an http or https address",
        ),
    ],
)
def test_what_cannot_be_fetched_is_said_in_one_sentence(
    run, tmp_path, name, sums, url, why
):
    sums = sums and tmp_path / sums
    status, said = run(name, url or "http://127.0.0.1:9/", sums)
    assert status == 1
    assert why in said
    assert not list(tmp_path.glob("models/*"))


def test_what_has_no_checksum_is_taken_over_https_and_its_digest_is_shown(
    served, run, tmp_path, monkeypatch
):
    certificate, tls = certified(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with Mirror(served, tls=tls) as there:
        status, said = run(url=there.url, sums=None)
    sha256 = digest(served / "mobilenet" / WEIGHTS)
    assert f"no checksum of {WEIGHTS}; its SHA-256 is {sha256}" in said
    # Of the class names Keras does know one, and the test's are not ImageNet's.
    assert (status, "its checksum is not c2c37ea517e9" in said) == (1, True)


def test_a_disk_that_fails_is_said(run, tmp_path):
    (tmp_path / "cache").write_text("a file")
    status, said = run()
    assert (status, f"{tmp_path}/cache: File exists." in said) == (1, True)


def test_weights_of_another_architecture_and_missing_files_are_refused(
    served, run, tmp_path
):
    root, sums = tmp_path / "served", tmp_path / "SHA256SUMS"
    (root / "mobilenet").mkdir(parents=True)
    file = root / "mobilenet" / WEIGHTS
    with h5py.File(file, "w") as weights:
        weights.attrs["layer_names"] = []
    sums.write_text(f"{digest(file)}  {WEIGHTS}\n")
    with Mirror(root) as there:
        status, said = run(url=there.url, sums=sums)
        assert (status, "do not fit MobileNet" in said) == (1, True)
        file.unlink()
        status, said = run("ResNet50", there.url)
        assert (status, "the server answered 404" in said) == (1, True)
    assert not list((tmp_path / "models").iterdir())


def test_ctrl_c_leaves_no_model_and_keeps_what_has_come(served, tmp_path):
    models, cache = tmp_path / "models", tmp_path / "cache"
    code = (
        "import sys; from pathlib import Path;"
        "from facenality.fetching.command import fetch;"
        "url, sums, models, cache = sys.argv[1:];"
        "sys.exit(fetch('MobileNet', Path(models), mirror=url, cache_dir=Path(cache),"
        " checksums=Path(sums)))"
    )
    with Mirror(served, drips) as there:
        sums = served / "SHA256SUMS"
        process = subprocess.Popen(
            [sys.executable, "-c", code, there.url, sums, models, cache],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            # A shell's background job, as this may be one, ignores it.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        deadline = time.monotonic() + 60
        while not list(cache.glob("fetch/*.part")) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert list(models.iterdir()) == [models / ".mobilenet.fetching"]
        assert folder.find(models) == []
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Stopped." in said
    assert "Traceback" not in said
    assert list(models.iterdir()) == []
    assert list(cache.glob("fetch/*.part"))
