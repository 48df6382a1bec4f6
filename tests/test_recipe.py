"""Cards and recipes: what is written wins, the rest is inferred with a reason."""

from dataclasses import replace

import pytest

from facenality.errors import ModelLoadFailed
from facenality.registry import card, repository
from facenality.registry.card import Card
from facenality.registry.infer_config import complete
from facenality.spec import ImageSpec, ModelSpec, TensorSpec


def facts(
    *inputs, output_shape=(2,), activation="softmax", rescales=False, dtype="float32"
) -> ModelSpec:
    """A model of one image, unless other input shapes are given."""
    shapes = inputs or ((32, 24, 3),)
    return ModelSpec(
        tuple(TensorSpec(f"in{i}", shape, dtype) for i, shape in enumerate(shapes)),
        () if output_shape is None else (TensorSpec("out", output_shape, "float32"),),
        activation,
        rescales,
    )


def read(tmp_path, text: str) -> Card:
    file = tmp_path / "model.toml"
    file.write_text(text)
    return card.read(file)


def test_no_card_is_an_empty_card(tmp_path):
    assert card.read(None) == Card()


def test_everything_is_inferred_with_its_reason(tmp_path):
    recipe = complete(Card(), facts(), tmp_path)
    assert recipe.task == "image-classification"
    assert recipe.output == "probability"
    assert recipe.labels == ("0", "1")
    assert recipe.image == ImageSpec("RGB", 32, 24, "bilinear", "stretch", "unit")
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
    recipe = complete(written, facts(), tmp_path)
    assert recipe.inferred == ()
    assert recipe.output == "score"
    assert recipe.image == ImageSpec("RGB", 32, 24, "lanczos", "crop", "tf")


@pytest.mark.parametrize(
    ("model", "attribute", "expected"),
    [
        (facts(activation="sigmoid"), "output", "probability"),
        (facts(activation="linear"), "output", "score"),
        (facts((7,)), "task", "tensor"),
        (facts((8, 8, 5)), "task", "tensor"),
        (facts(output_shape=(4, 4)), "task", "tensor"),
        (facts((8, 8, 3), (8, 8, 3)), "task", "tensor"),
        (facts((7,)), "output", "value"),
        (facts((7,)), "labels", ()),
        (facts((1,), dtype="string"), "task", "text-classification"),
        (facts((), dtype="string"), "output", "probability"),
        (facts((3, 32, 24)), "task", "image-classification"),
    ],
)
def test_inference_follows_the_model(tmp_path, model, attribute, expected):
    assert getattr(complete(Card(), model, tmp_path), attribute) == expected


def test_channels_first_is_found_and_said(tmp_path):
    recipe = complete(Card(), facts((3, 32, 24)), tmp_path)
    assert recipe.image == ImageSpec(
        "RGB", 32, 24, "bilinear", "stretch", "unit", channels_first=True
    )
    assert "channels first" in " ".join(recipe.inferred)


def test_a_model_py_takes_its_cards_word(tmp_path):
    unknown = facts(None, output_shape=None)
    with pytest.raises(ModelLoadFailed, match="needs a model.toml with its task"):
        complete(Card(), unknown, tmp_path)
    written = read(
        tmp_path,
        'task = "image-classification"\nlabels = ["a", "b", "c"]\n'
        '[image]\nsize = [8, 8]\nmode = "L"\n',
    )
    recipe = complete(written, unknown, tmp_path)
    assert recipe.labels == ("a", "b", "c")
    assert (recipe.image.height, recipe.image.mode) == (8, "L")
    with pytest.raises(ModelLoadFailed, match="no row of scores"):
        complete(Card(task="text-classification"), unknown, tmp_path)


def test_a_rescaling_layer_means_no_preprocessing(tmp_path):
    recipe = complete(Card(), facts(rescales=True), tmp_path)
    assert recipe.image.preprocess == "none"


def test_a_model_of_whole_numbers_gets_levels(tmp_path):
    recipe = complete(Card(), facts((8, 8, 3), dtype="uint8"), tmp_path)
    assert recipe.image.preprocess == "none"
    with pytest.raises(ModelLoadFailed, match="makes fractions.*preprocess = 'none'"):
        complete(Card(preprocess="tf"), facts((8, 8, 3), dtype="uint8"), tmp_path)


