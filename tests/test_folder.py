"""models/ on disk: names, versions, cards, hashes."""

import hashlib
import re

import pytest

from facenality.registry import repository


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
        "five/model.py",
        "six/3/saved_model/saved_model.pb",
        "seven/model.py",
        "seven/model.keras",
        "eight/1/saved_model.pb",
        "nine/saved_model.pb",
        "ten/0001/saved_model.pb",
        "eleven/1700000000/saved_model.pb",
        "twelve/best.KERAS",
        "thirteen/unet.hdf5",
        "fourteen/keras_model.h5",
        "fourteen/labels.txt",
        "FIFTEEN.H5",
        "sixteen/model.json",
        "sixteen/net.weights.h5",
    )
    found = [(f.name, f.version) for f in repository.scan(tmp_path)]
    assert found == [
        ("FIFTEEN", 1),
        ("eight", 1),
        ("eleven", 1700000000),
        ("five", 1),
        ("four", 1),
        ("four", 2),
        ("four", 12),
        ("fourteen", 1),
        ("nine", 1),
        ("one", 1),
        ("seven", 1),
        ("six", 3),
        ("sixteen", 1),
        ("ten", 1),
        ("thirteen", 1),
        ("three", 1),
        ("twelve", 1),
        ("two", 1),
    ]


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        (["a b.keras"], "has a name that cannot stand in a URL; .* to a-b.keras"),
        (["a b/model.keras"], "rename it to a-b$"),
        (["net.tflite"], "TensorFlow Lite"),
        (["net.onnx"], "onnxruntime"),
        (["net.zip"], "unpack it"),
        (["net.weights.h5"], r"save the whole model with model.save\('model.keras'\)"),
        (["notes.csv"], "the files that are served are .keras and .h5"),
        (["labels.txt"], "move it into the folder of its model"),
        (["custom.py"], "move it into the folder of its model"),
        (["m/readme.txt"], "has no model inside: put model.keras"),
        (["m/a.keras", "m/b.h5"], r"several model files \(a.keras, b.h5\)"),
        (["m/x/model.keras"], "has no model inside"),
        (["m/0/model.keras"], "has no model inside"),
        (["m/net.tflite"], "net.tflite is TensorFlow Lite"),
        (["m/net.weights.h5"], "weights without their model"),
        (["m/model.json", "m/a.weights.h5", "m/b.weights.h5"], "a.weights.h5, b"),
        (["m/variables/x"], "no saved_model.pb: copy the whole folder"),
        (["m.keras", "m/model.keras"], "is a second model m"),
    ],
)
def test_what_is_not_served_is_named_with_its_fix(tmp_path, files, sentence):
    touch(tmp_path, *files)
    _, ignored = repository.scan_all(tmp_path)
    assert len(ignored) == 1
    assert re.search(sentence, *ignored.values())


def test_documents_and_hidden_files_are_nobodys_model(tmp_path):
    touch(tmp_path, "README.md", ".hidden.keras", ".git/HEAD")
    assert repository.scan_all(tmp_path) == ([], {})


def test_a_version_that_is_still_being_copied_is_not_served(tmp_path):
    touch(tmp_path, "m/1/saved_model.pb", "m/2/variables/x", "m/3/readme.txt")
    found, ignored = repository.scan_all(tmp_path)
    assert [(one.name, one.version) for one in found] == [("m", 1)]
    assert not ignored


def test_a_card_alone_is_a_model_where_it_lives_elsewhere(tmp_path):
    touch(tmp_path, "local/model.toml", "real/model.toml", "real/1/model.keras")
    for place in ("named", "engine", "pinned/2", "pinned/3"):
        (tmp_path / place).mkdir(parents=True)
    (tmp_path / "named" / "model.toml").write_text("[tf_serving]\nname = 'x'\n")
    (tmp_path / "engine" / "model.toml").write_text("engine = 'tf-serving'\n")
    for version in ("2", "3"):
        card = tmp_path / "pinned" / version / "model.toml"
        card.write_text("engine = 'tf-serving'\n")
    here = [(f.name, f.version, f.is_card) for f in repository.scan(tmp_path)]
    assert here == [
        ("engine", 1, True),
        ("named", 1, True),
        ("pinned", 2, True),
        ("pinned", 3, True),
        ("real", 1, False),
    ]
    elsewhere = repository.scan(tmp_path, cards=True)
    assert ("local", 1) in [(f.name, f.version) for f in elsewhere]
    assert [f.numbered for f in elsewhere if f.name in ("named", "pinned")] == [
        False,
        True,
        True,
    ]


def test_a_cards_hash_is_its_text(tmp_path):
    (tmp_path / "there").mkdir()
    card = tmp_path / "there" / "model.toml"
    card.write_bytes(b"[tf_serving]")
    (found,) = repository.scan(tmp_path)
    assert repository.sha256(found.file) == hashlib.sha256(b"[tf_serving]").hexdigest()


def test_a_version_folders_own_files_win(tmp_path):
    touch(
        tmp_path, "m/1/model.keras", "m/2/model.keras", "m/model.toml", "m/2/model.toml"
    )
    first, second = repository.scan(tmp_path)
    assert first.beside("model.toml") == tmp_path / "m/model.toml"
    assert second.beside("model.toml") == tmp_path / "m/2/model.toml"
    assert first.beside("labels.txt") is None
    assert first.sample() is None


def test_a_single_file_has_no_card(tmp_path):
    touch(tmp_path, "one.keras", "model.toml")
    assert repository.scan(tmp_path)[0].beside("model.toml") is None


def test_the_hash_is_the_contents(tmp_path):
    (tmp_path / "m.keras").write_bytes(b"abc")
    expected = hashlib.sha256(b"abc").hexdigest()
    assert repository.sha256(tmp_path / "m.keras") == expected


def test_a_model_py_comes_before_the_files_it_loads(tmp_path):
    touch(tmp_path, "m/model.keras", "m/model.py")
    assert repository.scan(tmp_path)[0].file.name == "model.py"


def fingerprint(tmp_path):
    return repository.scan(tmp_path)[0].fingerprint


def test_a_fingerprint_changes_with_the_files_that_count(tmp_path):
    touch(tmp_path, "m/1/model.keras", "m/model.toml", "m/1/README.md")
    before = fingerprint(tmp_path)
    (tmp_path / "m/1/README.md").write_text("new")
    assert fingerprint(tmp_path) == before
    for name in ("m/1/model.keras", "m/model.toml", "m/1/labels.txt", "m/custom.py"):
        (tmp_path / name).write_text("new")
        assert fingerprint(tmp_path) != before
        before = fingerprint(tmp_path)


def test_a_model_of_many_files_is_known_by_all_of_them(tmp_path):
    touch(tmp_path, "m/1/saved_model/saved_model.pb", "m/1/saved_model/variables/v")
    model = repository.scan(tmp_path)[0].file
    print_, hash_ = fingerprint(tmp_path), repository.sha256(model)
    (tmp_path / "m/1/saved_model/variables/v").write_text("new")
    assert fingerprint(tmp_path) != print_
    assert repository.sha256(model) != hash_


def test_a_file_that_goes_while_it_is_looked_at_is_left_out(tmp_path):
    touch(tmp_path, "m/model.keras")
    (tmp_path / "m" / "gone.txt").symlink_to("nowhere")
    assert len(fingerprint(tmp_path)) == 1
