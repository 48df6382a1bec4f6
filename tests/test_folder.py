"""models/ on disk: names, versions, cards, hashes."""

import hashlib

from facenality import folder


def touch(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"")


def test_every_layout_of_the_contract_is_found(tmp_path):
    touch(
        tmp_path,
        "one.keras",
        "two.h5",
        "three/model.keras",
        "four/1/model.keras",
        "four/12/model.h5",
        "four/2/model.keras",
    )
    found = [(f.name, f.version) for f in folder.find(tmp_path)]
    assert found == [
        ("four", 1),
        ("four", 2),
        ("four", 12),
        ("one", 1),
        ("three", 1),
        ("two", 1),
    ]


def test_what_is_no_model_is_left_alone(tmp_path):
    touch(
        tmp_path,
        "README.md",
        ".hidden.keras",
        "a b.keras",
        "empty/readme.txt",
        "v/01/model.keras",
        "v/x/model.keras",
        "v/0/model.keras",
    )
    assert folder.find(tmp_path) == []


def test_a_version_folders_own_files_win(tmp_path):
    touch(
        tmp_path, "m/1/model.keras", "m/2/model.keras", "m/model.toml", "m/2/model.toml"
    )
    first, second = folder.find(tmp_path)
    assert first.beside("model.toml") == tmp_path / "m/model.toml"
    assert second.beside("model.toml") == tmp_path / "m/2/model.toml"
    assert first.beside("labels.txt") is None
    assert first.sample() is None


def test_a_single_file_has_no_card(tmp_path):
    touch(tmp_path, "one.keras", "model.toml")
    assert folder.find(tmp_path)[0].beside("model.toml") is None


def test_the_hash_is_the_contents(tmp_path):
    (tmp_path / "m.keras").write_bytes(b"abc")
    expected = hashlib.sha256(b"abc").hexdigest()
    assert folder.sha256(tmp_path / "m.keras") == expected
