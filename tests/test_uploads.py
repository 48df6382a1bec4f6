"""The folder of uploads: nothing is lost by a crash, nothing outstays its limits."""

import hashlib
import io
import json
import resource
import stat
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import asdict, replace

import numpy as np
import pytest
from PIL import Image

from facenality.commands.dataset import folders
from facenality.errors import TooLarge, UnprocessableInput
from facenality.features.uploads.index import ROW_BYTES, Record
from facenality.features.uploads.sanitize import MAX_SIDE, clean
from facenality.features.uploads.store import Store
from made import picture

PLENTY = 1 << 30


def said(owner: str, label: str | None = "7", model: str = "digits") -> Record:
    return Record(owner, "", 0, 0, model, "1", label, "3")


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "uploads"


@pytest.fixture
def store(folder):
    return Store(folder, PLENTY, 90)


def files(folder) -> set[str]:
    return {f.name for f in folder.iterdir() if not f.name.startswith("index.")}


def labels(store) -> list[str | None]:
    return [record.label for record in store.records()]


def test_what_is_kept_is_named_by_its_content_and_nobody_elses_to_read(store, folder):
    store.keep(b"abc", "png", said("me"))
    name = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad.png"
    assert files(folder) == {name}
    assert (folder / name).read_bytes() == b"abc"
    modes = {stat.S_IMODE(f.stat().st_mode) for f in folder.iterdir()}
    assert modes == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    (record,) = store.records()
    assert (record.file, record.size, record.label) == (name, 3, "7")
    assert abs(record.time - time.time()) < 60


def test_the_same_content_again_is_no_second_file(store, folder):
    store.keep(b"abc", "png", said("me", "7"))
    store.keep(b"abc", "png", said("me", "8"))
    assert labels(store) == ["8"], "the same sender's word is replaced"
    store.keep(b"abc", "png", said("you", "9"))
    assert labels(store) == ["8", "9"]
    assert len(files(folder)) == 1
    assert store.forget("you") == 1
    assert len(files(folder)) == 1, "it is still mine"
    assert store.forget("me") == 1
    assert files(folder) == set()
    assert store.forget("me") == 0


def test_one_request_with_several_files_is_forgotten_as_a_whole(store, folder):
    for content in (b"a", b"b"):
        store.keep(content, "png", said("me"))
    store.keep(b"c", "png", said("you"))
    assert store.forget("me") == 2
    assert len(files(folder)) == 1


def test_another_process_that_opens_the_folder_finds_it_all(store, folder):
    store.keep(b"abc", "png", said("me", "7"))
    store.keep(b"abcd", "png", said("you", "8"))
    other = Store(folder, PLENTY, 90)
    assert labels(other) == ["7", "8"]
    other.keep(b"x", "png", said("they", "9"))
    other.forget("me")
    assert labels(store) == ["8", "9"]


def test_the_oldest_leave_when_the_room_is_used_up(folder):
    store = Store(folder, 3 * (ROW_BYTES + 1000), 90)
    for n in range(7):
        store.keep(bytes([n]) * 1000, "png", said(f"owner {n}", str(n)))
        assert sum(f.stat().st_size for f in folder.glob("*.png")) <= 3000
    assert labels(store) == ["4", "5", "6"]
    assert len(files(folder)) == 3


def test_a_file_that_several_sent_leaves_with_the_last_of_them(folder):
    store = Store(folder, 3 * ROW_BYTES + 1500, 90)
    store.keep(b"x" * 1000, "png", said("a"))
    store.keep(b"x" * 1000, "png", said("b"))
    store.keep(b"y" * 400, "png", said("c"))
    store.keep(b"z" * 400, "png", said("d"))
    assert [record.owner for record in store.records()] == ["c", "d"]
    assert len(files(folder)) == 2


def test_what_is_larger_than_all_the_room_is_refused_and_pushes_nothing_out(folder):
    store = Store(folder, 5000, 90)
    store.keep(b"x", "png", said("me"))
    with pytest.raises(TooLarge):
        store.keep(b"x" * 5000, "png", said("you"))
    assert len(store.records()) == 1


def test_what_is_too_old_leaves_at_a_sweep_and_at_the_next_writing(folder, monkeypatch):
    now = time.time()
    store = Store(folder, PLENTY, 1)
    for days, label in ((2.1, "a"), (1.1, "b"), (0.5, "c")):
        monkeypatch.setattr(time, "time", lambda days=days: now - days * 86_400)
        store.keep(label.encode(), "png", said(label, label))
    assert labels(store) == ["b", "c"], "a was too old when c came"
    monkeypatch.setattr(time, "time", lambda: now)
    store.sweep()
    assert labels(store) == ["c"]
    assert len(files(folder)) == 1


