"""Networks of unusual forms: inputs of any size, outputs of any kind, fixed batches.

Each is saved by Keras, opened by its engine and asked as a client would ask.
"""

from base64 import b64encode

import gevent
import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import ExifTags, Image

from facenality.arrays import rows, stack
from facenality.errors import UnprocessableInput
from facenality.registry import loader, repository
from facenality.scheduling.batcher import Batcher
from facenality.settings import Settings
from facenality.tasks import EVERY_LABEL
from made import picture

layers = keras.layers


def silent(_stage: str) -> None:
    """Nobody waits."""


def served(tmp_path, model, card: str = "") -> loader.Model:
    """`model` as the server would load it from a folder of its own."""
    folder = tmp_path / "mine"
    folder.mkdir()
    if isinstance(model, keras.Model):
        model.save(folder / "model.keras")
    else:
        tf.saved_model.save(model, str(folder / "saved_model"), model.serve)
    (folder / "model.toml").write_text(card)
    (found,) = repository.scan(tmp_path)
    settings = Settings(models_dir=tmp_path, engine="tensorflow", cache_dir=None)
    return loader.load(found, settings, silent)


def answered(model: loader.Model, payload) -> list[dict]:
    return loader.answer(model.task, model.engine, payload, EVERY_LABEL)


def raw(model: keras.Model, batch) -> np.ndarray:
    return model(np.asarray(batch, "float32")).numpy()


def levels(width: int, height: int) -> tuple[bytes, np.ndarray]:
    """A PNG of noise, and its pixels."""
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    encoded = tf.io.encode_png(pixels).numpy()
    return encoded, pixels.astype("float32")


def mean_of_any_size(*first) -> keras.Model:
    x = inputs = keras.Input((None, None, 3))
    for layer in first or (layers.Rescaling(1 / 255),):
        x = layer(x)
    x = layers.Conv2D(4, 3, padding="same")(x)
    x = layers.GlobalMaxPooling2D()(x)
    return keras.Model(inputs, layers.Dense(3, activation="softmax")(x))


@pytest.mark.parametrize(
    "first", [(), (layers.Resizing(8, 8), layers.Rescaling(1 / 255))]
)
def test_a_network_of_any_size_sees_the_pictures_own(tmp_path, first):
    network = mean_of_any_size(*first)
    model = served(tmp_path, network)
    for width, height in ((20, 31), (9, 7)):
        encoded, pixels = levels(width, height)
        got = {p["label"]: p["probability"] for p in answered(model, encoded)}
        assert [got[n] for n in "012"] == pytest.approx(
            raw(network, [pixels])[0].tolist(), abs=1e-5
        )


def test_a_large_picture_is_scaled_down_to_max_side(tmp_path):
    model = served(tmp_path, mean_of_any_size(), "[image]\nmax_side = 32\n")
    encoded, _ = levels(100, 50)
    assert model.task.decode(encoded).shape == (16, 32, 3)
    assert model.recipe.image.max_side == 32


def test_a_picture_on_its_side_keeps_its_own_size_upright(tmp_path):
    model = served(tmp_path, mean_of_any_size())
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    sideways = picture((9, 200, 9), size=(30, 20), form="JPEG", exif=exif)
    assert model.task.decode(sideways).shape == (30, 20, 3)


def test_only_pictures_of_one_size_share_a_batch():
    """The others keep their places; none fails, and none is computed twice."""
    sizes = []

    def execute(instances, _deadline):
        sizes.append([one.shape for one in instances])
        return rows(stack(instances).sum(axis=(1, 2)))

    execute.cancellable = False
    batcher = Batcher(execute, max_batch_size=8, slots=1)
    try:
        shapes = [(4, 4), (2, 2), (4, 4), (3, 3), (2, 2)]
        waiting = [
            gevent.spawn(batcher.submit, np.ones(shape), 1e9) for shape in shapes
        ]
        gevent.joinall(waiting, timeout=10, raise_error=True)
        assert [one.value.scores for one in waiting] == [16, 4, 16, 9, 4]
    finally:
        batcher.close()
    assert sizes == [[(4, 4)] * 2, [(2, 2)] * 2, [(3, 3)]]


def test_a_grey_square_takes_pictures(tmp_path):
    network = keras.Sequential(
        [
            keras.Input((28, 28)),
            layers.Rescaling(1 / 255),
            layers.Flatten(),
            layers.Dense(3, activation="softmax"),
        ]
    )
    model = served(tmp_path, network)
    (first, *_) = answered(model, picture((255, 255, 255), size=(28, 28)))
    want = raw(network, [np.full((28, 28), 255)])[0]
    assert first["probability"] == pytest.approx(want.max(), abs=1e-5)


