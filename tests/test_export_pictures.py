"""`app.py export --with-decoding`: pictures in, labels out, as /predict has them."""

import io
import json
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import sklearn
import tensorflow as tf
from PIL import Image

import made
from facenality import images
from facenality.engines import orientation, picture_graph, saving
from facenality.exporting import comparing, photograph
from facenality.main import main
from facenality.preprocessing import SCALES
from facenality.recipe import ImageSpec, Recipe
from facenality.tasks.describing import ranked
from facenality.vetting import vet
from serving import ROOT

PHOTOGRAPHS = Path(sklearn.__file__).parent / "datasets" / "images"
CHINA = (PHOTOGRAPHS / "china.jpg").read_bytes()
FLOWER = (PHOTOGRAPHS / "flower.jpg").read_bytes()
FITS = ("stretch", "crop", "pad")
RESIZES = ("bilinear", "nearest", "bicubic", "lanczos")


def inside(data: bytes, spec: ImageSpec) -> np.ndarray:
    """The instance that the graph makes, as it is saved: a traced function."""
    function = tf.function(lambda one: picture_graph.batch(one, spec), autograph=False)
    signature = tf.TensorSpec((None,), tf.string)
    return function.get_concrete_function(signature)(tf.constant([data]))[0].numpy()


def saved(picture: Image.Image, form: str, **how) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, form, **how)
    return stream.getvalue()


def turned(value: int, form: str = "JPEG") -> bytes:
    exif = Image.Exif()
    exif[0x010F] = "a maker, so that the tag is not the first"
    exif[0x0112] = value
    return saved(Image.open(io.BytesIO(FLOWER)), form, exif=exif)


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("resize", RESIZES)
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_pixels_are_close_to_ours(fit, resize, mode):
    """Half a grey level in the mean, for a photograph as large as it is read whole."""
    spec = ImageSpec(mode, 300, 350, resize, fit, "none")
    for data in (CHINA, FLOWER):
        ours, theirs = images.decode(data, spec), inside(data, spec)
        assert theirs.shape == (300, 350, len(mode))
        assert theirs.std() > 20
        assert np.abs(ours - theirs).mean() <= 0.5
        assert np.abs(ours - theirs).max() <= (0 if resize == "nearest" else 16)


@pytest.mark.parametrize("fit", FITS)
def test_nearest_takes_the_very_same_pixels(fit):
    rng = np.random.default_rng(0)
    for height, width in ((97, 41), (24, 24), (10, 60), (240, 120)):
        noise = rng.integers(0, 256, (height, width, 3)).astype(np.uint8)
        data = saved(Image.fromarray(noise), "PNG")
        for size in ((24, 24), (30, 17)):
            spec = ImageSpec("RGB", *size, "nearest", fit, "none")
            assert (inside(data, spec) == images.decode(data, spec)).all()


@pytest.mark.parametrize("preprocess", list(SCALES))
@pytest.mark.parametrize("channels_first", [False, True])
def test_numbers_are_scaled_as_ours(preprocess, channels_first):
    """A picture of the model's size, so that nothing but scaling is compared."""
    noise = np.random.default_rng(0).integers(0, 256, (9, 7, 3)).astype(np.uint8)
    data = saved(Image.fromarray(noise), "PNG")
    spec = ImageSpec("RGB", 9, 7, "bilinear", "crop", preprocess, channels_first)
    ours = images.decode(data, spec)
    assert ours.shape == spec.shape
    np.testing.assert_allclose(inside(data, spec), ours, rtol=1e-6, atol=1e-6)