def test_a_sweep_removes_what_a_crash_left_behind(store, folder):
    store.keep(b"a", "png", said("me", "1"))
    store.keep(b"b", "png", said("you", "2"))
    (folder / store.records()[0].file).unlink()
    (folder / ("0" * 64 + ".png")).write_bytes(b"no record")
    (folder / "part").write_bytes(b"half a pict")
    (folder / "README").write_text("the operator's own")
    store.sweep()
    assert labels(store) == ["2"]
    assert files(folder) == {store.records()[0].file, "README"}


def journal(*lines: dict) -> str:
    """index.jsonl as earlier versions wrote it."""
    return "".join(json.dumps(line) + "\n" for line in ({"index": "f" * 32}, *lines))


def line(record: Record) -> dict:
    return {"keep": asdict(record)}


def test_an_earlier_versions_journal_is_read_in_once(store, folder, caplog):
    folder.mkdir()
    name = hashlib.sha256(b"a").hexdigest() + ".png"
    (folder / name).write_bytes(b"a")
    mine, yours = (
        replace(said(owner, owner), file=name, size=1, time=time.time())
        for owner in ("me", "you")
    )
    lines = journal(line(mine), {"drop": ["me", name]}, line(yours), {}, {"drop": 1})
    (folder / "index.jsonl").write_text(lines + '{"keep": {"owner": "cut')
    assert store.exists()
    assert labels(store) == ["you"]
    assert caplog.text.count("cannot be read") == 3
    assert not (folder / "index.jsonl").exists()
    assert store.forget("you") == 1
    assert files(folder) == set()
    (folder / "index.jsonl").write_text(lines)  # as after a crash before its removal
    assert labels(store) == []
    assert not (folder / "index.jsonl").exists()


def test_what_was_deleted_cannot_be_read_in_the_file_of_the_index(store, folder):
    for n in range(50):
        store.keep(bytes([n]), "png", said(f"<owner {n}>", f"<label {n}>"))
    for n in range(0, 50, 2):
        assert store.forget(f"<owner {n}>") == 1
    index = (folder / "index.sqlite").read_bytes()
    for n in range(50):
        for text in (f"<owner {n}>", f"<label {n}>"):
            assert (text.encode() in index) == bool(n % 2)


def test_an_index_that_is_none_is_an_error_of_the_disk(store, folder):
    folder.mkdir()
    (folder / "index.sqlite").write_bytes(b"no database" * 100)
    with pytest.raises(OSError, match="not a database"):
        store.keep(b"a", "png", said("me"))
    assert files(folder) == set()


def test_half_a_surrogate_pair_is_kept_as_a_question_mark(store):
    store.keep(b"a", "png", replace(said("me"), prediction="a\ud800b"))
    assert [record.prediction for record in store.records()] == ["a?b"]


MANY = """
import sys
from pathlib import Path
from facenality.features.uploads.index import Record
from facenality.features.uploads.store import Store
store = Store(Path(sys.argv[1]), 1 << 30, 90)
for n in range(40):
    name = f"{sys.argv[2]} {n}"
    store.keep(name.encode(), "txt", Record(name, "", 0, 0, "m", "1", name, ""))
    if n % 2:
        assert store.forget(name) == 1
"""


def test_processes_that_share_the_folder_lose_nothing_of_each_other(folder):
    running = [
        subprocess.Popen([sys.executable, "-c", MANY, str(folder), name])
        for name in "abc"
    ]
    assert [process.wait(60) for process in running] == [0, 0, 0]
    store = Store(folder, PLENTY, 90)
    expected = {f"{name} {n}" for name in "abc" for n in range(0, 40, 2)}
    assert set(labels(store)) == expected
    assert len(files(folder)) == len(expected)


@contextmanager
def no_file_beyond(size: int):
    """As on a disk that is full: writing beyond `size` bytes of a file fails."""
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, old[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)


@pytest.mark.parametrize("content", [b"x" * 50_000, b"x"], ids=["file", "index"])
def test_a_full_disk_leaves_everything_as_it_was(store, folder, content):
    store.keep(b"a", "png", said("me", "1"))
    with no_file_beyond(4096), pytest.raises(OSError, match=r"large|full|disk"):
        store.keep(content, "png", said("you", "2"))
    assert labels(store) == ["1"]
    assert len(files(folder)) == 1
    with no_file_beyond(0), pytest.raises(OSError, match=r"full|disk"):
        store.forget("me")
    assert files(folder) == set(), "what can be deleted is deleted"
    store.keep(content, "png", said("you", "2"))
    store.sweep()
    assert labels(store) == ["2"]