def image_to(*outputs) -> keras.Model:
    """From a picture of 8 x 8 to what the functions `outputs` make of it."""
    inputs = keras.Input((8, 8, 3), name="photo")
    x = layers.Conv2D(4, 3, padding="same")(layers.Rescaling(1 / 255)(inputs))
    made = [output(x) for output in outputs]
    return keras.Model(inputs, made if len(made) > 1 else made[0])


def test_a_picture_goes_into_models_that_do_not_classify(tmp_path):
    network = image_to(lambda x: layers.Conv2D(5, 1, activation="softmax")(x))
    model = served(tmp_path, network)
    encoded, pixels = levels(8, 8)
    want = raw(network, [pixels])[0]
    for payload in (encoded, b64encode(encoded).decode(), pixels.tolist()):
        (only,) = answered(model, payload)
        np.testing.assert_allclose(only["values"], want, atol=1e-5)
    assert model.task.fields == ("image", "url", "instances")


def test_several_heads_of_a_picture_are_answered_by_name(tmp_path):
    network = image_to(
        lambda x: layers.Dense(1, name="age")(layers.GlobalAveragePooling2D()(x)),
        lambda x: layers.Dense(2, name="kind")(layers.GlobalAveragePooling2D()(x)),
    )
    (only,) = answered(served(tmp_path, network), levels(8, 8)[0])
    assert set(only["values"]) == {"age", "kind"}


def test_a_picture_and_numbers_go_in_together(tmp_path):
    photo, age = keras.Input((8, 8, 3), name="photo"), keras.Input((2,), name="age")
    x = layers.GlobalAveragePooling2D()(layers.Rescaling(1 / 255)(photo))
    x = layers.Concatenate()([x, age])
    network = keras.Model({"photo": photo, "age": age}, layers.Dense(3)(x))
    model = served(tmp_path, network)
    encoded, pixels = levels(8, 8)
    inputs = {"photo": pixels[None], "age": np.array([[1, 2]], "float32")}
    want = network(inputs).numpy()[0]
    payload = {"photo": b64encode(encoded).decode(), "age": [1, 2]}
    np.testing.assert_allclose(answered(model, payload)[0]["values"], want, atol=1e-5)
    with pytest.raises(UnprocessableInput, match="an object with"):
        model.task.decode(encoded)


class Decoding(tf.Module):
    """A SavedModel that takes encoded pictures, as TensorFlow's tutorials export."""

    def __init__(self):
        super().__init__()
        spec = tf.TensorSpec((None,), tf.string, name="image_bytes")
        self.serve = tf.function(self._serve, input_signature=[spec])

    def _serve(self, image_bytes):
        def one(encoded):
            pixels = tf.io.decode_jpeg(encoded, channels=3)
            return tf.reduce_mean(tf.cast(pixels, tf.float32), (0, 1)) / 255

        decoded = tf.map_fn(one, image_bytes, fn_output_signature=tf.float32)
        return {"scores": decoded}


def test_a_model_that_decodes_pictures_takes_uploads(tmp_path):
    model = served(tmp_path, Decoding())
    assert model.recipe.task == "image-classification"
    encoded, pixels = levels(20, 10)
    got = {p["label"]: p["score"] for p in answered(model, encoded)}
    want = pixels.mean((0, 1)) / 255
    assert [got[n] for n in "012"] == pytest.approx(want.tolist(), abs=1e-4)
    with pytest.raises(UnprocessableInput, match="not an image"):
        model.task.decode(b"no picture at all")


def test_a_batch_that_is_built_in_is_kept(tmp_path):
    inputs = keras.Input(batch_shape=(3, 8))
    halves = keras.ops.reshape(inputs, (3, 4, 2))
    network = keras.Model(inputs, layers.Dense(2)(layers.Flatten()(halves)))
    model = served(tmp_path, network)
    assert model.engine.batch_sizes == (3,)
    noise = np.random.default_rng(0).random((3, 8)).astype("float32")
    (only,) = answered(model, noise[0].tolist())
    np.testing.assert_allclose(only["values"], raw(network, noise)[0], atol=1e-5)


def test_a_batch_that_is_only_declared_is_open(tmp_path):
    inputs = keras.Input(batch_shape=(1, 8))
    model = served(tmp_path, keras.Model(inputs, layers.Dense(2)(inputs)))
    assert model.engine.batch_sizes[-1] > 1