GLASS = np.random.default_rng(0).integers(0, 256, (16, 16, 4)).astype(np.uint8)
PLAIN = {
    "png": saved(Image.fromarray(GLASS[..., :3]), "PNG"),
    "transparent png": saved(Image.fromarray(GLASS), "PNG"),
    "grey png": saved(Image.fromarray(GLASS[..., 0]), "PNG"),
    "transparent grey png": saved(Image.fromarray(GLASS).convert("LA"), "PNG"),
    "palette png": saved(Image.fromarray(GLASS[..., :3]).convert("P"), "PNG"),
    "bits": saved(Image.fromarray(GLASS[..., 0]).convert("1"), "PNG"),
    "few colours": saved(
        Image.fromarray(GLASS[..., :3]).convert("P", palette=1, colors=7), "PNG", bits=4
    ),
    "few colours and glass": saved(
        Image.fromarray(GLASS[..., :3]).convert("P", palette=1, colors=7),
        "PNG",
        bits=4,
        transparency=bytes([255, 0, 100, 255, 255, 30, 255]),
    ),
    "gif": saved(Image.fromarray(GLASS[..., :3]).convert("P"), "GIF"),
    "bmp": saved(Image.fromarray(GLASS[..., :3]), "BMP"),
    "grey jpeg": saved(Image.fromarray(GLASS[..., 0]), "JPEG"),
    "print jpeg": saved(Image.fromarray(GLASS[..., :3]).convert("CMYK"), "JPEG"),
    "progressive jpeg": saved(
        Image.fromarray(GLASS[..., :3]), "JPEG", progressive=True
    ),
}


@pytest.mark.parametrize("kind", PLAIN)
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_every_kind_of_file_has_the_same_pixels(kind, mode):
    spec = ImageSpec(mode, 16, 16, "nearest", "stretch", "none")
    ours = images.decode(PLAIN[kind], spec)
    assert np.abs(inside(PLAIN[kind], spec) - ours).max() <= (
        2 if "print" in kind else 1
    )


@pytest.mark.parametrize("form", ["JPEG", "PNG"])
@pytest.mark.parametrize("value", range(1, 9))
def test_a_picture_on_its_side_is_turned(value, form):
    data = turned(value, form)
    assert orientation.read(tf.constant(data)).numpy() == value
    spec = ImageSpec("RGB", 200, 150, "bilinear", "pad", "none")
    assert np.abs(inside(data, spec) - images.decode(data, spec)).mean() <= 0.6


@pytest.mark.parametrize("data", [b"", b"\xff\xd8\xff", CHINA, b"\x12\x01\x03" * 2000])
def test_nothing_is_turned_where_nothing_says_so(data):
    assert orientation.read(tf.constant(data)).numpy() == 0


def test_the_made_photograph_says_which_way_is_up():
    data = photograph.on_its_side(saving.jpeg(photograph.pixels()))
    assert images.upright_size(data) == (photograph.HEIGHT, photograph.WIDTH)


def described(scores, labels, output, task="image-classification"):
    recipe = Recipe(task, labels, output, None, ())
    answers = picture_graph.answers(tf.constant(scores), recipe)
    (number,) = answers.keys() - {"labels"}
    return number, [
        [(label.decode(), value) for label, value in zip(*row, strict=True)]
        for row in zip(answers["labels"].numpy(), answers[number].numpy(), strict=True)
    ]


def test_the_five_best_are_answered_best_first_ties_in_the_order_of_the_labels():
    scores = np.array([[3, 1, 2, 3, 0, 1, -1]], "float32")
    number, rows = described(scores, tuple("abcdefg"), "score")
    expected = ranked(scores[0], tuple("abcdefg"), "score", 5)
    assert number == "scores"
    assert rows[0] == [(one["label"], one["score"]) for one in expected]


def test_one_sigmoid_answers_both_labels():
    number, rows = described(
        np.array([[0.75], [0.1]], "float32"), ("n", "y"), "probability"
    )
    assert number == "probabilities"
    assert [[label for label, _ in row] for row in rows] == [["y", "n"], ["n", "y"]]
    assert rows[0] == [("y", 0.75), ("n", 0.25)]


def test_values_keep_the_models_order():
    scores = np.array([[1.0, 5.0, -2.0]], "float32")
    number, rows = described(scores, tuple("abc"), "value", "image-regression")
    assert (number, rows) == ("values", [[("a", 1), ("b", 5), ("c", -2)]])


ASK = """
import sys, json
import numpy as np
import tensorflow as tf
served = tf.saved_model.load(sys.argv[1]).signatures["serving_default"]
files = [open(file, "rb").read() for file in sys.argv[2:]]
answers = served(image_bytes=tf.constant(files))
labels = [[one.decode() for one in row] for row in answers.pop("labels").numpy()]
((name, numbers),) = answers.items()
print(json.dumps({"labels": labels, name: numbers.numpy().tolist()}))
"""