def test_one_channel_is_grey(tmp_path):
    recipe = complete(Card(), facts((8, 8, 1)), tmp_path)
    assert recipe.image.mode == "L"


def test_labels_are_read_from_the_file_beside_the_model(tmp_path):
    (tmp_path / "labels.txt").write_text("cat\ndog\n\n")
    assert complete(Card(), facts(), tmp_path).labels == ("cat", "dog")
    (tmp_path / "other.txt").write_text("hund\nkatze\n")
    written = Card(labels="other.txt")
    assert complete(written, facts(), tmp_path).labels == ("hund", "katze")


@pytest.mark.parametrize(
    ("name", "text", "labels"),
    [
        ("labels.txt", "0 cat\n1 big dog\n", ("cat", "big dog")),
        ("labels.txt", "0,cat\n1,dog\n", ("cat", "dog")),
        ("labels.txt", "0: cat\r\n1: dog\r\n", ("cat", "dog")),
        ("labels.txt", "0\tcat\n1\tdog\n", ("cat", "dog")),
        ("labels.txt", "\ufeffcat\ndog\n", ("cat", "dog")),
        ("labels.txt", "\ufeff0 cat\n1 dog\n", ("cat", "dog")),
        ("labels.txt", "1 cat\n0 dog\n", ("1 cat", "0 dog")),  # not in order
        ("labels.txt", "0 cat\ndog\n", ("0 cat", "dog")),  # not all
        ("labels.txt", "0\n1\n", ("0", "1")),
        ("class_names.json", '["cat", "dog"]', ("cat", "dog")),
        ("class_names.json", '{"1": "dog", "0": "cat"}', ("cat", "dog")),
        ("class_indices.json", '{"dog": 1, "cat": 0}', ("cat", "dog")),
    ],
)
def test_labels_are_read_as_people_write_them(tmp_path, name, text, labels):
    (tmp_path / name).write_bytes(text.encode())
    recipe = complete(Card(), facts(), tmp_path)
    assert recipe.labels == labels
    assert f"labels from {name}" in recipe.inferred


@pytest.mark.parametrize(
    "text", ['{"cat": 0, "dog": 5}', "[1, 2]", '{"cat": [0]}', "{", '{"a": "cat"}']
)
def test_a_table_of_labels_that_is_none_says_what_it_must_be(tmp_path, text):
    (tmp_path / "class_indices.json").write_text(text)
    with pytest.raises(ModelLoadFailed, match="class_indices.json must be a list"):
        complete(Card(), facts(), tmp_path)


def test_labels_among_the_files_of_several_models_belong_to_none(tmp_path):
    (tmp_path / "labels.txt").write_text("cat\ndog\n")
    (tmp_path / "one.keras").write_bytes(b"")
    (found,) = repository.scan(tmp_path)
    assert complete(Card(), facts(), found.labels_folder()).labels == ("0", "1")


@pytest.mark.parametrize(
    ("units", "activation", "by"),
    [
        (3, "linear", "softmax"),
        (1, "linear", "sigmoid"),
        (3, "softmax", None),
        (3, "custom", None),
        (3, "not told by TensorFlow Serving", None),
    ],
)
def test_logits_become_the_probabilities_that_the_card_asks_for(
    tmp_path, units, activation, by
):
    written = Card(output="probability", task="image-classification")
    model = facts(output_shape=(units,), activation=activation)
    assert complete(written, model, tmp_path).probability_by == by


def test_what_is_neither_logit_nor_probability_is_refused_as_one(tmp_path):
    written = Card(output="probability")
    with pytest.raises(ModelLoadFailed, match="relu.*set output = 'score'"):
        complete(written, facts(activation="relu"), tmp_path)


def test_one_linear_unit_is_a_regression(tmp_path):
    model = facts(output_shape=(1,), activation="linear")
    recipe = complete(Card(), model, tmp_path)
    assert (recipe.task, recipe.output) == ("image-regression", "value")
    texts = facts((), output_shape=(1,), activation="linear", dtype="string")
    assert complete(Card(), texts, tmp_path).output == "value"