def test_what_is_kept_of_a_picture_is_its_pixels_and_not_where_it_was_taken():
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "Secretcam"
    exif.get_ifd(0x8825)[1] = "N"
    data = picture("red", (60, 40), "JPEG", exif=exif, comment=b"my address")
    content, suffix = clean(data + b"<script>appended</script>")
    kept = Image.open(io.BytesIO(content))
    assert (suffix, kept.format, kept.size) == ("jpg", "JPEG", (40, 60))
    assert not kept.getexif()
    assert not {"exif", "comment", "xmp", "icc_profile"} & set(kept.info)
    for secret in (b"Secretcam", b"my address", b"script"):
        assert secret in data + b"<script>"
        assert secret not in content


def test_a_picture_that_is_no_jpeg_keeps_every_pixel():
    grain = np.random.default_rng(1).integers(0, 256, (30, 50, 3), "uint8")
    stream = io.BytesIO()
    Image.fromarray(grain).save(stream, "WEBP", lossless=True)
    content, suffix = clean(stream.getvalue())
    assert suffix == "png"
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(content))), grain)


@pytest.mark.parametrize(
    ("form", "mode", "kept"),
    [
        ("PNG", "L", "L"),
        ("PNG", "1", "L"),
        ("PNG", "I;16", "L"),
        ("PNG", "P", "RGB"),
        ("PNG", "RGBA", "RGB"),
        ("JPEG", "L", "L"),
        ("JPEG", "CMYK", "RGB"),
        ("GIF", "P", "RGB"),
    ],
)
def test_pictures_of_every_mode_are_kept_as_grey_or_colour(form, mode, kept):
    content, _ = clean(picture(0, (20, 10), form, mode))
    assert Image.open(io.BytesIO(content)).mode == kept


@pytest.mark.parametrize("form", ["JPEG", "PNG"])
def test_a_large_picture_is_made_smaller(form):
    content, _ = clean(picture("red", (3000, 1500), form))
    assert Image.open(io.BytesIO(content)).size == (MAX_SIDE, MAX_SIDE // 2)


def test_what_is_no_picture_is_not_kept():
    for data in (b"", b"<svg/>", picture()[:100]):
        with pytest.raises(UnprocessableInput):
            clean(data)


def test_labels_become_folders_on_any_file_system():
    given = {
        "cat": "cat",
        "Cat": "Cat-2",
        "../../etc": "_.._etc",
        "a/b": "a_b",
        "a\\b": "a_b-2",
        "": "_",
        "..": "_-2",
        "con": "_con",
        "nul.txt": "_nul.txt",
        "Österreich": "Österreich",
        "tab\tnew\nline": "tab_new_line",
        "end. ": "end",
        "x" * 300: "x" * 100,
        "ü" * 80: "ü" * 50,
    }
    names = folders(given)
    assert len({name.casefold() for name in names.values()}) == len(given)
    assert names["cat"] == "cat-2"
    assert names["Cat"] == "Cat"
    for label, name in given.items():
        if label not in ("cat", "Cat"):
            assert names[label] == name


ENDLESS = """
import itertools, sys
from pathlib import Path
from facenality.features.uploads.index import Record
from facenality.features.uploads.store import Store
store = Store(Path(sys.argv[1]), 1 << 30, 90)
print("begun", flush=True)
for n in itertools.count():
    name = f"{sys.argv[2]} {n}"
    store.keep(name.encode() * 5000, "txt", Record(name, "", 0, 0, "m", "1", name, ""))
    if n % 2:
        store.forget(name)
"""


def test_a_writer_that_is_killed_leaves_a_folder_that_goes_on(folder):
    for n in range(5):
        writer = subprocess.Popen(
            [sys.executable, "-c", ENDLESS, str(folder), f"writer {n}"],
            stdout=subprocess.PIPE,
        )
        with writer:
            writer.stdout.readline()
            time.sleep(0.03 * n + 0.01)
            writer.kill()
        store = Store(folder, PLENTY, 90)
        store.sweep()
        kept = {record.file: record.label for record in store.records()}
        assert files(folder) == set(kept)
        for name, label in kept.items():
            assert (folder / name).read_text() == label * 5000
    assert kept
