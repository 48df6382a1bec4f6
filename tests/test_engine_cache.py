"""What is kept: by content, whole, within bounds; what is broken is made anew."""

import hashlib
import os
import shutil
from dataclasses import replace

import pytest

from facenality.registry import repository
from facenality.registry.selection import cache as caches
from facenality.registry.selection.cache import Cache, key
from facenality.registry.selection.report import Measured, Verdict
from facenality.spec import ModelSpec, TensorSpec

pytestmark = pytest.mark.full

FACTS = ModelSpec(
    (TensorSpec("x", (None, 3), "float32"),), (), "softmax", rescales=True
)


def kept(cache: Cache, name: str, content: bytes = b"weights") -> Verdict:
    """An entry with one file, in place of model.xml and model.bin."""
    digest = hashlib.sha256(content).hexdigest()
    measured = (Measured("openvino", "float32", 1.0, 2.0, 1e-7),)
    verdict = Verdict(FACTS, measured, ("a note",), (("model.xml", digest),))
    with cache.making() as made:
        (made / "model.xml").write_bytes(content)
        cache.keep(name, made, verdict)
    return verdict


def entry(tmp_path, name="key"):
    return tmp_path / "engines" / name


def test_what_is_kept_is_found_again(tmp_path):
    cache = Cache(tmp_path)
    assert cache.find("key") is None
    verdict = kept(cache, "key")
    found = cache.find("key")
    assert found.verdict == replace(verdict, made_with=caches.libraries())
    assert found.converted(0.5).file.read_bytes() == b"weights"
    assert found.converted(0.5).facts == FACTS
    assert [file.name for file in (tmp_path / "engines").iterdir()] == ["key"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("verdict.json", b""),
        ("verdict.json", b"{}"),
        ("verdict.json", b"\xff"),
        ("model.xml", b"other weights"),
        ("model.xml", None),
    ],
)
def test_a_broken_entry_is_none_and_gives_way(tmp_path, name, content, caplog):
    cache = Cache(tmp_path)
    kept(cache, "key")
    if content is None:
        (entry(tmp_path) / name).unlink()
    else:
        (entry(tmp_path) / name).write_bytes(content)
    assert cache.find("key") is None
    kept(cache, "key", b"new")
    assert cache.find("key").converted(None).file.read_bytes() == b"new"


def test_a_folder_that_cannot_be_made_keeps_nothing(tmp_path):
    (tmp_path / "file").write_text("")
    cache = Cache(tmp_path / "file")
    assert cache.find("key") is None
    with pytest.raises(OSError), cache.making():  # noqa: PT011  which one is the disk's
        pass


def test_an_entry_that_is_not_finished_leaves_nothing(tmp_path):
    with Cache(tmp_path).making() as made:
        (made / "model.xml").write_bytes(b"half")
    assert list((tmp_path / "engines").iterdir()) == []


def test_the_least_recently_used_go_first(tmp_path, monkeypatch):
    cache = Cache(tmp_path)
    for age, name in enumerate(("new", "middle", "old")):
        kept(cache, name)
        when = 1e9 - age
        os.utime(entry(tmp_path, name) / "verdict.json", (when, when))
    cache.find("old")  # used again: now the newest
    size = sum(f.stat().st_size for f in entry(tmp_path, "old").iterdir())
    monkeypatch.setattr(caches, "MAX_BYTES", 3 * size)
    aside = tmp_path / "engines" / f"{caches.ASIDE}old"
    aside.mkdir()
    os.utime(aside, (1, 1))
    (tmp_path / "engines" / f"{caches.ASIDE}at work").mkdir()
    kept(cache, "another")
    left = {file.name for file in (tmp_path / "engines").iterdir()}
    assert left == {"another", "old", "new", f"{caches.ASIDE}at work"}


def test_an_entry_larger_than_the_bound_is_kept_for_itself(tmp_path, monkeypatch):
    monkeypatch.setattr(caches, "MAX_BYTES", 1)
    kept(Cache(tmp_path), "key")
    assert Cache(tmp_path).find("key")


def model(place, files: dict[str, str]):
    for name, content in files.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(content)
    return max(repository.scan(place))


FILES = {"m/1/model.keras": "a", "m/model.toml": "b", "m/1/custom.py": "c"}


@pytest.mark.parametrize("changed", FILES)
def test_every_file_of_the_version_counts(tmp_path, changed):
    one = model(tmp_path / "one", FILES)
    other = model(tmp_path / "other", FILES | {changed: "other"})
    assert key(one) != key(other)


def test_neither_place_nor_version_counts(tmp_path):
    one = model(tmp_path / "one", FILES)
    shutil.copytree(tmp_path / "one" / "m" / "1", tmp_path / "one" / "m" / "2")
    assert key(max(repository.scan(tmp_path / "one"))) == key(one)
    assert key(model(tmp_path / "other", FILES)) == key(one)
    single = model(tmp_path / "a", {"x.keras": "a"})
    assert key(single) == key(model(tmp_path / "b", {"y.keras": "a"}))


def test_libraries_and_processor_count(tmp_path, monkeypatch):
    one = model(tmp_path, FILES)
    before = key(one)
    monkeypatch.setattr(caches, "features", lambda: ("z80",))
    other = key(one)
    monkeypatch.setattr(caches, "installed", lambda name: "1")
    assert len({before, other, key(one)}) == 3


@pytest.mark.parametrize(
    ("made", "here", "found"),
    [
        ({"keras": "3", "tensorflow": "2"}, {"keras": "3", "tensorflow": "2"}, True),
        ({"keras": "3", "tensorflow": "2"}, {"keras": "3", "tensorflow": "3"}, False),
        ({"keras": "3", "tensorflow": None}, {"keras": "3", "tensorflow": "2"}, False),
        ({"keras": "3", "tensorflow": "2"}, {"keras": "3", "tensorflow": None}, True),
    ],
)
def test_what_other_versions_made_is_made_anew(
    tmp_path, monkeypatch, made, here, found
):
    """Made with TensorFlow it serves where that is not installed; not the reverse."""
    monkeypatch.setattr(caches, "libraries", lambda: tuple(made.items()))
    kept(Cache(tmp_path), "key")
    monkeypatch.setattr(caches, "libraries", lambda: tuple(here.items()))
    assert bool(Cache(tmp_path).find("key")) == found


@pytest.mark.parametrize(
    ("name", "known"), [("openvino", True), ("tensorflow", True), ("nonesuch", False)]
)
def test_what_is_installed_has_a_version(name, known):
    assert bool(caches.installed(name)) == known


def test_a_library_without_a_distribution_is_still_one():
    assert caches.installed("hiding") == "unknown"
