"""Cards: what is written wins, what is open is inferred with a reason."""

import pytest

from facenality import card
from facenality.card import Card, Facts
from facenality.errors import ModelNotLoaded


def facts(**more) -> Facts:
    known = {
        "input_shape": (32, 24, 3),
        "input_dtype": "float32",
        "output_shape": (2,),
        "activation": "softmax",
        "rescales": False,
    }
    return Facts(**(known | more))


def read(tmp_path, text: str) -> Card:
    file = tmp_path / "model.toml"
    file.write_text(text)
    return card.read(file)


def test_no_card_is_an_empty_card(tmp_path):
    assert card.read(tmp_path / "model.toml") == Card()


def test_everything_is_inferred_with_its_reason(tmp_path):
    recipe = card.complete(Card(), facts(), tmp_path)
    assert recipe.task == "image-classification"
    assert recipe.output == "probability"
    assert recipe.labels == ("0", "1")
    assert recipe.image == card.ImageSpec("RGB", 32, 24, "bilinear", "stretch", "unit")
    reasons = " | ".join(recipe.inferred)
    for word in ("task", "output", "labels", "size", "mode", "preprocess"):
        assert word in reasons


def test_a_complete_card_leaves_nothing_to_infer(tmp_path):
    written = read(
        tmp_path,
        'task = "image-classification"\nlabels = ["a", "b"]\noutput = "score"\n'
        'preprocess = "tf"\n[image]\nmode = "RGB"\nsize = [32, 24]\n'
        'resize = "lanczos"\nfit = "crop"\n',
    )
    recipe = card.complete(written, facts(), tmp_path)
    assert recipe.inferred == ()
    assert recipe.output == "score"
    assert recipe.image == card.ImageSpec("RGB", 32, 24, "lanczos", "crop", "tf")


@pytest.mark.parametrize(
    ("more", "attribute", "expected"),
    [
        ({"activation": "sigmoid"}, "output", "probability"),
        ({"activation": "linear"}, "output", "score"),
        ({"input_shape": (7,)}, "task", "tensor"),
        ({"input_shape": (8, 8, 5)}, "task", "tensor"),
        ({"output_shape": (4, 4)}, "task", "tensor"),
        ({"input_shape": (7,)}, "output", "value"),
        ({"input_shape": (7,)}, "labels", ()),
    ],
)
def test_inference_follows_the_model(tmp_path, more, attribute, expected):
    assert (
        getattr(card.complete(Card(), facts(**more), tmp_path), attribute) == expected
    )


def test_a_rescaling_layer_means_no_preprocessing(tmp_path):
    recipe = card.complete(Card(), facts(rescales=True), tmp_path)
    assert recipe.image.preprocess == "none"


def test_one_channel_is_grey(tmp_path):
    recipe = card.complete(Card(), facts(input_shape=(8, 8, 1)), tmp_path)
    assert recipe.image.mode == "L"


def test_labels_are_read_from_the_file_beside_the_model(tmp_path):
    (tmp_path / "labels.txt").write_text("cat\ndog\n\n")
    assert card.complete(Card(), facts(), tmp_path).labels == ("cat", "dog")
    (tmp_path / "other.txt").write_text("hund\nkatze\n")
    written = Card(labels="other.txt")
    assert card.complete(written, facts(), tmp_path).labels == ("hund", "katze")


def test_one_output_may_have_two_labels(tmp_path):
    written = Card(labels=("cat", "dog"))
    assert card.complete(written, facts(output_shape=(1,)), tmp_path).labels == (
        "cat",
        "dog",
    )


def test_an_image_of_any_size_takes_the_cards(tmp_path):
    any_size = facts(input_shape=(None, None, 3))
    written = read(tmp_path, "[image]\nsize = [64, 48]\n")
    image = card.complete(written, any_size, tmp_path).image
    assert (image.height, image.width) == (64, 48)


@pytest.mark.parametrize(
    ("text", "more", "sentence"),
    [
        ("", {"input_shape": (None, None, 3)}, "set .image. size"),
        ("[image]\nsize = [16, 16]", {}, "but the model takes"),
        ("[image]\nsize = [0, 0]", {"input_shape": (None, None, 3)}, "set .image."),
        ('[image]\nmode = "L"', {}, "the model takes 3"),
        ('labels = ["one"]', {}, "1 labels for 2 outputs"),
        ('labels = "gone.txt"', {}, "no file gone.txt"),
        ('task = "image-regression"', {"input_shape": (7,)}, "set task = 'tensor'"),
        ('task = "image-classification"', {"output_shape": ()}, "no fixed length"),
        ('preprocess = "caffe"', {"input_shape": (8, 8, 1)}, "needs .image. mode"),
    ],
)
def test_a_contradiction_says_how_to_mend_it(tmp_path, text, more, sentence):
    with pytest.raises(ModelNotLoaded, match=sentence):
        card.complete(read(tmp_path, text), facts(**more), tmp_path)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("task = ", "not TOML"),
        ('task = "dance"', "model.toml, task: .*image-classification"),
        ('lables = ["a"]', "model.toml, lables: "),
        ("[image]\nsize = [1]", "model.toml, image.size"),
        ("max_batch_size = 0", "max_batch_size"),
    ],
)
def test_a_card_with_a_mistake_names_the_key(tmp_path, text, sentence):
    with pytest.raises(ModelNotLoaded, match=sentence):
        read(tmp_path, text)


def test_files_that_are_not_utf8_are_named(tmp_path):
    (tmp_path / "model.toml").write_bytes(b"\xff")
    with pytest.raises(ModelNotLoaded, match="not TOML"):
        card.read(tmp_path / "model.toml")
    (tmp_path / "labels.txt").write_bytes(b"\xff\n")
    with pytest.raises(ModelNotLoaded, match="not UTF-8"):
        card.complete(Card(), facts(), tmp_path)