def test_a_stateful_network_answers_each_instance_anew(tmp_path):
    inputs = keras.Input(batch_shape=(1, 5, 3))
    network = keras.Model(
        inputs, layers.Dense(2)(layers.LSTM(4, stateful=True)(inputs))
    )
    noise = np.random.default_rng(0).random((5, 3)).astype("float32")
    want = raw(network, [noise])[0]
    model = served(tmp_path, network)
    for _ in range(2):  # the second does not go on where the first has ended
        (only,) = answered(model, noise.tolist())
        np.testing.assert_allclose(only["values"], want, atol=1e-5)


def test_outputs_of_one_layer_are_told_apart(tmp_path):
    a, b = keras.Input((4,), name="a"), keras.Input((4,), name="b")
    dense = layers.Dense(2, name="d")
    model = served(tmp_path, keras.Model([a, b], [dense(a), dense(b), dense(a)]))
    (only,) = answered(model, {"a": [1, 2, 3, 4], "b": [0, 0, 0, 0]})
    assert set(only["values"]) == {"d", "d_1", "d_2"}


def test_one_tensor_may_be_two_outputs(tmp_path):
    inputs = keras.Input((4,))
    x = layers.Dense(2, name="d")(inputs)
    (only,) = answered(served(tmp_path, keras.Model(inputs, [x, x])), [1, 2, 3, 4])
    assert only["values"]["d"] == only["values"]["d_1"]


def test_outputs_in_nested_dicts_have_paths_for_names(tmp_path):
    inputs = keras.Input((4,))
    made = {"pose": {"x": layers.Dense(1)(inputs)}, "all": layers.Dense(2)(inputs)}
    network = keras.Model(inputs, made)
    (only,) = answered(served(tmp_path, network), [1, 2, 3, 4])
    want = network(np.array([[1, 2, 3, 4]], "float32"))
    assert set(only["values"]) == {"pose/x", "all"}
    assert only["values"]["pose/x"] == pytest.approx(
        want["pose"]["x"].numpy()[0].tolist(), abs=1e-5
    )


def test_strings_are_outputs_too(tmp_path):
    inputs = keras.Input((4,))
    lookup = layers.StringLookup(
        vocabulary=["cat", "dog"], invert=True, num_oov_indices=0
    )
    scores = layers.Dense(2)(inputs)
    label = lookup(keras.ops.argmax(scores, axis=-1))
    network = keras.Model(inputs, {"label": label, "scores": scores})
    model = served(tmp_path, network)
    assert model.engine.facts.outputs[0].dtype == "string"
    (only,) = answered(model, [1, 2, 3, 4])
    best = int(np.argmax(only["values"]["scores"]))
    assert only["values"]["label"] == ("cat", "dog")[best]


def test_channels_first_is_computed_on_a_processor(tmp_path):
    """Its answers are those of the same network with its channels last."""

    def network(order: str) -> keras.Model:
        shape = (3, 12, 10) if order == "channels_first" else (12, 10, 3)
        axis = 1 if order == "channels_first" else -1
        how = {"data_format": order}
        x = inputs = keras.Input(shape)
        x = layers.Conv2D(4, 3, strides=(2, 1), padding="same", **how)(x)
        x = layers.BatchNormalization(axis=axis)(x)
        x = layers.DepthwiseConv2D(3, activation="relu", **how)(x)
        x = layers.MaxPooling2D(2, **how)(x)
        x = layers.AveragePooling2D((1, 2), padding="same", **how)(x)
        x = layers.GlobalAveragePooling2D(**how)(x)
        return keras.Model(inputs, layers.Dense(3)(x))

    first, last = network("channels_first"), network("channels_last")
    last.set_weights(first.get_weights())
    model = served(tmp_path, first)
    pixels = np.random.default_rng(0).random((12, 10, 3)).astype("float32")
    got = answered(model, np.moveaxis(pixels, -1, 0).tolist())
    want = raw(last, [pixels])[0]
    scores = {p["label"]: p["score"] for p in got}
    assert [scores[n] for n in "012"] == pytest.approx(want.tolist(), abs=1e-5)


def test_a_deep_network_of_any_size_is_tried_with_pictures_large_enough(tmp_path):
    """Of 8 x 8 pixels nothing would be left after five halvings."""
    x = inputs = keras.Input((None, None, 3))
    for _ in range(5):
        x = layers.Conv2D(4, 3, strides=2)(x)
    network = keras.Model(inputs, layers.GlobalAveragePooling2D()(x))
    encoded, pixels = levels(80, 70)
    got = {p["label"]: p["score"] for p in answered(served(tmp_path, network), encoded)}
    want = raw(network, [pixels / 255])[0]
    assert [got[n] for n in "0123"] == pytest.approx(want.tolist(), abs=1e-5)