def test_one_linear_unit_with_two_labels_is_the_logit_of_the_second(tmp_path):
    (tmp_path / "labels.txt").write_text("cat\ndog\n")
    model = facts(output_shape=(1,), activation="linear")
    recipe = complete(Card(), model, tmp_path)
    assert (recipe.task, recipe.output) == ("image-classification", "probability")
    assert recipe.probability_by == "sigmoid"
    assert "a guess" in " ".join(recipe.inferred)


def test_teachable_machine_takes_pixels_around_zero(tmp_path):
    (tmp_path / "keras_model.h5").write_bytes(b"")
    (tmp_path / "labels.txt").write_text("0 Class 1\n1 Class 2\n")
    recipe = complete(Card(), facts(), tmp_path)
    assert recipe.image.preprocess == "tf"
    assert recipe.labels == ("Class 1", "Class 2")


def test_strings_of_a_model_of_pictures_are_encoded_pictures(tmp_path):
    """A server elsewhere tells their dtype and no more; the card says the task."""
    written = Card(task="image-classification")
    recipe = complete(written, facts((), dtype="string"), tmp_path)
    assert recipe.image.encoded
    decoding = replace(facts((), dtype="string"), decodes_pictures=True)
    assert complete(Card(), decoding, tmp_path).image == recipe.image


def test_a_square_of_numbers_is_a_grey_picture(tmp_path):
    recipe = complete(Card(), facts((28, 28)), tmp_path)
    assert recipe.task == "image-classification"
    assert recipe.image.shape == (28, 28)
    assert complete(Card(), facts((28, 5)), tmp_path).task == "tensor"
    assert complete(Card(), facts((4, 4)), tmp_path).task == "tensor"


def test_one_output_may_have_two_labels(tmp_path):
    written = Card(labels=("cat", "dog"))
    assert complete(written, facts(output_shape=(1,)), tmp_path).labels == (
        "cat",
        "dog",
    )


def test_an_image_of_any_size_takes_the_cards(tmp_path):
    any_size = facts((None, None, 3))
    written = read(tmp_path, "[image]\nsize = [64, 48]\n")
    image = complete(written, any_size, tmp_path).image
    assert (image.height, image.width) == (64, 48)


@pytest.mark.parametrize(
    ("text", "model", "sentence"),
    [
        ("", facts((None, 24, 3)), "set .image. size"),
        ("[image]\nsize = [16, 16]", facts(), "but the model takes"),
        ("[image]\nsize = [0, 0]", facts((None, None, 3)), "set .image."),
        ('[image]\nmode = "L"', facts(), "the model takes 3"),
        ('labels = ["one"]', facts(), "1 labels for 2 outputs"),
        ('labels = "gone.txt"', facts(), "no file gone.txt"),
        ('task = "image-regression"', facts((7,)), "set task = 'tensor'"),
        (
            'task = "image-regression"',
            facts((8, 8, 3), (8, 8, 3)),
            "set task = 'tensor'",
        ),
        ('task = "image-classification"', facts(output_shape=()), "no row of scores"),
        ('preprocess = "caffe"', facts((8, 8, 1)), "needs .image. mode"),
    ],
)
def test_a_contradiction_says_how_to_mend_it(tmp_path, text, model, sentence):
    with pytest.raises(ModelLoadFailed, match=sentence):
        complete(read(tmp_path, text), model, tmp_path)


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
    with pytest.raises(ModelLoadFailed, match=sentence):
        read(tmp_path, text)


def test_a_card_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "model.toml").mkdir()
    with pytest.raises(ModelLoadFailed, match="cannot be read"):
        card.read(tmp_path / "model.toml")


def test_files_that_are_not_utf8_are_named(tmp_path):
    (tmp_path / "model.toml").write_bytes(b"\xff")
    with pytest.raises(ModelLoadFailed, match="not TOML"):
        card.read(tmp_path / "model.toml")
    (tmp_path / "labels.txt").write_bytes(b"\xff\n")
    with pytest.raises(ModelLoadFailed, match="not UTF-8"):
        complete(Card(), facts(), tmp_path)