def asked(folder: Path, *files: Path) -> dict:
    """What a process answers that has never seen the model, only what was written."""
    done = subprocess.run(
        [sys.executable, "-c", ASK, folder, *files],
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def export(models: Path, out: Path, *flags: str) -> int:
    options = ("--models-dir", str(models), "--with-decoding", *flags)
    return main(["export", str(out), *options])


def test_a_drawn_and_a_photographed_digit_are_read(tmp_path, capsys):
    assert export(ROOT / "models", tmp_path / "out", "--model", "digits") == 0
    told = capsys.readouterr().out
    assert "in   image_bytes: string [N]" in told
    assert "out  probabilities: float32 [N, 5]" in told
    assert "in   picture: float32 [N, 32, 32, 1]" in told
    assert 'signature = "tensors"' in told
    vet(tmp_path / "out" / "1")  # it only computes, and may come back to us
    examples = ROOT / "models" / "digits" / "examples"
    files = [examples / name for name in ("4.jpg", "5.jpg", "8.png")]
    answers = asked(tmp_path / "out" / "1", *files)
    assert [row[0] for row in answers["labels"]] == ["4", "5", "8"]
    best = [row[0] for row in answers["probabilities"]]
    assert min(best) > 0.9


def with_photographs(models: Path, network: keras.Model, toml: str) -> Path:
    """A model whose examples are the real photographs, so that they are compared."""
    folder = models / "m"
    (folder / "examples").mkdir(parents=True)
    (folder / "examples" / "china.jpg").write_bytes(CHINA)
    (folder / "examples" / "flower.jpg").write_bytes(FLOWER)
    network.save(folder / "model.keras")
    (folder / "model.toml").write_text(toml)
    return folder


def eyes(shape: tuple[int, int, int]) -> keras.Model:
    """Four numbers that see colour and place: a softmax over quarters' means."""
    inputs = hidden = keras.Input(shape, name="image")
    if shape[0] == 3:
        hidden = keras.layers.Permute((2, 3, 1))(inputs)
    side = max(shape) // 2
    hidden = keras.layers.AveragePooling2D(side)(hidden)
    hidden = keras.layers.Flatten()(hidden)
    network = keras.Model(inputs, keras.layers.Dense(4, activation="softmax")(hidden))
    rng = np.random.default_rng(5)
    kernel, bias = network.layers[-1].get_weights()
    network.layers[-1].set_weights([rng.normal(0, 0.5, kernel.shape), bias])
    return network


@pytest.mark.parametrize("preprocess", ["unit", "tf", "torch"])
@pytest.mark.parametrize("fit", FITS)
def test_real_photographs_are_answered_as_here(preprocess, fit, tmp_path, capsys):
    toml = f'preprocess = "{preprocess}"\n[image]\nfit = "{fit}"\n'
    with_photographs(tmp_path / "models", eyes((96, 96, 3)), toml)
    assert export(tmp_path / "models", tmp_path / "out") == 0
    assert "(china.jpg, flower.jpg, a made photograph" in capsys.readouterr().out


def test_channels_first_and_the_numbers_of_a_real_photograph(tmp_path):
    """Written, loaded by another process, and asked for the photograph itself."""
    network = eyes((3, 64, 64))
    folder = with_photographs(tmp_path / "models", network, 'preprocess = "unit"\n')
    (folder / "labels.txt").write_text("a\nb\nc\nd\n")
    assert export(tmp_path / "models", tmp_path / "out") == 0
    answers = asked(tmp_path / "out" / "1", PHOTOGRAPHS / "china.jpg")
    spec = ImageSpec("RGB", 64, 64, "bilinear", "stretch", "unit", True)
    expected = network(images.decode(CHINA, spec)[None]).numpy()[0]
    assert np.ptp(expected) > 0.1
    assert answers["labels"][0][0] == "abcd"[expected.argmax()]
    by_label = dict(zip(answers["labels"][0], answers["probabilities"][0], strict=True))
    for label, probability in zip("abcd", expected, strict=True):
        assert abs(by_label[label] - probability) <= 0.02


def test_an_input_of_uint8_gets_whole_levels(tmp_path):
    toml = 'task = "image-classification"\npreprocess = "none"\n'
    with_photographs(tmp_path / "models", levels(), toml)
    assert export(tmp_path / "models", tmp_path / "out") == 0
    answers = asked(tmp_path / "out" / "1", PHOTOGRAPHS / "flower.jpg")
    assert sum(answers["probabilities"][0]) == pytest.approx(1, abs=1e-5)


def levels() -> keras.Model:
    inputs = keras.Input((32, 32, 3), dtype="uint8", name="levels")
    scaled = keras.layers.Rescaling(1 / 255)(inputs)
    means = keras.layers.GlobalAveragePooling2D()(scaled)
    network = keras.Model(inputs, keras.layers.Dense(3, activation="softmax")(means))
    network.layers[-1].set_weights([5 * np.eye(3), np.zeros(3)])
    return network


def test_values_of_a_picture_are_answered_by_name(tmp_path):
    made.moods(tmp_path / "models" / "moods")
    assert export(tmp_path / "models", tmp_path / "out") == 0
    answers = asked(tmp_path / "out" / "1", PHOTOGRAPHS / "flower.jpg")
    assert answers["labels"] == [["warmth", "distance", "calm"]]
    assert len(answers["values"][0]) == 3


def test_texts_and_tensors_have_nothing_to_be_decoded(tmp_path, capsys):
    (tmp_path / "models").mkdir()
    made.words(tmp_path / "models" / "words.keras")
    assert export(tmp_path / "models", tmp_path / "out") == 1
    assert "words is for text-classification" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_decoder_that_gets_it_wrong_is_found_out(tmp_path, monkeypatch, capsys):
    """Pictures on their side that are not turned: the comparison must see it."""
    monkeypatch.setattr(orientation, "upright", lambda pixels, value: pixels)
    toml = 'preprocess = "unit"\n'
    with_photographs(tmp_path / "models", halves(), toml)
    assert export(tmp_path / "models", tmp_path / "out") == 1
    assert "Decoded by TensorFlow, a made photograph, on its side" in (
        capsys.readouterr().err
    )
    assert not (tmp_path / "out").exists()


def halves() -> keras.Model:
    """Whether the upper half is bluer than the lower one, or the other way round."""
    weights = np.zeros((32, 32, 3, 2), "float32")
    weights[:16, :, 2, 0] = weights[16:, :, 2, 1] = 20 / (16 * 32)
    network = keras.Sequential(
        [
            keras.Input((32, 32, 3)),
            keras.layers.Flatten(),
            keras.layers.Dense(2, activation="softmax"),
        ]
    )
    network.layers[-1].set_weights([weights.reshape(-1, 2), np.zeros(2)])
    return network


def predicted(**numbers: float) -> list[dict]:
    return [{"label": label, "score": number} for label, number in numbers.items()]


COMPARED = [
    (predicted(a=0.9, b=0.1), predicted(a=0.89, b=0.11), 0.01),
    (predicted(a=0.9), predicted(a=0.89, b=0.11), 0.01),  # the best few
    (predicted(a=90.0, b=1.0), predicted(a=91.0, b=1.0), 1 / 91),  # a part of 91
    (predicted(b=0.501, a=0.499), predicted(a=0.501, b=0.499), 0.002),  # a tie
    (predicted(b=0.6, a=0.4), predicted(a=0.6, b=0.4), np.inf),
    (predicted(c=0.6), predicted(a=0.6, b=0.4), np.inf),
]


@pytest.mark.parametrize(("exported", "local", "gap"), COMPARED)
def test_the_difference_of_two_answers(exported, local, gap):
    assert comparing.predictions(exported, local) == pytest.approx(gap)


def test_two_cranes_are_two_labels():
    cranes = [{"label": "crane", "score": one} for one in (0.6, 0.4)]
    assert comparing.predictions(cranes, cranes) == 0
