"""From a correction on the page to a model that has learned from it."""

import importlib
import io
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from facenality.features.uploads.index import Record
from facenality.features.uploads.store import Store
from made import picture
from serving import ROOT, Served

DIGITS = ROOT / "models" / "digits"


def export(uploads: Path, out: Path, *more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "app.py", "dataset", str(out)]
    return subprocess.run(
        [*command, "--uploads-dir", str(uploads), *more],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def kept(folder: Path, *said: tuple[bytes, str | None, str]) -> Path:
    """A folder of uploads with content, label and model of each."""
    store = Store(folder, 1 << 30, 90)
    for n, (content, label, model) in enumerate(said):
        record = Record(f"owner {n}", "", 0, 0, model, "1", label, "")
        store.keep(content, "png", record)
    return folder


def written(out: Path) -> dict[str, int]:
    """The files of each folder."""
    return {f.name: len(list(f.iterdir())) for f in out.iterdir() if f.is_dir()}


RED, GREEN, BLUE = (picture(colour) for colour in ("red", "lime", "blue"))


def test_corrections_become_a_directory_that_keras_reads(tmp_path):
    said = (
        *((RED, "warm/hot", "m"), (GREEN, "cold", "m"), (BLUE, "cold", "m")),
        *((RED, "cold", "m"), (RED, "Warm_hot", "m")),  # the newest word counts
        *((GREEN, "x", "other"), (picture("grey"), None, "m")),
    )
    uploads, out = kept(tmp_path / "uploads", *said), tmp_path / "out"
    run = export(uploads, out, "--model", "m")
    assert run.returncode == 0, run.stderr
    assert "3 files with 2 labels" in run.stderr
    assert written(out) == {"Warm_hot": 1, "cold": 2}
    assert (out / "labels.txt").read_text() == "Warm_hot\ncold\n"

    import keras

    read = keras.utils.image_dataset_from_directory(
        out, image_size=(40, 60), shuffle=False, verbose=False
    )
    assert read.class_names == ["Warm_hot", "cold"]
    batches = [(pixels.numpy(), labels.numpy()) for pixels, labels in read]
    ((pixels, labels),) = batches
    assert labels.tolist() == [0, 1, 1]
    assert pixels[0, 0, 0].tolist() == [255, 0, 0]


def test_an_export_overwrites_nothing_unless_it_is_forced_and_then_only_its_own(
    tmp_path,
):
    uploads = kept(tmp_path / "uploads", (RED, "a", "m"), (GREEN, "b", "m"))
    out = tmp_path / "out"
    assert export(uploads, out).returncode == 0
    again = export(uploads, out)
    assert again.returncode == 1
    assert "not empty" in again.stderr
    assert "--force" in again.stderr
    Store(uploads, 1 << 30, 90).forget("owner 0")
    assert export(uploads, out, "--force").returncode == 0
    assert written(out) == {"b": 1}, "what was deleted leaves the export as well"
    (out / "b" / "mine.png").write_bytes(RED)
    refused = export(uploads, out, "--force")
    assert refused.returncode == 1
    assert (out / "b" / "mine.png").exists()


@pytest.mark.parametrize(
    ("said", "flags", "sentence"),
    [
        ((), (), "no corrections to export"),
        (((RED, None, "m"),), (), "no corrections to export"),
        (((RED, "a", "m"),), ("--model", "n"), "no corrections of model n"),
        (((RED, "a", "m"), (RED, "b", "n")), (), "--model m|n"),
    ],
)
def test_what_cannot_be_exported_says_why(tmp_path, said, flags, sentence):
    run = export(kept(tmp_path / "uploads", *said), tmp_path / "out", *flags)
    assert run.returncode == 1
    assert sentence in run.stderr
    assert not (tmp_path / "out").exists()


def test_what_its_sender_deletes_meanwhile_is_left_out(tmp_path):
    uploads = kept(tmp_path / "uploads", (RED, "a", "m"), (GREEN, "b", "m"))
    next(uploads.glob("*.png")).unlink()
    run = export(uploads, tmp_path / "out")
    assert run.returncode == 0
    assert sum(written(tmp_path / "out").values()) == 1


@pytest.fixture
def digits_modules(monkeypatch):
    monkeypatch.syspath_prepend(DIGITS)
    return importlib.import_module("extra"), importlib.import_module("pictures")


def test_extra_pictures_are_a_bounded_share_of_what_training_shows(digits_modules):
    extra, pictures = digits_modules
    real = importlib.import_module("scans").load()[0]
    stripes = np.tile(np.float32([0.1, 0.9]), (2, 32, 16))
    more = extra.Extra(stripes, np.array([3, 3]))
    plain = pictures.Pictures(real, 1280, 128, 1)
    mixed = pictures.Pictures(real, 40, 128, 1, more)
    shown, digits = mixed[0]
    others, theirs = plain[0]
    replaced = (shown != others).any((1, 2, 3))
    assert 0.1 < replaced.mean() < 0.4
    assert set(digits[replaced]) == {3}
    np.testing.assert_array_equal(digits[~replaced], theirs[~replaced])
    jumps = np.abs(np.diff(shown[replaced][..., 0], axis=2))
    assert np.median(jumps) > 0.5, "they are the stripes"
    assert shown.dtype == np.float32
    assert shown.min() >= 0
    assert shown.max() <= 1


@pytest.mark.parametrize(
    ("label", "content", "sentence"),
    [("cat", RED, "'cat' is no digit"), ("7", None, "no pictures")],
)
def test_extra_pictures_that_are_none_stop_the_training(
    digits_modules, tmp_path, label, content, sentence
):
    (tmp_path / label).mkdir()
    (tmp_path / "labels.txt").write_text(f"{label}\n")
    if content:
        (tmp_path / label / "a.png").write_bytes(content)
    with pytest.raises(SystemExit, match=sentence):
        digits_modules[0].load(tmp_path)


def test_a_correction_travels_from_the_page_into_the_next_model(tmp_path):
    """Served, corrected, exported, learned: each step as an operator would do it."""
    models, uploads, out = (tmp_path / name for name in ("models", "uploads", "out"))
    shutil.copytree(DIGITS, models / "digits")
    keep = ("--keep-uploads", "flagged", "--uploads-dir", str(uploads))
    with Served(models, *keep) as server:
        server.ready()
        for file, label in (("9.png", "9"), ("4.jpg", "4"), ("2.png", "7")):
            image = (DIGITS / "examples" / file).read_bytes()
            sent = {"files": {"image": image}, "data": {"label": label}}
            assert server.post("/feedback", **sent).status_code == 200
    assert export(uploads, out).returncode == 0
    assert (out / "labels.txt").read_text().split() == ["4", "7", "9"]
    with Image.open(next((out / "4").iterdir())) as picture_of_4:
        assert picture_of_4.format == "JPEG"
    (file_of_7,) = (out / "7").iterdir()
    assert file_of_7.suffix == ".png"
    sent_7 = Image.open(io.BytesIO((DIGITS / "examples" / "2.png").read_bytes()))
    with Image.open(file_of_7) as kept_7:
        np.testing.assert_array_equal(np.asarray(kept_7), np.asarray(sent_7))

    command = [sys.executable, str(DIGITS / "train.py"), "--epochs", "1"]
    command += ["--samples", "256", "--out", str(tmp_path / "fresh")]
    run = subprocess.run(
        [*command, "--extra", str(out)], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    assert f"learning from 3 pictures of {out}" in run.stdout
    assert (tmp_path / "fresh" / "model.keras").exists()
